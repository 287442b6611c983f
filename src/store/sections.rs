//! Sections and details in their tables: one piece of code for all of them, driven by what `section!` says.
//!
//! The statements are put together from those constants once per section and live as long as the program.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::{Result, StoreError};
use super::search;
use super::session::{Query, Tx, column};
use crate::domain::{Problem, Row, Value};
use crate::form::{self, Cell, FieldInfo, Information, Place, Rows, Section, SectionInfo, Typed};
use crate::objects::{AnyDetail, KindInfo};

/// The fields of Information that stand in the object's own row.
const OF_OBJECT: (&str, &[&str]) = (<Information as Typed>::TABLE, Information::OF_OBJECT);

/// The statements of one section.
struct Sql {
    /// The columns, in field order, of many sections; the object's id first.
    select: &'static str,
    insert: &'static str,
    update: &'static str,
    /// Per table of lists: the statement, and what it reads.
    lists: Vec<(Rows, &'static str)>,
}

/// The statements of one list table, for writing.
struct ListSql {
    clear: &'static str,
    insert: &'static str,
}

pub(super) fn keep(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

/// Whether a field of a section stands in the object's own row, so that [`save_section`] does not write it.
pub fn in_object_row(table: &str, field: &str) -> bool {
    table == OF_OBJECT.0 && OF_OBJECT.1.contains(&field)
}

/// The fields that are columns of the section's own table.
fn own_columns(info: &'static SectionInfo) -> impl Iterator<Item = &'static str> {
    info.fields.iter().filter(|field| is_own(info, field)).map(|field| field.name)
}

/// Whether a field is a column of the section's own table.
fn is_own(info: &SectionInfo, field: &FieldInfo) -> bool {
    field.place == Place::Column && !in_object_row(info.table, field.name)
}

/// Looks a value up, making it at the first time.
pub(super) fn once<K: std::hash::Hash + Eq, V>(
    known: &RwLock<HashMap<K, &'static V>>,
    key: K,
    make: impl FnOnce() -> V,
) -> &'static V {
    // A poisoned lock only means that another thread panicked; the map is whole.
    let found = known.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key).copied();
    found.unwrap_or_else(|| {
        let mut known = known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.entry(key).or_insert_with(|| Box::leak(Box::new(make())))
    })
}

fn sql(info: &'static SectionInfo) -> &'static Sql {
    static KNOWN: OnceLock<RwLock<HashMap<&'static str, &'static Sql>>> = OnceLock::new();
    once(KNOWN.get_or_init(RwLock::default), info.table, || {
        let table = info.table;
        let fields = info.fields.iter().filter(|field| field.place == Place::Column).map(|field| field.name);
        let selected: String =
            fields.map(|f| format!(", {}.{f}", if in_object_row(table, f) { "o" } else { "s" })).collect();
        let join = if OF_OBJECT.0 == table {
            " JOIN pbx_object o ON o.tenant_id = s.tenant_id AND o.object_id = s.object_id"
        } else {
            ""
        };
        let columns: String = own_columns(info).map(|f| format!(", {f}")).collect();
        let places: String = (0..own_columns(info).count()).map(|i| format!(", ${}", i + 3)).collect();
        let settings: Vec<String> = own_columns(info).enumerate().map(|(i, f)| format!("{f} = ${}", i + 3)).collect();
        Sql {
            select: keep(format!(
                "SELECT s.object_id{selected} FROM {table} s{join} WHERE s.tenant_id = $1 AND s.object_id = ANY($2)"
            )),
            insert: keep(format!("INSERT INTO {table} (tenant_id, object_id{columns}) VALUES ($1, $2{places})")),
            update: keep(format!("UPDATE {table} SET {} WHERE tenant_id = $1 AND object_id = $2", settings.join(", "))),
            lists: list_statements(info),
        }
    })
}

/// One statement per table of lists: the section's lists in a shared table are told apart by their slots.
fn list_statements(info: &'static SectionInfo) -> Vec<(Rows, &'static str)> {
    let mut lists: Vec<(Rows, Vec<&str>)> = Vec::new();
    for field in &info.fields {
        let Place::Rows(rows) = field.place else { continue };
        match lists.iter_mut().find(|(known, _)| *known == rows) {
            Some((_, slots)) => slots.push(field.name),
            None => lists.push((rows, vec![field.name])),
        }
    }
    let statement = |(rows, slots): (Rows, Vec<&str>)| {
        let Rows { table, columns, slotted } = rows;
        let columns = columns.join(", ");
        let sql = if slotted {
            let slots = slots.iter().map(|slot| format!("'{slot}'")).collect::<Vec<_>>().join(", ");
            format!(
                "SELECT owner_id, slot, {columns} FROM {table} WHERE tenant_id = $1 AND owner_id = ANY($2) \
                 AND slot IN ({slots}) ORDER BY owner_id, slot, position"
            )
        } else {
            format!(
                "SELECT owner_id, '{}', {columns} FROM {table} WHERE tenant_id = $1 AND owner_id = ANY($2) \
                 ORDER BY owner_id, position",
                slots[0]
            )
        };
        (rows, keep(sql))
    };
    lists.into_iter().map(statement).collect()
}

fn list_sql(rows: Rows) -> &'static ListSql {
    static KNOWN: OnceLock<RwLock<HashMap<&'static str, &'static ListSql>>> = OnceLock::new();
    once(KNOWN.get_or_init(RwLock::default), rows.table, || {
        let Rows { table, columns, slotted } = rows;
        let (slot, filter, first) = if slotted { ("slot, ", " AND slot = $3", 5) } else { ("", "", 4) };
        let keys = if slotted { "$1, $2, $3, $4" } else { "$1, $2, $3" };
        let places: String = (0..columns.len()).map(|i| format!(", ${}", i + first)).collect();
        ListSql {
            clear: keep(format!("DELETE FROM {table} WHERE tenant_id = $1 AND owner_id = $2{filter}")),
            insert: keep(format!(
                "INSERT INTO {table} (tenant_id, owner_id, {slot}position, {}) VALUES ({keys}{places})",
                columns.join(", ")
            )),
        }
    })
}

/// The cells of a section of many objects, by the objects' local ids. The number of statements does not depend on how
/// many. `found` makes of them what is wanted, or tells the rule that one breaks.
fn each(
    query: &mut Query<'_>,
    info: &'static SectionInfo,
    ids: &[i64],
    found: &mut dyn FnMut(i64, Vec<Cell>) -> std::result::Result<(), Problem>,
) -> Result<()> {
    let sql = sql(info);
    let ids: Value = ids.iter().copied().collect();
    let mut lists: HashMap<(i64, String), Vec<Row>> = HashMap::new();
    for (_, statement) in &sql.lists {
        query.each(statement, std::slice::from_ref(&ids), &mut |mut row| {
            let entry = row.split_off(2);
            let key = (column!(row, 0, int)?, column!(row, 1, text)?.to_owned());
            lists.entry(key).or_default().push(entry);
            Ok(())
        })?;
    }
    query.each(sql.select, &[ids], &mut |row| {
        let id = column!(row, 0, int)?;
        let mut values = row.into_iter().skip(1);
        let mut cell = |field: &FieldInfo| match field.place {
            Place::Column => Cell::Value(values.next().unwrap_or(Value::Null)),
            Place::Rows(_) => Cell::Rows(lists.remove(&(id, field.name.to_owned())).unwrap_or_default()),
        };
        let cells = info.fields.iter().map(&mut cell).collect();
        found(id, cells).map_err(|p| StoreError::from(p.under(format!("{}[{id}]", info.table))))
    })
}

/// A section of many objects, by the objects' local ids. The number of statements does not depend on how many.
///
/// # Errors
/// What the engine answers; CORRUPT when a row breaks a rule of its field's type.
pub fn load_any(
    query: &mut Query<'_>,
    info: &'static SectionInfo,
    ids: &[i64],
) -> Result<HashMap<i64, Box<dyn Section>>> {
    let (tenant, mut sections) = (query.tenant(), HashMap::new());
    each(query, info, ids, &mut |id, cells| {
        info.load(cells, tenant).map(|section| drop(sections.insert(id, section)))
    })?;
    Ok(sections)
}

/// The details of many objects of a kind, like [`load_any`].
///
/// # Errors
/// As [`load_any`].
pub fn load_details(
    query: &mut Query<'_>,
    kind: &'static KindInfo,
    ids: &[i64],
) -> Result<HashMap<i64, Box<dyn AnyDetail>>> {
    let (tenant, mut details) = (query.tenant(), HashMap::new());
    each(query, kind.detail, ids, &mut |id, cells| {
        kind.load(cells, tenant).map(|detail| drop(details.insert(id, detail)))
    })?;
    Ok(details)
}

/// The sections of a known type, like [`load_any`].
///
/// # Errors
/// As [`load_any`].
pub fn load_sections<S: Typed>(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, S>> {
    let (tenant, mut sections) = (query.tenant(), HashMap::new());
    each(query, S::section_info(), ids, &mut |id, cells| {
        form::load(cells, tenant).map(|section| drop(sections.insert(id, section)))
    })?;
    Ok(sections)
}

/// Writes what differs between two states of an object's section; `None` before means that there is no row yet.
/// The fields that stand in the object's own row are not written here.
///
/// # Errors
/// What the engine answers.
pub fn save_section(tx: &mut Tx<'_>, id: i64, before: Option<&dyn Section>, after: &dyn Section) -> Result<()> {
    let info = after.info();
    if before.is_some_and(|before| before.equals(after)) {
        return Ok(());
    }
    let (old, new) = (before.map(<dyn Section>::store), after.store());
    let differs = |i: usize| old.as_ref().is_none_or(|old| old.get(i) != new.get(i));
    let own = || info.fields.iter().zip(&new).enumerate().filter(|(_, (field, _))| is_own(info, field));
    if own().any(|(i, _)| differs(i)) || old.is_none() {
        let values = own().filter_map(|(_, (_, cell))| match cell {
            Cell::Value(value) => Some(value.clone()),
            Cell::Rows(_) => None,
        });
        let params: Vec<Value> = std::iter::once(id.into()).chain(values).collect();
        let sql = sql(info);
        tx.later(if old.is_some() { sql.update } else { sql.insert }, &params)?;
    }
    for (i, (field, cell)) in info.fields.iter().zip(&new).enumerate() {
        if let (Place::Rows(rows), Cell::Rows(entries), true) = (field.place, cell, differs(i)) {
            save_list(tx, id, field.name, rows, old.is_some(), entries)?;
        }
    }
    let old_words = old.as_deref().map(|cells| search::of_section(info, cells)).unwrap_or_default();
    search::save(tx, id, info.table, &old_words, &search::of_section(info, &new))
}

fn save_list(tx: &mut Tx<'_>, owner: i64, slot: &str, rows: Rows, clear: bool, entries: &[Row]) -> Result<()> {
    let sql = list_sql(rows);
    let key: Vec<Value> = if rows.slotted { vec![owner.into(), slot.into()] } else { vec![owner.into()] };
    if clear {
        tx.later(sql.clear, &key)?;
    }
    for (position, entry) in entries.iter().enumerate() {
        let params: Vec<Value> =
            key.iter().cloned().chain([Value::Int(position as i64)]).chain(entry.iter().cloned()).collect();
        tx.later(sql.insert, &params)?;
    }
    Ok(())
}

/// Removes an object's section with the entries that belong to it alone; what it has in shared tables goes with the
/// object, see [`super::erase_object`].
///
/// # Errors
/// What the engine answers; REFERENCE when something refers to it.
pub fn erase_section(tx: &mut Tx<'_>, id: i64, info: &'static SectionInfo) -> Result<()> {
    static KNOWN: OnceLock<RwLock<HashMap<&'static str, &'static &'static str>>> = OnceLock::new();
    for field in &info.fields {
        if let Place::Rows(rows @ Rows { slotted: false, .. }) = field.place {
            tx.later(list_sql(rows).clear, &[id.into()])?;
        }
    }
    let sql = once(KNOWN.get_or_init(RwLock::default), info.table, || {
        keep(format!("DELETE FROM {} WHERE tenant_id = $1 AND object_id = $2", info.table))
    });
    tx.later(sql, &[id.into()])
}
