//! Reads every row of a database into its type, and says of each that does not fit which it is and what rule it breaks.
//!
//! How to add a table: sections, details and their lists are found by themselves; what else a tenant has has its check
//! in `tenant.rs`, what stands above tenants here.

mod counters;
mod problem;
mod tenant;
mod words;

use super::session::{Session, column};
use super::{Progress, migrate, tokens};
use crate::domain::{Sealer, TenantId, Value};
use problem::problem;
use tenant::verify_tenant;

const TENANTS: &str = "SELECT tenant_id, next_object FROM tenant ORDER BY tenant_id";
const TOKENS: &str = "SELECT token_id, hash FROM token ORDER BY token_id";
const KEYS: &str = "SELECT key_id, created_at FROM sealing_key";

/// Reads every row of a database whose schema is this program's. With the key, sealed secrets are opened too.
///
/// # Errors
/// What `progress` answers. What is wrong with rows is the value: a line each, without any secret.
pub fn verify_rows(
    session: &mut dyn Session,
    sealer: Option<&Sealer>,
    progress: &mut Progress<'_>,
) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let tenants = session.rows(TENANTS, &[]).unwrap_or_else(|error| {
        found.push(problem("tenant", error));
        Vec::new()
    });
    let total = tenants.len() as u64;
    for (done, row) in tenants.iter().enumerate() {
        progress("reading rows of tenants", done as u64, total)?;
        let (Some(id), next) = (row.first().and_then(Value::int), row.get(1).and_then(Value::int)) else { continue };
        found.extend(verify_tenant(session, TenantId(id), next.unwrap_or_default(), sealer));
    }
    verify_tokens(session, &mut found);
    verify_key(session, sealer, &mut found);
    Ok(found)
}

/// What a database of this program still lacks; a sentence when it is newer, or another build's.
///
/// # Errors
/// That sentence.
pub fn lacking_migrations(session: &mut dyn Session) -> Result<Vec<String>, String> {
    migrate::lacking_in_file(session)
}

fn verify_tokens(session: &mut dyn Session, found: &mut Vec<String>) {
    let rows = session.rows(TOKENS, &[]).unwrap_or_else(|error| {
        found.push(problem("token", error));
        Vec::new()
    });
    for row in rows {
        let Some(id) = row.first().and_then(Value::int) else { continue };
        match tokens::load(session, id) {
            Ok(Some(token)) => {
                if token.scopes.split(' ').any(|scope| !["read", "write", "delete", "explore"].contains(&scope)) {
                    found.push(format!("token[{id}].scopes: must be read, write, delete or explore"));
                }
                if token.all_tenants && !token.tenants.is_empty() {
                    found.push(format!("token[{id}].all_tenants: must not be set for a token of some tenants"));
                }
            }
            Ok(None) => {}
            Err(error) => found.push(problem(format!("token[{id}]"), error)),
        }
        if row.get(1).and_then(Value::bytes).is_none_or(|hash| hash.len() != 32) {
            found.push(format!("token[{id}].hash: must be 32 bytes"));
        }
    }
}

fn verify_key(session: &mut dyn Session, sealer: Option<&Sealer>, found: &mut Vec<String>) {
    let keys = session.query(KEYS, &[], &mut |row| {
        let (key, _) = (column!(row, 0, text)?, column!(row, 1, int)?);
        if let Some(sealer) = sealer.filter(|sealer| sealer.key_id() != key) {
            found.push(format!("sealing_key[{key}]: the key file's key is another one, {}", sealer.key_id()));
        }
        Ok(())
    });
    found.extend(keys.err().map(|error| problem("sealing_key", error)));
}
