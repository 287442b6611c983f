//! Rows of `pbx_object`: everything that a tenant has.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::{Result, StoreError};
use super::search;
use super::sections::{keep, once};
use super::session::{Columns, Query, Tx, column};
use crate::domain::{Counter, DateTime, Kind, ObjectId, Scalar, TenantId, Value, sort_key};

/// An object's own row: what everything has, whatever its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRow {
    /// Its tenant and key.
    pub id: ObjectId,
    /// What it is.
    pub kind: Kind,
    /// The number that reaches it, if it has one.
    pub number: Option<String>,
    /// Its name.
    pub name: String,
    /// A note for administrators.
    pub description: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Counts its saves, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime,
    /// When it was last saved.
    pub changed_at: DateTime,
}

impl ObjectRow {
    /// The version that the next change makes.
    ///
    /// # Errors
    /// There is none.
    pub fn next_version(&self) -> Result<i64> {
        let next = self.version.checked_add(1).filter(|next| *next <= Counter::Version.max());
        next.ok_or(StoreError::Exhausted(Counter::Version))
    }
}

/// What of an object's own row can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnRow<'a> {
    /// What it is.
    pub kind: Kind,
    /// The number that reaches it, if it has one.
    pub number: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// A note for administrators.
    pub description: &'a str,
    /// Whether it is in use.
    pub enabled: bool,
}

impl OwnRow<'_> {
    /// The row that is saved so: with its version, when it was made, and when it was last saved.
    fn saved(&self, id: ObjectId, (version, created_at, changed_at): (i64, DateTime, DateTime)) -> ObjectRow {
        let Self { kind, number, name, description, enabled } = *self;
        let (number, name, description) = (number.map(str::to_owned), name.to_owned(), description.to_owned());
        ObjectRow { id, kind, number, name, description, enabled, version, created_at, changed_at }
    }
}

macro_rules! select {
    ($rest:expr) => {
        concat!(
            "SELECT object_id, kind, number, name, description, enabled, version, created_at, changed_at FROM pbx_object WHERE tenant_id = $1 AND ",
            $rest
        )
    };
}
pub(super) use select;

// The objects of a tenant that is being imported do not exist yet, whoever guesses their ids.
pub(super) const BY_IDS: &str =
    select!("object_id = ANY($2) AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = $1)");
const OF_KIND: &str = select!("kind = $2 ORDER BY name_folded, object_id");
const NAMED: &str = select!("kind = $2 AND name_folded = $3 LIMIT 2");
const BY_NUMBER: &str = select!("number = $2");
const COUNT: &str = "SELECT count(*) FROM pbx_object WHERE tenant_id = $1 AND kind = $2";
const NEXT: &str = "UPDATE tenant SET next_object = next_object + 1 WHERE tenant_id = $1 AND next_object < $2
  RETURNING next_object - 1";
const INSERT: &str = "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at, changed_at, name_folded)
  VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $8, $9)";
const TOUCH: &str = "UPDATE pbx_object SET version = version + 1, changed_at = $3
  WHERE tenant_id = $1 AND object_id = $2";
const CHANGE: &str =
    "UPDATE pbx_object SET number = $3, name = $4, description = $5, enabled = $6, version = version + 1, changed_at = $7, name_folded = $8
  WHERE tenant_id = $1 AND object_id = $2";
const ERASE_LINKS: &str = "DELETE FROM link WHERE tenant_id = $1 AND owner_id = $2";
const ERASE_DESTINATIONS: &str = "DELETE FROM destination WHERE tenant_id = $1 AND owner_id = $2";
const ERASE: &str = "DELETE FROM pbx_object WHERE tenant_id = $1 AND object_id = $2";

pub(super) fn parse(tenant: TenantId, row: &dyn Columns) -> Result<ObjectRow> {
    let corrupt = |at: usize| StoreError::Corrupt(format!("column {at} of an object is not what it must be"));
    let text = |at| row.get(at)?.text().map(str::to_owned).ok_or_else(|| corrupt(at));
    Ok(ObjectRow {
        id: ObjectId { tenant, local: row.int(0)? },
        kind: Kind::from_value(row.get(1)?.into()).map_err(|problem| problem.under("kind"))?,
        number: row.get(2)?.text().map(str::to_owned),
        name: text(3)?,
        description: text(4)?,
        enabled: row.get(5)?.bool().ok_or_else(|| corrupt(5))?,
        version: row.int(6)?,
        created_at: DateTime(row.int(7)?),
        changed_at: DateTime(row.int(8)?),
    })
}

pub(super) fn all(query: &mut Query<'_>, sql: &'static str, params: &[Value]) -> Result<Vec<ObjectRow>> {
    let (tenant, mut rows) = (query.tenant(), Vec::new());
    query.scan(sql, params, &mut |row| {
        rows.push(parse(tenant, row)?);
        Ok(())
    })?;
    Ok(rows)
}

