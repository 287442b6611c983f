//! Export and import of whole tenants: pages of rows by id, inserts that keep the ids of the exported rows, and the row
//! of the table `import` that hides a partly imported tenant.

use std::collections::HashMap;

use super::error::{Result, StoreError};
use super::objects::{ObjectRow, load_rows};
use super::search;
use super::session::{Query, Session, Tx, column};
use crate::domain::{Kind, Scalar, TenantId, Value, sort_key};
use crate::objects::TenantSettings;

/// The counters of a tenant's row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TenantCounters {
    /// When the tenant was created, in epoch milliseconds.
    pub created_at: i64,
    /// The id of the next object.
    pub next_object: i64,
    /// Counts the changes of the tenant.
    pub revision: i64,
    /// The id of the form defaults, the template of new virtual extensions.
    pub defaults: i64,
}

/// A change record as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChange {
    /// The object's id.
    pub object: i64,
    /// The object's version after the change.
    pub version: i64,
    /// The tenant's revision after the change.
    pub revision: i64,
    /// The time in epoch milliseconds.
    pub at: i64,
    /// The name of the token that made the change.
    pub actor: String,
    /// The fields by path, each with its value before and after as JSON.
    pub fields: Vec<(String, String, String)>,
}

/// Whether a tenant is in a database.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// There is no tenant with this code.
    Absent,
    /// The tenant is there.
    Complete,
    /// The tenant is being imported, or its import was interrupted.
    Importing(UnfinishedImport),
}

/// The state of an unfinished import.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfinishedImport {
    /// The new tenant.
    pub tenant: TenantId,
    /// The number of lines of the file that are imported.
    pub lines: i64,
    /// The SHA-256 of these lines in hexadecimal.
    pub digest: String,
}

const COUNTERS: &str = "SELECT created_at, next_object, revision, defaults_id FROM tenant WHERE tenant_id = $1";
const COUNT_OBJECTS: &str = "SELECT count(*) FROM pbx_object WHERE tenant_id = $1";
const COUNT_CHANGES: &str = "SELECT count(*) FROM change WHERE tenant_id = $1";
const OBJECTS: &str =
    "SELECT object_id, kind, number, name, description, enabled, version, created_at, changed_at FROM pbx_object
  WHERE tenant_id = $1 AND object_id > $2 ORDER BY object_id LIMIT $3";
const KINDS: &str = "SELECT object_id, kind, version FROM pbx_object WHERE tenant_id = $1 AND object_id = ANY($2)";
const CHANGES: &str = "SELECT object_id, version, revision, changed_at, actor FROM change
  WHERE tenant_id = $1 AND (object_id, version) > ($2, $3) ORDER BY object_id, version LIMIT $4";
const CHANGE_FIELDS: &str = "SELECT object_id, version, path, before_value, after_value FROM change_field
  WHERE tenant_id = $1 AND (object_id, version) > ($2, $3) AND (object_id, version) <= ($4, $5)
  ORDER BY object_id, version, path";
const PRESENCE: &str = "SELECT t.tenant_id, i.lines, i.digest
  FROM tenant t LEFT JOIN import i ON i.tenant_id = t.tenant_id WHERE t.code = $1";
const BEGIN: &str = "INSERT INTO import (tenant_id, lines, digest) VALUES ($1, $2, $3)";
const ADVANCE: &str = "UPDATE import SET lines = $3, digest = $4 WHERE tenant_id = $1 AND lines = $2";
const END: &str = "DELETE FROM import WHERE tenant_id = $1 AND lines = $2";
const SET_COUNTERS: &str = "UPDATE tenant SET next_object = $2, revision = $3, defaults_id = $4 WHERE tenant_id = $1";
const INSERT_OBJECT: &str = "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at, changed_at, name_folded)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const INSERT_CHANGE: &str =
    "INSERT INTO change (tenant_id, object_id, version, revision, changed_at, actor) VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_CHANGE_FIELD: &str =
    "INSERT INTO change_field (tenant_id, object_id, version, path, before_value, after_value)
  VALUES ($1, $2, $3, $4, $5, $6)";

/// The counters of the query's tenant.
///
/// # Errors
/// An engine error.
pub fn tenant_counters(query: &mut Query<'_>) -> Result<TenantCounters> {
    let row = query.first(COUNTERS, &[])?.ok_or(StoreError::NoTenant)?;
    let (created_at, next_object) = (column!(row, 0, int)?, column!(row, 1, int)?);
    Ok(TenantCounters { created_at, next_object, revision: column!(row, 2, int)?, defaults: column!(row, 3, int)? })
}

/// The number of objects and of changes of the tenant.
///
/// # Errors
/// An engine error.
pub fn tenant_size(query: &mut Query<'_>) -> Result<(i64, i64)> {
    let objects = query.first(COUNT_OBJECTS, &[])?.unwrap_or_default();
    let changes = query.first(COUNT_CHANGES, &[])?.unwrap_or_default();
    Ok((column!(objects, 0, int)?, column!(changes, 0, int)?))
}

/// A page of objects of all kinds, sorted by id, starting after the id `after`.
///
/// # Errors
/// An engine error.
pub fn objects_after(query: &mut Query<'_>, after: i64, limit: i64) -> Result<Vec<ObjectRow>> {
    load_rows(query, OBJECTS, &[after.into(), limit.into()])
}

