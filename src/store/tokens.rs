//! The tables `token` and `token_tenant`. Tokens do not belong to one tenant, so most statements have no tenant
//! parameter.

use super::error::Result;
use super::session::{Session, column};
use crate::domain::{DateTime, Row, TenantId, Value};

/// A token as it is listed and looked up. The secret itself is not stored.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenRow {
    /// Its id.
    pub id: i64,
    /// Its name, which change records show.
    pub name: String,
    /// The scopes, separated by spaces.
    pub scopes: String,
    /// Whether it opens all tenants, including future ones.
    pub all_tenants: bool,
    /// The tenants that it opens, if not all.
    pub tenants: Vec<TenantId>,
    /// The tenant for requests that name none.
    pub selected: Option<TenantId>,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was revoked.
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

pub(super) const VALID_BY_HASH: &str = select!("WHERE t.hash = $1 AND t.revoked_at IS NULL");
const ALL: &str = select!("ORDER BY t.name");
const BY_ID: &str = select!("WHERE t.token_id = $1");
const VALID: &str = "SELECT hash FROM token WHERE revoked_at IS NULL ORDER BY token_id DESC LIMIT $1";
const LAST: &str = "SELECT coalesce(max(token_id), 0) FROM token";
const INSERT: &str = "INSERT INTO token (token_id, hash, name, scopes, all_tenants, selected_id, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)";
const INSERT_TENANT: &str = "INSERT INTO token_tenant (tenant_id, token_id) VALUES ($1, $2)";
const REVOKE: &str = "UPDATE token SET revoked_at = $2 WHERE name = $1 AND revoked_at IS NULL";

/// Parses tokens. There is one row for each tenant of a token, and the rows of a token are adjacent.
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
/// An engine error.
pub fn find_token(session: &mut dyn Session, hash: &[u8]) -> Result<Option<TokenRow>> {
    Ok(parse(&session.rows(VALID_BY_HASH, &[hash.into()])?)?.pop())
}

/// The token with this id, valid or not.
pub(super) fn token_by_id(session: &mut dyn Session, id: i64) -> Result<Option<TokenRow>> {
    Ok(parse(&session.rows(BY_ID, &[id.into()])?)?.pop())
}

/// Calls `each` with the hashes of at most `most` valid tokens, the newest first.
///
/// # Errors
/// An engine error.
pub fn each_valid_token_hash(session: &mut dyn Session, most: i64, each: &mut dyn FnMut(&[u8])) -> Result<()> {
    session.for_each_row(VALID, &[most.into()], &mut |row| {
        each(column!(row, 0, bytes)?);
        Ok(())
    })
}

/// All tokens, sorted by name.
///
/// # Errors
/// An engine error.
pub fn list_tokens(session: &mut dyn Session) -> Result<Vec<TokenRow>> {
    parse(&session.rows(ALL, &[])?)
}

/// Stores a new token's hash. `None` for `tenants` means all tenants; the first of a list becomes the selected one.
///
/// # Errors
/// An engine error; `Conflict` if the name or the token is already in use.
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

/// Revokes a token. `false` if there is no valid token with this name.
///
/// # Errors
/// An engine error.
pub fn revoke_token(session: &mut dyn Session, name: &str, now: i64) -> Result<bool> {
    Ok(session.execute(REVOKE, &[name.into(), now.into()])? > 0)
}
