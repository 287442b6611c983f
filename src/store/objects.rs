//! The table `pbx_object`: one row for each object of a tenant, whatever its kind.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::{Result, StoreError};
use super::search;
use super::sections::{get_or_leak, leak_sql};
use super::session::{Columns, Query, Tx, column};
use crate::domain::{Counter, DateTime, Kind, ObjectId, Scalar, TenantId, Value, sort_key};

/// An object's own row: the fields that all kinds have.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectRow {
    /// Its tenant and its id in the tenant.
    pub id: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// The number to call it by, if it has one.
    pub number: Option<String>,
    /// Its name.
    pub name: String,
    /// A note for administrators.
    pub description: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Counts its saves, starting at 1.
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime,
    /// When it was last saved.
    pub changed_at: DateTime,
}

impl ObjectRow {
    /// The version after the next change.
    ///
    /// # Errors
    /// The version has reached its maximum.
    pub fn next_version(&self) -> Result<i64> {
        let next = self.version.checked_add(1).filter(|next| *next <= Counter::Version.max());
        next.ok_or(StoreError::Exhausted(Counter::Version))
    }
}

/// The fields of an object's own row that a save sets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ObjectFields<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The number to call it by, if it has one.
    pub number: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
    /// A note for administrators.
    pub description: &'a str,
    /// Whether it is in use.
    pub enabled: bool,
}