/// The kinds and versions of objects by id, even if they are not completely imported. Ids that do not exist are left
/// out.
///
/// # Errors
/// An engine error.
pub fn object_kinds(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, (Kind, i64)>> {
    let rows = query.rows(KINDS, &[ids.iter().copied().collect()])?;
    let kind = |row: &Vec<Value>| Kind::from_value(row.get(1).cloned().unwrap_or(Value::Null));
    let known =
        |row: &Vec<Value>| Ok((column!(row, 0, int)?, (kind(row).map_err(StoreError::from)?, column!(row, 2, int)?)));
    rows.iter().map(known).collect()
}

/// A page of changes, sorted by object and version, starting after the pair `after`.
///
/// # Errors
/// An engine error.
pub fn changes_after(query: &mut Query<'_>, after: (i64, i64), limit: i64) -> Result<Vec<StoredChange>> {
    let mut changes = Vec::new();
    for row in query.rows(CHANGES, &[after.0.into(), after.1.into(), limit.into()])? {
        changes.push(StoredChange {
            object: column!(row, 0, int)?,
            version: column!(row, 1, int)?,
            revision: column!(row, 2, int)?,
            at: column!(row, 3, int)?,
            actor: column!(row, 4, text)?.to_owned(),
            fields: Vec::new(),
        });
    }
    let Some(last) = changes.last() else { return Ok(changes) };
    let range = [after.0, after.1, last.object, last.version].map(Value::Int);
    // Both lists have the same order, so each change takes the next fields.
    let mut waiting = changes.iter_mut();
    let mut change = waiting.next();
    query.for_each_row(CHANGE_FIELDS, &range, &mut |row| {
        let key = (column!(row, 0, int)?, column!(row, 1, int)?);
        while change.as_ref().is_some_and(|change| (change.object, change.version) != key) {
            change = waiting.next();
        }
        let text = |i: usize| column!(row, i, text).map(str::to_owned);
        if let Some(change) = &mut change {
            change.fields.push((text(2)?, text(3)?, text(4)?));
        }
        Ok(())
    })?;
    Ok(changes)
}

/// Whether the tenant with this code is in the database.
///
/// # Errors
/// An engine error.
pub fn presence(session: &mut dyn Session, code: &str) -> Result<Presence> {
    let Some(row) = session.first(PRESENCE, &[code.into()])? else { return Ok(Presence::Absent) };
    if row.get(1) == Some(&Value::Null) {
        return Ok(Presence::Complete);
    }
    let (tenant, lines) = (TenantId(column!(row, 0, int)?), column!(row, 1, int)?);
    Ok(Presence::Importing(UnfinishedImport { tenant, lines, digest: column!(row, 2, text)?.to_owned() }))
}

/// Creates a tenant that is hidden until [`finish_import`].
///
/// # Errors
/// An engine error; `Conflict` if the code is taken.
pub fn begin_import(
    session: &mut dyn Session,
    settings: &TenantSettings,
    created_at: i64,
    (lines, digest): (i64, &str),
) -> Result<TenantId> {
    let tenant = super::create_tenant(session, settings, created_at)?;
    session.execute(BEGIN, &[tenant.0.into(), lines.into(), digest.into()])?;
    Ok(tenant)
}

/// Records that the lines up to `lines` are imported. `false` if the last recorded number is not `before`: another
/// process is importing, too.
///
/// # Errors
/// An engine error.
pub fn advance_import(tx: &mut Tx<'_>, before: i64, lines: i64, digest: &str) -> Result<bool> {
    Ok(tx.execute(ADVANCE, &[before.into(), lines.into(), digest.into()])? == 1)
}

/// Sets the counters and makes the tenant visible. `false` as for [`advance_import`].
///
/// # Errors
/// An engine error.
pub fn finish_import(tx: &mut Tx<'_>, before: i64, counters: TenantCounters) -> Result<bool> {
    let TenantCounters { next_object, revision, defaults, .. } = counters;
    tx.execute_later(SET_COUNTERS, &[next_object.into(), revision.into(), defaults.into()])?;
    Ok(tx.execute(END, &[before.into()])? == 1)
}

/// Inserts an object with its own id, version and times.
///
/// # Errors
/// An engine error; `Conflict` if the id or the number is taken.
pub fn import_object(tx: &mut Tx<'_>, row: &ObjectRow) -> Result<()> {
    let params = [
        row.id.local.into(),
        row.kind.to_value(),
        row.number.as_deref().into(),
        row.name.as_str().into(),
        row.description.as_str().into(),
        row.enabled.into(),
        row.version.into(),
        row.created_at.to_value(),
        row.changed_at.to_value(),
        sort_key(&row.name).into(),
    ];
    tx.execute_later(INSERT_OBJECT, &params)?;
    search::insert_object_words(
        tx,
        row.id.local,
        &search::object_words(row.number.as_deref(), &row.name, &row.description),
    )
}

/// Inserts a change record with its own revision.
///
/// # Errors
/// An engine error; `Conflict` if there is one for this version already.
pub fn import_change(tx: &mut Tx<'_>, change: &StoredChange) -> Result<()> {
    let StoredChange { object, version, revision, at, actor, fields } = change;
    let key: [Value; 2] = [(*object).into(), (*version).into()];
    let rest = [(*revision).into(), (*at).into(), actor.as_str().into()];
    tx.execute_later(INSERT_CHANGE, &[&key[..], &rest[..]].concat())?;
    for (path, before, after) in fields {
        let rest = [path, before, after].map(|text| text.as_str().into());
        tx.execute_later(INSERT_CHANGE_FIELD, &[&key[..], &rest[..]].concat())?;
    }
    Ok(())
}