/// The rows of many objects by local id; what does not exist is left out.
///
/// # Errors
/// What the engine answers.
pub fn load_objects(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, ObjectRow>> {
    let rows = all(query, BY_IDS, &[ids.iter().copied().collect()])?;
    Ok(rows.into_iter().map(|row| (row.id.local, row)).collect())
}

/// Stops at the row of each of some objects: its key, its kind, and these columns of `pbx_object`, in the order of the
/// table. What does not exist is left out.
///
/// # Errors
/// What the engine and the closure answer.
pub fn scan_objects(
    query: &mut Query<'_>,
    ids: &Value,
    columns: &[&'static str],
    each: &mut dyn FnMut(&dyn Columns) -> Result<()>,
) -> Result<()> {
    static KNOWN: OnceLock<RwLock<HashMap<Vec<&'static str>, &'static &'static str>>> = OnceLock::new();
    let sql = once(KNOWN.get_or_init(RwLock::default), columns.to_vec(), || {
        let columns: String = columns.iter().map(|column| format!(", {column}")).collect();
        keep(format!(
            "SELECT object_id, kind{columns} FROM pbx_object WHERE tenant_id = $1 AND object_id = ANY($2) \
             AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = $1)"
        ))
    });
    query.scan(sql, std::slice::from_ref(ids), each)
}

/// All objects of a kind, by name.
///
/// # Errors
/// What the engine answers.
pub fn of_kind(query: &mut Query<'_>, kind: Kind) -> Result<Vec<ObjectRow>> {
    all(query, OF_KIND, &[kind.to_value()])
}

/// The only object of a kind with this name, whatever its capitals and accents; `None` when there are several.
///
/// # Errors
/// What the engine answers.
pub fn only_named(query: &mut Query<'_>, kind: Kind, name: &str) -> Result<Option<ObjectRow>> {
    let mut rows = all(query, NAMED, &[kind.to_value(), sort_key(name).into()])?;
    Ok(rows.pop().filter(|_| rows.is_empty()))
}

/// How many objects of a kind there are.
///
/// # Errors
/// What the engine answers.
pub fn count(query: &mut Query<'_>, kind: Kind) -> Result<i64> {
    let row = query.first(COUNT, &[kind.to_value()])?.unwrap_or_default();
    column!(row, 0, int)
}

/// The object with this number, of whatever kind.
///
/// # Errors
/// What the engine answers.
pub fn plain_row(query: &mut Query<'_>, number: &str) -> Result<Option<ObjectRow>> {
    Ok(all(query, BY_NUMBER, &[number.into()])?.into_iter().next())
}

/// Makes an object's own row, under the next id of the tenant.
///
/// # Errors
/// What the engine answers; CONFLICT when the number is taken; that there is no next id.
pub fn insert_object(tx: &mut Tx<'_>, new: OwnRow<'_>, now: i64) -> Result<ObjectRow> {
    let handed = tx.first(NEXT, &[Counter::NextObject.max().into()])?;
    let local = column!(handed.ok_or(StoreError::Exhausted(Counter::NextObject))?, 0, int)?;
    let OwnRow { kind, number, name, description, enabled } = new;
    let row = [
        local.into(),
        kind.to_value(),
        number.into(),
        name.into(),
        description.into(),
        enabled.into(),
        now.into(),
        sort_key(name).into(),
    ];
    tx.later(INSERT, &row)?;
    search::insert_own(tx, local, &search::own(number, name, description))?;
    let (id, at) = (ObjectId { tenant: tx.tenant(), local }, DateTime(now));
    Ok(new.saved(id, (1, at, at)))
}

/// Counts a save of an object, and writes what of it stands in its own row, where that differs: its indexes are many.
/// Answers the row as it is then. Before, it is `row`, as this transaction sees it.
///
/// # Errors
/// What the engine answers; CONFLICT when the number is taken; that it has come to its last version.
pub fn touch(tx: &mut Tx<'_>, row: &ObjectRow, (before, own): (OwnRow<'_>, OwnRow<'_>), now: i64) -> Result<ObjectRow> {
    let id = row.id.local;
    let version = row.next_version()?;
    // The last version is that of its deletion.
    if version == Counter::Version.max() {
        return Err(StoreError::Exhausted(Counter::Version));
    }
    let saved = own.saved(row.id, (version, row.created_at, DateTime(now)));
    if before == own {
        tx.later(TOUCH, &[id.into(), now.into()])?;
        return Ok(saved);
    }
    let OwnRow { number, name, description, enabled, .. } = own;
    let row =
        [id.into(), number.into(), name.into(), description.into(), enabled.into(), now.into(), sort_key(name).into()];
    tx.later(CHANGE, &row)?;
    search::update_own(tx, id, &search::own(number, name, description))?;
    Ok(saved)
}

/// Removes an object's rows in the tables that all kinds share.
///
/// # Errors
/// What the engine answers; REFERENCE when something still refers to it.
pub fn erase_object(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    for sql in [ERASE_LINKS, ERASE_DESTINATIONS, ERASE] {
        tx.later(sql, &[id.into()])?;
    }
    Ok(())
}
