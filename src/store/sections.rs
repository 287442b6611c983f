//! Reads and writes sections and details in their tables: the same code for all of them, driven by their `section!`
//! definitions.
//!
//! The statements are built from these definitions once for each section, and live as long as the program.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::{Result, StoreError};
use super::search;
use super::session::{Query, Tx, column};
use crate::domain::{Problem, Row, Value};
use crate::form::{self, Cell, FieldInfo, Information, Place, Rows, Section, SectionInfo, Typed};
use crate::objects::{AnyDetail, KindInfo};

/// The fields of Information that are stored in the object's own row.
const IN_OBJECT_ROW: (&str, &[&str]) = (<Information as Typed>::TABLE, Information::OF_OBJECT);

/// The statements of one section.
struct SectionStatements {
    /// Selects the object's id and the columns in field order, for many objects.
    select: &'static str,
    insert: &'static str,
    update: &'static str,
    /// For each table of lists: the table, and the statement that selects from it.
    lists: Vec<(Rows, &'static str)>,
}

/// The statements of one list table, for writing.
struct ListStatements {
    clear: &'static str,
    insert: &'static str,
}

pub(super) fn leak_sql(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

/// Whether a field of a section is stored in the object's own row, so that [`save_section`] does not write it.
pub fn is_in_object_row(table: &str, field: &str) -> bool {
    table == IN_OBJECT_ROW.0 && IN_OBJECT_ROW.1.contains(&field)
}

/// The fields that are columns of the section's own table.
fn own_columns(info: &'static SectionInfo) -> impl Iterator<Item = &'static str> {
    info.fields.iter().filter(|field| is_own_column(info, field)).map(|field| field.name)
}

/// Whether a field is a column of the section's own table.
fn is_own_column(info: &SectionInfo, field: &FieldInfo) -> bool {
    field.place == Place::Column && !is_in_object_row(info.table, field.name)
}

/// Looks up a cached value. The first call creates the value, which lives as long as the program.
pub(super) fn get_or_leak<K: std::hash::Hash + Eq, V>(
    cache: &RwLock<HashMap<K, &'static V>>,
    key: K,
    make: impl FnOnce() -> V,
) -> &'static V {
    // A poisoned lock only means that another thread panicked; the map is intact.
    let found = cache.read().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key).copied();
    found.unwrap_or_else(|| {
        let mut cache = cache.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        cache.entry(key).or_insert_with(|| Box::leak(Box::new(make())))
    })
}

fn section_statements(info: &'static SectionInfo) -> &'static SectionStatements {
    static CACHE: OnceLock<RwLock<HashMap<&'static str, &'static SectionStatements>>> = OnceLock::new();
    get_or_leak(CACHE.get_or_init(RwLock::default), info.table, || {
        let table = info.table;
        let fields = info.fields.iter().filter(|field| field.place == Place::Column).map(|field| field.name);
        let selected: String =
            fields.map(|f| format!(", {}.{f}", if is_in_object_row(table, f) { "o" } else { "s" })).collect();
        let join = if IN_OBJECT_ROW.0 == table {
            " JOIN pbx_object o ON o.tenant_id = s.tenant_id AND o.object_id = s.object_id"
        } else {
            ""
        };
        let columns: String = own_columns(info).map(|f| format!(", {f}")).collect();
        let places: String = (0..own_columns(info).count()).map(|i| format!(", ${}", i + 3)).collect();
        let settings: Vec<String> = own_columns(info).enumerate().map(|(i, f)| format!("{f} = ${}", i + 3)).collect();
        SectionStatements {
            select: leak_sql(format!(
                "SELECT s.object_id{selected} FROM {table} s{join} WHERE s.tenant_id = $1 AND s.object_id = ANY($2)"
            )),
            insert: leak_sql(format!("INSERT INTO {table} (tenant_id, object_id{columns}) VALUES ($1, $2{places})")),
            update: leak_sql(format!(
                "UPDATE {table} SET {} WHERE tenant_id = $1 AND object_id = $2",
                settings.join(", ")
            )),
            lists: list_selects(info),
        }
    })
}

/// One statement for each table of lists. The slot tells which list of the section an entry of a shared table belongs
/// to.
fn list_selects(info: &'static SectionInfo) -> Vec<(Rows, &'static str)> {
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
        (rows, leak_sql(sql))
    };
    lists.into_iter().map(statement).collect()
}

fn list_statements(rows: Rows) -> &'static ListStatements {
    static CACHE: OnceLock<RwLock<HashMap<&'static str, &'static ListStatements>>> = OnceLock::new();
    get_or_leak(CACHE.get_or_init(RwLock::default), rows.table, || {
        let Rows { table, columns, slotted } = rows;
        let (slot, filter, first) = if slotted { ("slot, ", " AND slot = $3", 5) } else { ("", "", 4) };
        let keys = if slotted { "$1, $2, $3, $4" } else { "$1, $2, $3" };
        let places: String = (0..columns.len()).map(|i| format!(", ${}", i + first)).collect();
        ListStatements {
            clear: leak_sql(format!("DELETE FROM {table} WHERE tenant_id = $1 AND owner_id = $2{filter}")),
            insert: leak_sql(format!(
                "INSERT INTO {table} (tenant_id, owner_id, {slot}position, {}) VALUES ({keys}{places})",
                columns.join(", ")
            )),
        }
    })
}

