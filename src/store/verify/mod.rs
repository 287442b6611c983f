//! Reads every row of a database into its type, and reports each row that violates a rule.
//!
//! How to add a table: sections, details and their lists are checked automatically. Add a check for any other table of
//! a tenant in `tenant.rs`, and for a table above the tenants here.

mod counters;
mod problem;
mod search_words;
mod tenant;

use super::session::{Session, column};
use super::{Progress, migrate, tokens};
use crate::domain::{Sealer, TenantId, Value};
use problem::describe_problem;
use tenant::verify_tenant;

const TENANTS: &str = "SELECT tenant_id, next_object FROM tenant ORDER BY tenant_id";
const TOKENS: &str = "SELECT token_id, hash FROM token ORDER BY token_id";
const KEYS: &str = "SELECT key_id, created_at FROM sealing_key";

/// Reads every row of a database with the schema of this program. With a key, sealed secrets are opened too. Returns
/// the problems, one line for each, without any secret.
///
/// # Errors
/// The error of `progress`.
pub fn verify_rows(
    session: &mut dyn Session,
    sealer: Option<&Sealer>,
    progress: &mut Progress<'_>,
) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let tenants = session.rows(TENANTS, &[]).unwrap_or_else(|error| {
        problems.push(describe_problem("tenant", error));
        Vec::new()
    });
    let total = tenants.len() as u64;
    for (done, row) in tenants.iter().enumerate() {
        progress("reading rows of tenants", done as u64, total)?;
        let (Some(id), next) = (row.first().and_then(Value::int), row.get(1).and_then(Value::int)) else { continue };
        problems.extend(verify_tenant(session, TenantId(id), next.unwrap_or_default(), sealer));
    }
    verify_tokens(session, &mut problems);
    verify_key(session, sealer, &mut problems);
    Ok(problems)
}

/// The names of the migrations that a SQLite file of vext lacks.
///
/// # Errors
/// One sentence if the file is newer than this program or has different migrations.
pub fn missing_migrations_in_file(session: &mut dyn Session) -> Result<Vec<String>, String> {
    migrate::missing_in_file(session)
}

fn verify_tokens(session: &mut dyn Session, problems: &mut Vec<String>) {
    let rows = session.rows(TOKENS, &[]).unwrap_or_else(|error| {
        problems.push(describe_problem("token", error));
        Vec::new()
    });
    for row in rows {
        let Some(id) = row.first().and_then(Value::int) else { continue };
        match tokens::token_by_id(session, id) {
            Ok(Some(token)) => {
                if token.scopes.split(' ').any(|scope| !["read", "write", "delete", "explore"].contains(&scope)) {
                    problems.push(format!("token[{id}].scopes: must be read, write, delete or explore"));
                }
                if token.all_tenants && !token.tenants.is_empty() {
                    problems.push(format!("token[{id}].all_tenants: must not be set for a token of some tenants"));
                }
            }
            Ok(None) => {}
            Err(error) => problems.push(describe_problem(format!("token[{id}]"), error)),
        }
        if row.get(1).and_then(Value::bytes).is_none_or(|hash| hash.len() != 32) {
            problems.push(format!("token[{id}].hash: must be 32 bytes"));
        }
    }
}

fn verify_key(session: &mut dyn Session, sealer: Option<&Sealer>, problems: &mut Vec<String>) {
    let keys = session.for_each_row(KEYS, &[], &mut |row| {
        let (key, _) = (column!(row, 0, text)?, column!(row, 1, int)?);
        if let Some(sealer) = sealer.filter(|sealer| sealer.key_id() != key) {
            problems.push(format!("sealing_key[{key}]: the key file contains another key, {}", sealer.key_id()));
        }
        Ok(())
    });
    problems.extend(keys.err().map(|error| describe_problem("sealing_key", error)));
}
