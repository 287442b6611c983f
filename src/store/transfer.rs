//! Whole tenants on their way out and in: pages by key, rows under the keys that they had elsewhere, and the row of
//! `import` that keeps a half-imported tenant out of sight.

use std::collections::HashMap;

use super::error::{Result, StoreError};
use super::objects::{ObjectRow, all};
use super::search;
use super::session::{Query, Session, Tx, column};
use crate::domain::{Kind, Scalar, TenantId, Value, sort_key};
use crate::objects::TenantSettings;

/// The counters of a tenant's row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counters {
    /// When the tenant was made, in epoch milliseconds.
    pub created_at: i64,
    /// The id that the next object gets.
    pub next_object: i64,
    /// Counts the changes of the tenant.
    pub revision: i64,
    /// The template of new virtual extensions.
    pub defaults: i64,
}

/// A change as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptChange {
    /// The object's key.
    pub object: i64,
    /// The version that the change made.
    pub version: i64,
    /// Which change of the tenant it was.
    pub revision: i64,
    /// When, in epoch milliseconds.
    pub at: i64,
    /// Who asked for it.
    pub actor: String,
    /// The fields by path, each with its value before and after as JSON.
    pub fields: Vec<(String, String, String)>,
}

/// How far a tenant is in a database.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// There is no tenant of this code.
    Absent,
    /// There is one.
    Complete,
    /// It is being imported, or its import was interrupted.
    Importing(Underway),
}

/// How far an import has got.
#[derive(Clone, Debug, PartialEq)]
pub struct Underway {
    /// The tenant that it makes.
    pub tenant: TenantId,
    /// How many lines of the file are in.
    pub lines: i64,
    /// The SHA-256 of these lines, in hexadecimal digits.
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

/// The counters of the tenant that a query sees.
///
/// # Errors
/// What the engine answers.
pub fn counters(query: &mut Query<'_>) -> Result<Counters> {
    let row = query.first(COUNTERS, &[])?.ok_or(StoreError::NoTenant)?;
    let (created_at, next_object) = (column!(row, 0, int)?, column!(row, 1, int)?);
    Ok(Counters { created_at, next_object, revision: column!(row, 2, int)?, defaults: column!(row, 3, int)? })
}

/// How many objects and changes the tenant has.
///
/// # Errors
/// What the engine answers.
pub fn size(query: &mut Query<'_>) -> Result<(i64, i64)> {
    let objects = query.first(COUNT_OBJECTS, &[])?.unwrap_or_default();
    let changes = query.first(COUNT_CHANGES, &[])?.unwrap_or_default();
    Ok((column!(objects, 0, int)?, column!(changes, 0, int)?))
}

/// A page of objects of all kinds by key, from behind `after` on.
///
/// # Errors
/// What the engine answers.
pub fn objects_after(query: &mut Query<'_>, after: i64, limit: i64) -> Result<Vec<ObjectRow>> {
    all(query, OBJECTS, &[after.into(), limit.into()])
}

/// The kinds and versions of objects by key, of half-imported ones too; what does not exist is left out.
///
/// # Errors
/// What the engine answers.
pub fn kinds(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, (Kind, i64)>> {
    let rows = query.rows(KINDS, &[ids.iter().copied().collect()])?;
    let kind = |row: &Vec<Value>| Kind::from_value(row.get(1).cloned().unwrap_or(Value::Null));
    let known =
        |row: &Vec<Value>| Ok((column!(row, 0, int)?, (kind(row).map_err(StoreError::from)?, column!(row, 2, int)?)));
    rows.iter().map(known).collect()
}

/// A page of changes by object and version, from behind `after` on.
///
/// # Errors
/// What the engine answers.
pub fn changes_after(query: &mut Query<'_>, after: (i64, i64), limit: i64) -> Result<Vec<KeptChange>> {
    let mut changes = Vec::new();
    for row in query.rows(CHANGES, &[after.0.into(), after.1.into(), limit.into()])? {
        changes.push(KeptChange {
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
    // Both lists are in the same order, so that each change takes from the front of the fields.
    let mut waiting = changes.iter_mut();
    let mut change = waiting.next();
    query.each(CHANGE_FIELDS, &range, &mut |row| {
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

/// How far the tenant with this code is.
///
/// # Errors
/// What the engine answers.
pub fn presence(session: &mut dyn Session, code: &str) -> Result<Presence> {
    let Some(row) = session.first(PRESENCE, &[code.into()])? else { return Ok(Presence::Absent) };
    if row.get(1) == Some(&Value::Null) {
        return Ok(Presence::Complete);
    }
    let (tenant, lines) = (TenantId(column!(row, 0, int)?), column!(row, 1, int)?);
    Ok(Presence::Importing(Underway { tenant, lines, digest: column!(row, 2, text)?.to_owned() }))
}

/// Makes a tenant that is out of sight until [`finish_import`].
///
/// # Errors
/// What the engine answers; CONFLICT when the code is taken.
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

/// Notes that the lines up to `lines` are in. False when they do not follow upon `before`: somebody else imports too.
///
/// # Errors
/// What the engine answers.
pub fn advance_import(tx: &mut Tx<'_>, before: i64, lines: i64, digest: &str) -> Result<bool> {
    Ok(tx.execute(ADVANCE, &[before.into(), lines.into(), digest.into()])? == 1)
}

/// Sets the counters and brings the tenant into sight. False as for [`advance_import`].
///
/// # Errors
/// What the engine answers.
pub fn finish_import(tx: &mut Tx<'_>, before: i64, counters: Counters) -> Result<bool> {
    let Counters { next_object, revision, defaults, .. } = counters;
    tx.later(SET_COUNTERS, &[next_object.into(), revision.into(), defaults.into()])?;
    Ok(tx.execute(END, &[before.into()])? == 1)
}

/// Makes an object under the key, version and times that it has.
///
/// # Errors
/// What the engine answers; CONFLICT when the key or the number is taken.
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
    tx.later(INSERT_OBJECT, &params)?;
    search::insert_own(tx, row.id.local, &search::own(row.number.as_deref(), &row.name, &row.description))
}

/// Keeps a change under the revision that it has.
///
/// # Errors
/// What the engine answers; CONFLICT when there is one of this version already.
pub fn import_change(tx: &mut Tx<'_>, change: &KeptChange) -> Result<()> {
    let KeptChange { object, version, revision, at, actor, fields } = change;
    let key: [Value; 2] = [(*object).into(), (*version).into()];
    let rest = [(*revision).into(), (*at).into(), actor.as_str().into()];
    tx.later(INSERT_CHANGE, &[&key[..], &rest[..]].concat())?;
    for (path, before, after) in fields {
        let rest = [path, before, after].map(|text| text.as_str().into());
        tx.later(INSERT_CHANGE_FIELD, &[&key[..], &rest[..]].concat())?;
    }
    Ok(())
}