impl ObjectFields<'_> {
    /// The complete row, with its version, its time of creation and the time of its last save.
    fn object_row(&self, id: ObjectId, (version, created_at, changed_at): (i64, DateTime, DateTime)) -> ObjectRow {
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

// The objects of a tenant that is being imported are not visible yet, even to a client that guesses their ids.
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
const BUMP_VERSION: &str = "UPDATE pbx_object SET version = version + 1, changed_at = $3
  WHERE tenant_id = $1 AND object_id = $2";
const UPDATE: &str =
    "UPDATE pbx_object SET number = $3, name = $4, description = $5, enabled = $6, version = version + 1, changed_at = $7, name_folded = $8
  WHERE tenant_id = $1 AND object_id = $2";
const ERASE_LINKS: &str = "DELETE FROM link WHERE tenant_id = $1 AND owner_id = $2";
const ERASE_DESTINATIONS: &str = "DELETE FROM destination WHERE tenant_id = $1 AND owner_id = $2";
const ERASE: &str = "DELETE FROM pbx_object WHERE tenant_id = $1 AND object_id = $2";

pub(super) fn parse(tenant: TenantId, row: &dyn Columns) -> Result<ObjectRow> {
    let corrupt = |at: usize| StoreError::Corrupt(format!("column {at} of an object has the wrong type"));
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

pub(super) fn load_rows(query: &mut Query<'_>, sql: &'static str, params: &[Value]) -> Result<Vec<ObjectRow>> {
    let (tenant, mut rows) = (query.tenant(), Vec::new());
    query.visit_rows(sql, params, &mut |row| {
        rows.push(parse(tenant, row)?);
        Ok(())
    })?;
    Ok(rows)
}

/// The rows of objects by local id. Ids that do not exist are left out.
///
/// # Errors
/// An engine error.
pub fn load_objects(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, ObjectRow>> {
    let rows = load_rows(query, BY_IDS, &[ids.iter().copied().collect()])?;
    Ok(rows.into_iter().map(|row| (row.id.local, row)).collect())
}

/// Calls `each` for the row of every object with its id, its kind, and these columns of `pbx_object`, in the order of
/// the table. Ids that do not exist are left out.
///
/// # Errors
/// The errors of the engine and of the closure.
pub fn visit_objects(
    query: &mut Query<'_>,
    ids: &Value,
    columns: &[&'static str],
    each: &mut dyn FnMut(&dyn Columns) -> Result<()>,
) -> Result<()> {
    static CACHE: OnceLock<RwLock<HashMap<Vec<&'static str>, &'static &'static str>>> = OnceLock::new();
    let sql = get_or_leak(CACHE.get_or_init(RwLock::default), columns.to_vec(), || {
        let columns: String = columns.iter().map(|column| format!(", {column}")).collect();
        leak_sql(format!(
            "SELECT object_id, kind{columns} FROM pbx_object WHERE tenant_id = $1 AND object_id = ANY($2) \
             AND NOT EXISTS (SELECT 1 FROM import i WHERE i.tenant_id = $1)"
        ))
    });
    query.visit_rows(sql, std::slice::from_ref(ids), each)
}

/// All objects of a kind, sorted by name.
///
/// # Errors
/// An engine error.
pub fn objects_of_kind(query: &mut Query<'_>, kind: Kind) -> Result<Vec<ObjectRow>> {
    load_rows(query, OF_KIND, &[kind.to_value()])
}

/// The object of a kind with this name, ignoring case and accents; `None` if there are several.
///
/// # Errors
/// An engine error.
pub fn object_by_name(query: &mut Query<'_>, kind: Kind, name: &str) -> Result<Option<ObjectRow>> {
    let mut rows = load_rows(query, NAMED, &[kind.to_value(), sort_key(name).into()])?;
    Ok(rows.pop().filter(|_| rows.is_empty()))
}

/// The number of objects of a kind.
///
/// # Errors
/// An engine error.
pub fn count_objects(query: &mut Query<'_>, kind: Kind) -> Result<i64> {
    let row = query.first(COUNT, &[kind.to_value()])?.unwrap_or_default();
    column!(row, 0, int)
}

/// The object of any kind with this number.
///
/// # Errors
/// An engine error.
pub fn object_by_number(query: &mut Query<'_>, number: &str) -> Result<Option<ObjectRow>> {
    Ok(load_rows(query, BY_NUMBER, &[number.into()])?.into_iter().next())
}

/// Inserts an object's own row under the next id of the tenant.
///
/// # Errors
/// An engine error; `Conflict` if the number is taken; `Exhausted` if there is no next id.
pub fn insert_object(tx: &mut Tx<'_>, new: ObjectFields<'_>, now: i64) -> Result<ObjectRow> {
    let handed = tx.first(NEXT, &[Counter::NextObject.max().into()])?;
    let local = column!(handed.ok_or(StoreError::Exhausted(Counter::NextObject))?, 0, int)?;
    let ObjectFields { kind, number, name, description, enabled } = new;
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
    tx.execute_later(INSERT, &row)?;
    search::insert_object_words(tx, local, &search::object_words(number, name, description))?;
    let (id, at) = (ObjectId { tenant: tx.tenant(), local }, DateTime(now));
    Ok(new.object_row(id, (1, at, at)))
}

/// Counts a save of an object, and writes the fields of its own row only if they differ, because the row is in many
/// indexes. Returns the new row. `row` is the old one, as this transaction sees it.
///
/// # Errors
/// An engine error; `Conflict` if the number is taken; `Exhausted` if the object has reached its last version.
pub fn update_object(
    tx: &mut Tx<'_>,
    row: &ObjectRow,
    (before, own): (ObjectFields<'_>, ObjectFields<'_>),
    now: i64,
) -> Result<ObjectRow> {
    let id = row.id.local;
    let version = row.next_version()?;
    // The last version is reserved for the deletion.
    if version == Counter::Version.max() {
        return Err(StoreError::Exhausted(Counter::Version));
    }
    let saved = own.object_row(row.id, (version, row.created_at, DateTime(now)));
    if before == own {
        tx.execute_later(BUMP_VERSION, &[id.into(), now.into()])?;
        return Ok(saved);
    }
    let ObjectFields { number, name, description, enabled, .. } = own;
    let row =
        [id.into(), number.into(), name.into(), description.into(), enabled.into(), now.into(), sort_key(name).into()];
    tx.execute_later(UPDATE, &row)?;
    search::update_object_words(tx, id, &search::object_words(number, name, description))?;
    Ok(saved)
}

/// Deletes an object's rows from the tables that all kinds share.
///
/// # Errors
/// An engine error; `Reference` if something still refers to it.
pub fn erase_object(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    for sql in [ERASE_LINKS, ERASE_DESTINATIONS, ERASE] {
        tx.execute_later(sql, &[id.into()])?;
    }
    Ok(())
}
