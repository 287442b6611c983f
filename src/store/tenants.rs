//! The table `tenant`.

use super::error::{Result, StoreError};
use super::objects::{self, ObjectRow};
use super::session::{Query, Session, Tx, column};
use super::tokens::{self, TokenRow};
use crate::domain::{Row, TenantId, Value};
use crate::form::{self, Cell, Section};
use crate::objects::TenantSettings;

/// A tenant.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRow {
    /// Its id.
    pub id: TenantId,
    /// Its settings.
    pub settings: TenantSettings,
    /// The id of the form defaults, the template of new virtual extensions.
    pub defaults: i64,
    /// Counts the changes of the tenant.
    pub revision: i64,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, defaults_id, revision, code, name, timezone, transcription, ai, area_code, area_code_min_digits, area_code_max_digits, area_code_regex FROM tenant ",
            $rest
        )
    };
}

// A tenant that is being imported is hidden: nobody reads a part of it or writes to it.
const ALL: &str =
    select!("WHERE NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = tenant.tenant_id) ORDER BY code");
const BY_CODE: &str =
    select!("WHERE code = $1 AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = tenant.tenant_id)");
const BY_ID: &str = select!("WHERE tenant_id = $1 AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = $1)");
const OF_TOKEN: &str = select!(
    "WHERE tenant_id = (SELECT t.selected_id FROM token t WHERE t.hash = $1 AND t.revoked_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = tenant.tenant_id)"
);
// An id is never used again, because clients keep ids and tags, and the server caches answers, of a deleted tenant.
const NEXT: &str = "UPDATE tenant_key SET last = last + 1 RETURNING last";
const INSERT: &str = "INSERT INTO tenant (tenant_id, created_at, code, name, timezone, transcription, ai, area_code,
  area_code_min_digits, area_code_max_digits, area_code_regex, next_object, revision)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, 0)";
const UPDATE: &str =
    "UPDATE tenant SET code = $2, name = $3, timezone = $4, transcription = $5, ai = $6, area_code = $7,
  area_code_min_digits = $8, area_code_max_digits = $9, area_code_regex = $10 WHERE tenant_id = $1";
const SET_DEFAULTS: &str = "UPDATE tenant SET defaults_id = $2 WHERE tenant_id = $1";

fn parse(row: &Row) -> Result<TenantRow> {
    let id = TenantId(column!(row, 0, int)?);
    let cells = row.iter().skip(3).cloned().map(Cell::Value).collect();
    let settings: TenantSettings = form::load(cells, id)?;
    Ok(TenantRow { id, settings, defaults: column!(row, 1, int)?, revision: column!(row, 2, int)? })
}

fn find_one(session: &mut dyn Session, sql: &'static str, param: Value) -> Result<Option<TenantRow>> {
    session.first(sql, &[param])?.as_ref().map(parse).transpose()
}

/// All tenants, sorted by code.
///
/// # Errors
/// An engine error.
pub fn list_tenants(session: &mut dyn Session) -> Result<Vec<TenantRow>> {
    session.rows(ALL, &[])?.iter().map(parse).collect()
}

/// The tenant with this code.
///
/// # Errors
/// An engine error.
pub fn tenant_by_code(session: &mut dyn Session, code: &str) -> Result<Option<TenantRow>> {
    find_one(session, BY_CODE, code.into())
}

/// The valid token with this hash, and the tenant with this code or, without a code, the one that the token selects.
/// Needs one round trip.
///
/// # Errors
/// An engine error.
pub fn find_token_and_tenant(
    session: &mut dyn Session,
    hash: &[u8],
    code: Option<&str>,
) -> Result<(Option<TokenRow>, Option<TenantRow>)> {
    let hash = [hash.into()];
    let code = code.map(|code| [code.into()]);
    let tenant = code.as_ref().map_or((OF_TOKEN, &hash[..]), |code| (BY_CODE, &code[..]));
    let mut found = [Vec::new(), Vec::new()];
    session.visit_all_rows(&[(tokens::VALID_BY_HASH, &hash), tenant], &mut |at, columns| {
        if let Some(rows) = found.get_mut(at) {
            rows.push(columns.row()?);
        }
        Ok(())
    })?;
    let [token, tenant] = &found;
    Ok((tokens::parse(token)?.pop(), tenant.first().map(parse).transpose()?))
}

/// The tenant with this id.
///
/// # Errors
/// An engine error.
pub fn tenant_by_id(session: &mut dyn Session, id: TenantId) -> Result<Option<TenantRow>> {
    find_one(session, BY_ID, id.0.into())
}

/// The query's tenant.
///
/// # Errors
/// An engine error.
pub fn current_tenant(query: &mut Query<'_>) -> Result<TenantRow> {
    let row = query.first(BY_ID, &[])?;
    row.as_ref().map(parse).transpose()?.ok_or(StoreError::NoTenant)
}

/// The query's tenant, and one of its objects if it exists.
///
/// # Errors
/// An engine error.
pub fn current_tenant_with(query: &mut Query<'_>, object: i64) -> Result<(TenantRow, Option<ObjectRow>)> {
    let (id, mut tenant, mut found) = (query.tenant(), None, None);
    let queries: [(_, &[Value]); 2] = [(BY_ID, &[]), (objects::BY_IDS, &[[object].into_iter().collect()])];
    query.visit_all_rows(&queries, &mut |at, columns| {
        match at {
            0 => tenant = Some(columns.row()?),
            _ => found = Some(objects::parse(id, columns)?),
        }
        Ok(())
    })?;
    Ok((parse(&tenant.ok_or(StoreError::NoTenant)?)?, found))
}

/// Creates a tenant without its form defaults.
///
/// # Errors
/// An engine error; `Conflict` if the code is taken.
pub fn create_tenant(session: &mut dyn Session, new: &TenantSettings, now: i64) -> Result<TenantId> {
    let id = column!(session.first(NEXT, &[])?.unwrap_or_default(), 0, int)?;
    let row: Vec<Value> = [id.into(), now.into()].into_iter().chain(columns(new)).collect();
    session.execute(INSERT, &row)?;
    Ok(TenantId(id))
}

/// The values for the columns of a tenant's settings, in order.
fn columns(settings: &TenantSettings) -> impl Iterator<Item = Value> {
    (settings as &dyn Section).store().into_iter().filter_map(|cell| match cell {
        Cell::Value(value) => Some(value),
        Cell::Rows(_) => None,
    })
}

/// Updates a tenant's settings.
///
/// # Errors
/// An engine error; `Conflict` if the code is taken.
pub fn update_tenant(tx: &mut Tx<'_>, settings: &TenantSettings) -> Result<()> {
    tx.execute(UPDATE, &columns(settings).collect::<Vec<_>>()).map(drop)
}

/// Sets the object with the tenant's form defaults.
///
/// # Errors
/// An engine error.
pub fn set_defaults(tx: &mut Tx<'_>, template: i64) -> Result<()> {
    tx.execute_later(SET_DEFAULTS, &[template.into()])
}
