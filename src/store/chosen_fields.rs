//! Reads selected fields of sections and details, for a query plan that does not need the others.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{OnceLock, PoisonError, RwLock};

use super::error::{Result, StoreError};
use super::sections::{is_in_object_row, leak_sql};
use super::session::{Columns, Query};
use crate::domain::Value;
use crate::form::{FieldInfo, Place, Rows, SectionInfo};

/// The maximum number of field choices with their own statement. Statements live as long as the program, and clients
/// determine the choices; beyond this number, all fields are read.
const MAX_CHOICES: usize = 500;

/// The first column of a list entry's own values. Before it are the owner and the slot.
pub const FIRST_ENTRY_COLUMN: usize = 2;

/// A field of a section.
#[derive(Clone, Copy, Debug)]
pub struct ChosenField {
    /// The section.
    pub info: &'static SectionInfo,
    /// The index in [`SectionInfo::fields`].
    pub at: usize,
}

impl PartialEq for ChosenField {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.info, other.info) && self.at == other.at
    }
}

impl ChosenField {
    /// The field; `None` if the section has no field at this index.
    pub fn described(&self) -> Option<&'static FieldInfo> {
        self.info.fields.get(self.at)
    }

    fn has_column(&self) -> bool {
        self.described().is_some_and(|field| field.place == Place::Column)
    }
}

/// Fields of the sections that objects of one type have. They are read together, for any number of objects.
#[derive(Debug)]
pub struct ChosenFields {
    /// The sections.
    pub infos: Vec<&'static SectionInfo>,
    /// The lists.
    pub lists: Vec<ChosenList>,
    /// The columns of the statement, after column 0, which is the object.
    columns: Vec<ChosenField>,
    /// `None` if only lists are chosen.
    sql: Option<&'static str>,
}

/// The lists that are stored in one table.
#[derive(Debug)]
pub struct ChosenList {
    /// The table.
    pub table: &'static str,
    sql: &'static str,
}

impl ChosenFields {
    /// Prepares to read these fields. All of them must belong to the same kind of object, so that each object has all
    /// of their sections.
    pub fn new(mut fields: Vec<ChosenField>) -> Self {
        fields.sort_by_key(|field| (field.info.table, field.at));
        fields.dedup();
        let mut infos: Vec<&'static SectionInfo> = Vec::new();
        for ChosenField { info, .. } in &fields {
            if !infos.iter().any(|own| std::ptr::eq(*own, *info)) {
                infos.push(info);
            }
        }
        let all = || infos.iter().flat_map(|info| (0..info.fields.len()).map(|at| ChosenField { info, at }));
        let mut columns: Vec<ChosenField> = fields.iter().copied().filter(ChosenField::has_column).collect();
        let sql = (!columns.is_empty()).then(|| {
            cached_statement("", &columns, || select(&columns)).unwrap_or_else(|| {
                let read = all().filter(|field| columns.iter().any(|own| std::ptr::eq(own.info, field.info)));
                columns = read.filter(ChosenField::has_column).collect();
                leak_statement(field_choice("", &columns), || select(&columns))
            })
        });
        let mut tables: Vec<(Rows, Vec<ChosenField>)> = Vec::new();
        for field in &fields {
            let Some(Place::Rows(rows)) = field.described().map(|field| field.place) else { continue };
            match tables.iter_mut().find(|(known, _)| *known == rows) {
                Some((_, slots)) => slots.push(*field),
                None => tables.push((rows, vec![*field])),
            }
        }
        let list = |(rows, slots): (Rows, Vec<ChosenField>)| {
            let sql = cached_statement(rows.table, &slots, || select_list(rows, &slots)).unwrap_or_else(|| {
                let is_in_table =
                    |field: &ChosenField| field.described().map(|own| own.place) == Some(Place::Rows(rows));
                let slots: Vec<_> = all().filter(is_in_table).collect();
                leak_statement(field_choice(rows.table, &slots), || select_list(rows, &slots))
            });
            ChosenList { table: rows.table, sql }
        };
        let lists = tables.into_iter().map(list).collect();
        Self { infos, lists, columns, sql }
    }

    /// The column of a field, if it has one.
    pub fn column(&self, field: &ChosenField) -> Option<usize> {
        self.columns.iter().position(|own| own == field).map(|place| place + 1)
    }
}

/// A request to read fields of some objects.
pub struct ChosenRead<'a> {
    /// The fields.
    pub chosen: &'a ChosenFields,
    /// The objects' local ids.
    pub ids: Value,
}

/// A callback for each row. It gets the index of the request, and the list; `None` for a row of fields.
pub type ChosenRowVisitor<'a> = dyn FnMut(usize, Option<&ChosenList>, &dyn Columns) -> Result<()> + 'a;

/// Runs several requests for one tenant with independent statements, and calls `each` for every row with the index of
/// its request. For each request, the entries of its lists come first, sorted by object, field and position: column 0
/// is the owner, column 1 the name of the field, and the entry's values start at [`FIRST_ENTRY_COLUMN`]. Then come the
/// fields of each object, in no particular order: column 0 is the object.
///
/// # Errors
/// The errors of the engine and of the closure.
pub fn read_chosen(query: &mut Query<'_>, reads: &[ChosenRead<'_>], each: &mut ChosenRowVisitor<'_>) -> Result<()> {
    let (mut queries, mut places) = (Vec::new(), Vec::new());
    for (at, ChosenRead { chosen, ids }) in reads.iter().enumerate() {
        for list in &chosen.lists {
            queries.push((list.sql, std::slice::from_ref(ids)));
            places.push((at, Some(list)));
        }
        if let Some(sql) = chosen.sql {
            queries.push((sql, std::slice::from_ref(ids)));
            places.push((at, None));
        }
    }
    query.visit_all_rows(&queries, &mut |place, columns| match places.get(place) {
        Some((at, list)) => each(*at, *list, columns),
        None => Err(StoreError::Bug("a row of no statement".into())),
    })
}

