//! Sections and details in their tables: one piece of code for all of them, driven by what `section!` says.
//!
//! The statements are put together from those constants once per section and live as long as the program.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::{Result, StoreError};
use super::search;
use super::session::{Query, Tx, column};
use crate::domain::{Code, ObjectId, Problem, Row, Value};
use crate::form::{Cell, Information, Place, Rows, Section, camel};
use crate::objects::Detail;

/// The fields of Information that stand in the object's own row.
const OF_OBJECT: (&str, &[&str]) = (Information::TABLE, Information::OF_OBJECT);

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

fn keep(sql: String) -> &'static str {
    Box::leak(sql.into_boxed_str())
}

/// Whether a field of a section stands in the object's own row, so that [`save`] does not write it.
pub fn in_object_row(table: &str, field: &str) -> bool {
    table == OF_OBJECT.0 && OF_OBJECT.1.contains(&field)
}

/// The fields that are columns of the section's own table.
fn own_columns<S: Section>() -> impl Iterator<Item = &'static str> {
    let fields = S::COLUMNS.iter().zip(S::PLACES);
    fields.filter(|(field, place)| **place == Place::Column && !in_object_row(S::TABLE, field)).map(|(field, _)| *field)
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

fn sql<S: Section>() -> &'static Sql {
    static KNOWN: OnceLock<RwLock<HashMap<TypeId, &'static Sql>>> = OnceLock::new();
    once(KNOWN.get_or_init(RwLock::default), TypeId::of::<S>(), || {
        let table = S::TABLE;
        let fields = || S::COLUMNS.iter().zip(S::PLACES).filter(|(_, place)| **place == Place::Column);
        let selected: String =
            fields().map(|(f, _)| format!(", {}.{f}", if in_object_row(table, f) { "o" } else { "s" })).collect();
        let join = if OF_OBJECT.0 == table {
            " JOIN pbx_object o ON o.tenant_id = s.tenant_id AND o.object_id = s.object_id"
        } else {
            ""
        };
        let columns: String = own_columns::<S>().map(|f| format!(", {f}")).collect();
        let places: String = (0..own_columns::<S>().count()).map(|i| format!(", ${}", i + 3)).collect();
        let settings: Vec<String> = own_columns::<S>().enumerate().map(|(i, f)| format!("{f} = ${}", i + 3)).collect();
        Sql {
            select: keep(format!(
                "SELECT s.object_id{selected} FROM {table} s{join} WHERE s.tenant_id = $1 AND s.object_id = ANY($2)"
            )),
            insert: keep(format!("INSERT INTO {table} (tenant_id, object_id{columns}) VALUES ($1, $2{places})")),
            update: keep(format!("UPDATE {table} SET {} WHERE tenant_id = $1 AND object_id = $2", settings.join(", "))),
            lists: list_statements::<S>(),
        }
    })
}