/// Reads a section of many objects by their local ids. The number of statements does not depend on the number of
/// objects.
/// `found` gets the cells of each object and may report a violated rule.
fn each_section(
    query: &mut Query<'_>,
    info: &'static SectionInfo,
    ids: &[i64],
    found: &mut dyn FnMut(i64, Vec<Cell>) -> std::result::Result<(), Problem>,
) -> Result<()> {
    let sql = section_statements(info);
    let ids: Value = ids.iter().copied().collect();
    let mut lists: HashMap<(i64, String), Vec<Row>> = HashMap::new();
    for (_, statement) in &sql.lists {
        query.for_each_row(statement, std::slice::from_ref(&ids), &mut |mut row| {
            let entry = row.split_off(2);
            let key = (column!(row, 0, int)?, column!(row, 1, text)?.to_owned());
            lists.entry(key).or_default().push(entry);
            Ok(())
        })?;
    }
    query.for_each_row(sql.select, &[ids], &mut |row| {
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

/// A section of many objects by their local ids. The number of statements does not depend on the number of objects.
///
/// # Errors
/// An engine error; `Corrupt` if a value violates the rules of its field's type.
pub fn load_dyn_sections(
    query: &mut Query<'_>,
    info: &'static SectionInfo,
    ids: &[i64],
) -> Result<HashMap<i64, Box<dyn Section>>> {
    let (tenant, mut sections) = (query.tenant(), HashMap::new());
    each_section(query, info, ids, &mut |id, cells| {
        info.load(cells, tenant).map(|section| drop(sections.insert(id, section)))
    })?;
    Ok(sections)
}

/// The details of many objects of a kind, see [`load_dyn_sections`].
///
/// # Errors
/// As [`load_dyn_sections`].
pub fn load_details(
    query: &mut Query<'_>,
    kind: &'static KindInfo,
    ids: &[i64],
) -> Result<HashMap<i64, Box<dyn AnyDetail>>> {
    let (tenant, mut details) = (query.tenant(), HashMap::new());
    each_section(query, kind.detail, ids, &mut |id, cells| {
        kind.load(cells, tenant).map(|detail| drop(details.insert(id, detail)))
    })?;
    Ok(details)
}

/// The sections of a known type, see [`load_dyn_sections`].
///
/// # Errors
/// As [`load_dyn_sections`].
pub fn load_sections<S: Typed>(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, S>> {
    let (tenant, mut sections) = (query.tenant(), HashMap::new());
    each_section(query, S::section_info(), ids, &mut |id, cells| {
        form::load(cells, tenant).map(|section| drop(sections.insert(id, section)))
    })?;
    Ok(sections)
}

/// Writes the difference between two states of an object's section; `None` for `before` means that there is no row yet.
/// Fields that are stored in the object's own row are not written here.
///
/// # Errors
/// An engine error.
pub fn save_section(tx: &mut Tx<'_>, id: i64, before: Option<&dyn Section>, after: &dyn Section) -> Result<()> {
    let info = after.info();
    if before.is_some_and(|before| before.equals(after)) {
        return Ok(());
    }
    let (old, new) = (before.map(<dyn Section>::store), after.store());
    let differs = |i: usize| old.as_ref().is_none_or(|old| old.get(i) != new.get(i));
    let own = || info.fields.iter().zip(&new).enumerate().filter(|(_, (field, _))| is_own_column(info, field));
    if own().any(|(i, _)| differs(i)) || old.is_none() {
        let values = own().filter_map(|(_, (_, cell))| match cell {
            Cell::Value(value) => Some(value.clone()),
            Cell::Rows(_) => None,
        });
        let params: Vec<Value> = std::iter::once(id.into()).chain(values).collect();
        let sql = section_statements(info);
        tx.execute_later(if old.is_some() { sql.update } else { sql.insert }, &params)?;
    }
    for (i, (field, cell)) in info.fields.iter().zip(&new).enumerate() {
        if let (Place::Rows(rows), Cell::Rows(entries), true) = (field.place, cell, differs(i)) {
            save_list(tx, id, field.name, rows, old.is_some(), entries)?;
        }
    }
    let old_words = old.as_deref().map(|cells| search::section_words(info, cells)).unwrap_or_default();
    search::save_words(tx, id, info.table, &old_words, &search::section_words(info, &new))
}

fn save_list(tx: &mut Tx<'_>, owner: i64, slot: &str, rows: Rows, clear: bool, entries: &[Row]) -> Result<()> {
    let sql = list_statements(rows);
    let key: Vec<Value> = if rows.slotted { vec![owner.into(), slot.into()] } else { vec![owner.into()] };
    if clear {
        tx.execute_later(sql.clear, &key)?;
    }
    for (position, entry) in entries.iter().enumerate() {
        let params: Vec<Value> =
            key.iter().cloned().chain([Value::Int(position as i64)]).chain(entry.iter().cloned()).collect();
        tx.execute_later(sql.insert, &params)?;
    }
    Ok(())
}

/// Deletes an object's section and its lists in tables of their own. Entries in shared tables are deleted with the
/// object, see [`super::erase_object`].
///
/// # Errors
/// An engine error; `Reference` if something refers to it.
pub fn erase_section(tx: &mut Tx<'_>, id: i64, info: &'static SectionInfo) -> Result<()> {
    static CACHE: OnceLock<RwLock<HashMap<&'static str, &'static &'static str>>> = OnceLock::new();
    for field in &info.fields {
        if let Place::Rows(rows @ Rows { slotted: false, .. }) = field.place {
            tx.execute_later(list_statements(rows).clear, &[id.into()])?;
        }
    }
    let sql = get_or_leak(CACHE.get_or_init(RwLock::default), info.table, || {
        leak_sql(format!("DELETE FROM {} WHERE tenant_id = $1 AND object_id = $2", info.table))
    });
    tx.execute_later(sql, &[id.into()])
}