/// One statement for all sections, each joined to the first by its key.
fn select(fields: &[ChosenField]) -> String {
    let (mut columns, mut joins, mut tables) = (String::new(), String::new(), Vec::new());
    let mut needs_object = false;
    for field in fields {
        let (Some(own), table) = (field.described(), field.info.table) else { continue };
        let place = tables.iter().position(|known| *known == table).unwrap_or_else(|| {
            let place = tables.len();
            if place > 0 {
                let on = format!("s{place}.tenant_id = s0.tenant_id AND s{place}.object_id = s0.object_id");
                let _ = write!(joins, " JOIN {table} s{place} ON {on}");
            }
            tables.push(table);
            place
        });
        let is_of_object = is_in_object_row(table, own.name);
        needs_object |= is_of_object;
        let _ = match is_of_object {
            true => write!(columns, ", o.{}", own.name),
            false => write!(columns, ", s{place}.{}", own.name),
        };
    }
    if needs_object {
        joins += " JOIN pbx_object o ON o.tenant_id = s0.tenant_id AND o.object_id = s0.object_id";
    }
    let first = tables.first().copied().unwrap_or_default();
    format!("SELECT s0.object_id{columns} FROM {first} s0{joins} WHERE s0.tenant_id = $1 AND s0.object_id = ANY($2)")
}

fn select_list(rows: Rows, fields: &[ChosenField]) -> String {
    let Rows { table, columns, slotted } = rows;
    let slots: Vec<_> =
        fields.iter().filter_map(ChosenField::described).map(|field| format!("'{}'", field.name)).collect();
    let (slot, filter, order) = match slotted {
        true => ("slot".to_owned(), format!(" AND slot IN ({})", slots.join(", ")), ", slot"),
        false => (slots.concat(), String::new(), ""),
    };
    let columns = columns.join(", ");
    format!(
        "SELECT owner_id, {slot}, {columns} FROM {table} WHERE tenant_id = $1 AND owner_id = ANY($2){filter} \
         ORDER BY owner_id{order}, position"
    )
}

/// The table of the lists, or an empty string for the sections themselves; and the fields, each by its section's table
/// and its index.
type FieldChoice = (&'static str, Vec<(&'static str, usize)>);

fn field_choice(lists: &'static str, fields: &[ChosenField]) -> FieldChoice {
    (lists, fields.iter().map(|field| (field.info.table, field.at)).collect())
}

fn statement_cache() -> &'static RwLock<HashMap<FieldChoice, &'static str>> {
    static CACHE: OnceLock<RwLock<HashMap<FieldChoice, &'static str>>> = OnceLock::new();
    CACHE.get_or_init(RwLock::default)
}

/// The statement of a choice; `None` if it would be a new one and there are too many already.
fn cached_statement(
    lists: &'static str,
    fields: &[ChosenField],
    make: impl FnOnce() -> String,
) -> Option<&'static str> {
    let choice = field_choice(lists, fields);
    // A poisoned lock only means that another thread panicked; the map is intact.
    let known = statement_cache().read().unwrap_or_else(PoisonError::into_inner);
    let (found, count) = (known.get(&choice).copied(), known.len());
    drop(known);
    found.or_else(|| (count < MAX_CHOICES).then(|| leak_statement(choice, make)))
}

/// The statement of a choice, which is created once and lives as long as the program.
fn leak_statement(choice: FieldChoice, make: impl FnOnce() -> String) -> &'static str {
    statement_cache().write().unwrap_or_else(PoisonError::into_inner).entry(choice).or_insert_with(|| leak_sql(make()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::{Information, Note, Security, Typed as _};

    fn field(info: &'static SectionInfo, name: &str) -> ChosenField {
        ChosenField { info, at: info.fields.iter().position(|field| field.name == name).unwrap() }
    }

    #[test]
    fn only_the_columns_that_are_chosen_are_read_in_one_statement() {
        let (note, security) = (Note::section_info(), Security::section_info());
        let (branch, locked) = (field(note, "branch"), field(security, "locked"));
        let chosen = ChosenFields::new(vec![locked, branch, locked]);
        assert_eq!(
            chosen.sql,
            Some(
                "SELECT s0.object_id, s0.branch, s1.locked FROM note s0 \
                 JOIN security s1 ON s1.tenant_id = s0.tenant_id AND s1.object_id = s0.object_id \
                 WHERE s0.tenant_id = $1 AND s0.object_id = ANY($2)"
            )
        );
        assert_eq!((chosen.column(&branch), chosen.column(&locked)), (Some(1), Some(2)));
        assert_eq!(chosen.column(&field(note, "department")), None);
        assert!(chosen.lists.is_empty());
    }

    #[test]
    fn fields_in_the_objects_row_are_read_there_and_lists_of_a_table_together() {
        let information = Information::section_info();
        let fields = ["name", "member_ids", "call_group_ids"].map(|name| field(information, name));
        let chosen = ChosenFields::new(fields.to_vec());
        let sql = chosen.sql.unwrap();
        assert!(sql.contains("SELECT s0.object_id, o.name FROM information s0 JOIN pbx_object o ON "), "{sql}");
        let lists: Vec<_> = chosen.lists.iter().map(|list| list.sql).collect();
        assert_eq!(
            lists,
            ["SELECT owner_id, slot, target_id FROM link WHERE tenant_id = $1 AND owner_id = ANY($2) \
              AND slot IN ('member_ids', 'call_group_ids') ORDER BY owner_id, slot, position"]
        );
        assert_eq!(ChosenFields::new(fields[1..].to_vec()).sql, None);
    }
}
