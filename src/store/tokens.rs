//! Rows of `token` and `token_tenant`: who may ask. Tokens stand above tenants, so these statements name no tenant.

use super::error::Result;
use super::session::{Session, column};
use crate::domain::{DateTime, Row, TenantId, Value};

/// A token as it is listed and looked up; the token itself is known to its bearer only.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// Its key.
    pub id: i64,
    /// The name that it was given; change records show it.
    pub name: String,
    /// The scopes, separated by blanks.
    pub scopes: String,
    /// Whether it is for every tenant, those to come included.
    pub all_tenants: bool,
    /// The tenants that it is for otherwise.
    pub tenants: Vec<TenantId>,
    /// The tenant that is selected when a request names none.
    pub selected: Option<TenantId>,
    /// When it was made.
    pub created_at: DateTime,
    /// Since when it is no longer valid.
    pub revoked_at: Option<DateTime>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT t.token_id, t.name, t.scopes, t.all_tenants, t.selected_id, t.created_at, t.revoked_at, o.tenant_id FROM token t LEFT JOIN token_tenant o ON o.token_id = t.token_id ",
            $rest
        )
    };
}

pub(super) const FIND: &str = select!("WHERE t.hash = $1 AND t.revoked_at IS NULL");
const ALL: &str = select!("ORDER BY t.name");
const BY_ID: &str = select!("WHERE t.token_id = $1");
const VALID: &str = "SELECT hash FROM token WHERE revoked_at IS NULL ORDER BY token_id DESC LIMIT $1";
const LAST: &str = "SELECT coalesce(max(token_id), 0) FROM token";
const INSERT: &str = "INSERT INTO token (token_id, hash, name, scopes, all_tenants, selected_id, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)";
const INSERT_TENANT: &str = "INSERT INTO token_tenant (tenant_id, token_id) VALUES ($1, $2)";
const REVOKE: &str = "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";

/// The tokens of some rows, in which those of a token follow each other, one for each of its tenants.
pub(super) fn parse(rows: &[Row]) -> Result<Vec<TokenRow>> {
    let id = |row: &Row| column!(row, 0, int).ok();
    rows.chunk_by(|one, other| id(one) == id(other)).map(parse_one).collect()
}

fn parse_one(rows: &[Row]) -> Result<TokenRow> {
    let row = rows.first().cloned().unwrap_or_default();
    let mut tenants: Vec<_> = rows.iter().filter_map(|row| row.get(7).and_then(Value::int)).map(TenantId).collect();
    tenants.sort_unstable();
    Ok(TokenRow {
        id: column!(row, 0, int)?,
        name: column!(row, 1, text)?.to_owned(),
        scopes: column!(row, 2, text)?.to_owned(),
        all_tenants: column!(row, 3, bool)?,
        tenants,
        selected: row.get(4).and_then(Value::int).map(TenantId),
        created_at: DateTime(column!(row, 5, int)?),
        revoked_at: row.get(6).and_then(Value::int).map(DateTime),
    })
}

/// The valid token with this hash.
///
/// # Errors
/// What the engine answers.
pub fn find_token(session: &mut dyn Session, hash: &[u8]) -> Result<Option<TokenRow>> {
    Ok(parse(&session.rows(FIND, &[hash.into()])?)?.pop())
}

/// The token with this key, valid or not.
pub(super) fn load(session: &mut dyn Session, id: i64) -> Result<Option<TokenRow>> {
    Ok(parse(&session.rows(BY_ID, &[id.into()])?)?.pop())
}

/// Hands out the hashes of valid tokens, of at most so many, the newest first.
///
/// # Errors
/// What the engine or the closure answers.
pub fn valid_tokens(session: &mut dyn Session, most: i64, each: &mut dyn FnMut(&[u8])) -> Result<()> {
    session.query(VALID, &[most.into()], &mut |row| {
        each(column!(row, 0, bytes)?);
        Ok(())
    })
}

/// All tokens by name.
///
/// # Errors
/// What the engine answers.
pub fn tokens(session: &mut dyn Session) -> Result<Vec<TokenRow>> {
    parse(&session.rows(ALL, &[])?)
}

/// Keeps a new token's hash. `tenants` of `None` means every tenant; the first of a list is the selected one.
///
/// # Errors
/// What the engine answers; CONFLICT when the name or the token is in use.
pub fn create_token(
    session: &mut dyn Session,
    name: &str,
    hash: &[u8],
    scopes: &str,
    tenants: Option<&[TenantId]>,
    now: i64,
) -> Result<()> {
    let id = column!(session.first(LAST, &[])?.unwrap_or_default(), 0, int)? + 1;
    let selected = tenants.and_then(|tenants| tenants.first()).map(|tenant| tenant.0);
    let all = tenants.is_none();
    let row = [id.into(), hash.into(), name.into(), scopes.into(), all.into(), selected.into(), now.into()];
    session.execute(INSERT, &row)?;
    for tenant in tenants.unwrap_or_default() {
        session.execute(INSERT_TENANT, &[tenant.0.into(), id.into()])?;
    }
    Ok(())
}

/// Ends a token's validity. False when there is no valid token of this name.
///
/// # Errors
/// What the engine answers.
pub fn revoke_token(session: &mut dyn Session, name: &str, now: i64) -> Result<bool> {
    Ok(session.execute(REVOKE, &[name.into(), now.into()])? > 0)
}