/// One statement per table of lists: the section's lists in a shared table are told apart by their slots.
fn list_statements<S: Section>() -> Vec<(Rows, &'static str)> {
    let mut lists: Vec<(Rows, Vec<&str>)> = Vec::new();
    for (field, place) in S::COLUMNS.iter().zip(S::PLACES) {
        let Place::Rows(rows) = *place else { continue };
        match lists.iter_mut().find(|(known, _)| *known == rows) {
            Some((_, slots)) => slots.push(field),
            None => lists.push((rows, vec![field])),
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

/// The sections of many objects, by the objects' local ids. The number of statements does not depend on how many.
///
/// # Errors
/// What the engine answers; CORRUPT when a row breaks a rule of its field's type.
pub fn load<S: Section>(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, S>> {
    let sql = sql::<S>();
    let tenant = query.tenant();
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
    let mut sections = HashMap::new();
    query.each(sql.select, &[ids], &mut |row| {
        let id = column!(row, 0, int)?;
        let mut values = row.into_iter().skip(1);
        let mut cell = |(field, place): (&&str, &Place)| match place {
            Place::Column => Cell::Value(values.next().unwrap_or(Value::Null)),
            Place::Rows(_) => Cell::Rows(lists.remove(&(id, (*field).to_owned())).unwrap_or_default()),
        };
        let cells = S::COLUMNS.iter().zip(S::PLACES).map(&mut cell).collect();
        let section = S::load(cells, tenant).map_err(|p| StoreError::from(p.under(format!("{}[{id}]", S::TABLE))))?;
        sections.insert(id, section);
        Ok(())
    })?;
    Ok(sections)
}

/// The section of one object that must have it.
///
/// # Errors
/// As [`load`]; CORRUPT when there is none.
pub fn load_one<S: Section>(query: &mut Query<'_>, id: i64) -> Result<S> {
    load(query, &[id])?.remove(&id).ok_or_else(|| StoreError::Corrupt(format!("{}[{id}] is missing", S::TABLE)))
}

/// Writes what differs between two states of an object's section; `None` before means that there is no row yet.
/// The fields that stand in the object's own row are not written here.
///
/// # Errors
/// What the engine answers.
pub fn save<S: Section>(tx: &mut Tx<'_>, id: i64, before: Option<&S>, after: &S) -> Result<()> {
    let (old, new) = (before.map(Section::store), after.store());
    let fields = || S::COLUMNS.iter().zip(S::PLACES).zip(&new).enumerate();
    let differs = |i: usize| old.as_ref().is_none_or(|old| old.get(i) != new.get(i));
    let own =
        || fields().filter(|(_, ((field, place), _))| **place == Place::Column && !in_object_row(S::TABLE, field));
    if own().any(|(i, _)| differs(i)) || old.is_none() {
        let values = own().filter_map(|(_, (_, cell))| match cell {
            Cell::Value(value) => Some(value.clone()),
            Cell::Rows(_) => None,
        });
        let params: Vec<Value> = std::iter::once(id.into()).chain(values).collect();
        let sql = sql::<S>();
        tx.execute(if old.is_some() { sql.update } else { sql.insert }, &params)?;
    }
    for (i, ((field, place), cell)) in fields() {
        if let (Place::Rows(rows), Cell::Rows(entries), true) = (place, cell, differs(i)) {
            save_list(tx, id, field, *rows, old.is_some(), entries)?;
        }
    }
    let old_words = old.as_deref().map(search::of_section::<S>).unwrap_or_default();
    search::save(tx, id, S::TABLE, &old_words, &search::of_section::<S>(&new))
}

fn save_list(tx: &mut Tx<'_>, owner: i64, slot: &str, rows: Rows, clear: bool, entries: &[Row]) -> Result<()> {
    let sql = list_sql(rows);
    let key: Vec<Value> = if rows.slotted { vec![owner.into(), slot.into()] } else { vec![owner.into()] };
    if clear {
        tx.execute(sql.clear, &key)?;
    }
    for (position, entry) in entries.iter().enumerate() {
        let params: Vec<Value> =
            key.iter().cloned().chain([Value::Int(position as i64)]).chain(entry.iter().cloned()).collect();
        tx.execute(sql.insert, &params)?;
    }
    Ok(())
}

/// Removes an object's section with the entries that belong to it alone; what it has in shared tables goes with the
/// object, see [`super::erase_object`].
///
/// # Errors
/// What the engine answers; REFERENCE when something refers to it.
pub fn erase<S: Section>(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    static KNOWN: OnceLock<RwLock<HashMap<TypeId, &'static &'static str>>> = OnceLock::new();
    for place in S::PLACES {
        if let Place::Rows(rows @ Rows { slotted: false, .. }) = *place {
            tx.execute(list_sql(rows).clear, &[id.into()])?;
        }
    }
    let sql = once(KNOWN.get_or_init(RwLock::default), TypeId::of::<S>(), || {
        keep(format!("DELETE FROM {} WHERE tenant_id = $1 AND object_id = $2", S::TABLE))
    });
    tx.execute(sql, &[id.into()]).map(drop)
}

/// What of a detail another object of the tenant already has, see [`Detail::UNIQUE`].
///
/// # Errors
/// What the engine answers.
pub fn alike<D: Detail>(query: &mut Query<'_>, detail: &D, own: Option<ObjectId>) -> Result<Vec<Problem>> {
    static KNOWN: OnceLock<RwLock<HashMap<(TypeId, usize), &'static &'static str>>> = OnceLock::new();
    let cells = detail.store();
    let value = |column: &&str| match cells.get(D::COLUMNS.iter().position(|field| field == column)?) {
        Some(Cell::Value(value)) => Some(value.clone()),
        _ => None,
    };
    let mut problems = Vec::new();
    for (i, columns) in D::UNIQUE.iter().enumerate() {
        let values: Vec<Value> = columns.iter().filter_map(value).collect();
        let Some(first) = values.first().filter(|v| ![Value::Null, false.into(), "".into()].contains(*v)) else {
            continue;
        };
        let sql = once(KNOWN.get_or_init(RwLock::default), (TypeId::of::<D>(), i), || {
            let equal = columns.iter().enumerate().map(|(i, column)| format!(" AND s.{column} = ${}", i + 2));
            keep(format!(
                "SELECT o.object_id, o.name FROM {} s JOIN pbx_object o ON o.tenant_id = s.tenant_id \
                 AND o.object_id = s.object_id WHERE s.tenant_id = $1{} ORDER BY o.object_id LIMIT 2",
                D::TABLE,
                equal.collect::<String>()
            ))
        });
        for row in query.rows(sql, &values)? {
            let other = ObjectId { tenant: query.tenant(), local: column!(row, 0, int)? };
            if own != Some(other) {
                let problem = Problem::new(Code::Taken, format!("is that of {} already", column!(row, 1, text)?));
                let shown = first.text().map_or_else(|| format!("{}", first.int().unwrap_or(1)), str::to_owned);
                problems.push(problem.value(shown).related(other).under(camel(columns[0])));
            }
        }
    }
    Ok(problems)
}
