//! Checks the rows of one tenant.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{OnceLock, RwLock};

use super::super::error::{Result, StoreError};
use super::super::objects::ObjectRow;
use super::super::search;
use super::super::session::{Query, Session, column};
use super::super::{objects, sections, tenants};
use super::counters;
use super::problem::describe_problem;
use crate::domain::{ExtensionNumber, Kind, Row, Scalar as _, Sealer, TenantId, Value};
use crate::form::{Cell, Form, Place, Rows, Section, SectionInfo};
use crate::objects::KindInfo;

/// How many rows one statement reads. If one of them is wrong, they are read again one by one.
const CHUNK: usize = 500;

const OBJECTS: &str = "SELECT object_id FROM pbx_object WHERE tenant_id = $1 ORDER BY object_id";
const CHANGES: &str = "SELECT object_id, version, revision, changed_at, actor FROM change WHERE tenant_id = $1";
const FIELDS: &str =
    "SELECT object_id, version, path, before_value, after_value FROM change_field WHERE tenant_id = $1";
const IMPORT: &str = "SELECT lines, digest FROM import WHERE tenant_id = $1";

/// Lists by owner and slot.
type Lists = HashSet<(i64, &'static str)>;
/// Reads rows by key.
type RowReader<'a, T> = &'a dyn Fn(&mut Query<'_>, &[i64]) -> Result<HashMap<i64, T>>;

/// The check of one tenant.
pub(super) struct TenantCheck<'a, 'q> {
    pub(super) query: Query<'q>,
    sealer: Option<&'a Sealer>,
    kinds: HashMap<i64, Kind>,
    /// The lists that were read, by table.
    lists: BTreeMap<&'static str, (Rows, Lists)>,
    pub(super) problems: Vec<String>,
}

/// Checks every row of a tenant. `next` is the id of its next object.
pub(super) fn verify_tenant(
    session: &mut dyn Session,
    id: TenantId,
    next: i64,
    sealer: Option<&Sealer>,
) -> Vec<String> {
    let (mut problems, mut place, mut defaults, mut revision) =
        (Vec::new(), format!("tenant {}", id.0), None, i64::MAX);
    match tenants::tenant_by_id(session, id) {
        Ok(Some(row)) => {
            place = format!("tenant {}", row.settings.code.as_str());
            (defaults, revision) = (Some(row.defaults), row.revision);
        }
        Ok(None) => {}
        Err(error) => problems.push(describe_problem(format!("tenant[{}]", id.0), error)),
    }
    let query = Query::new(session, id);
    let mut check = TenantCheck { query, sealer, kinds: HashMap::new(), lists: BTreeMap::new(), problems: Vec::new() };
    check.check_counters();
    check.check_objects(defaults, next);
    check.check_sections();
    check.check_unread_lists();
    check.check_changes(revision, next);
    check.check_import();
    problems.extend(check.problems.into_iter().map(|problem| format!("{place}: {problem}")));
    problems
}

impl TenantCheck<'_, '_> {
    fn check_sections(&mut self) {
        let forms = self.ids_of_kinds(&[Kind::VirtualExtension, Kind::FormDefaults]);
        for info in Form::infos() {
            self.check_section(info, &forms);
        }
        for kind in KindInfo::all() {
            let objects = self.ids_of_kinds(&[kind.kind]);
            self.check_section(kind.detail, &objects);
        }
    }

    fn ids_of_kinds(&self, kinds: &[Kind]) -> Vec<i64> {
        let mut ids: Vec<_> = self.kinds.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(&id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The first column of a statement. An error becomes a problem.
    fn read_ids(&mut self, table: &str, sql: &'static str) -> Vec<i64> {
        let rows = self.query.rows(sql, &[]);
        let ids = rows.and_then(|rows| rows.iter().map(|row| column!(row, 0, int)).collect::<Result<Vec<_>>>());
        ids.unwrap_or_else(|error| {
            self.problems.push(describe_problem(table, error));
            Vec::new()
        })
    }

    fn check_objects(&mut self, defaults: Option<i64>, next: i64) {
        let ids = self.read_ids("pbx_object", OBJECTS);
        let read = |query: &mut Query<'_>, ids: &[i64]| objects::load_objects(query, ids);
        let rows = read_in_chunks(&mut self.query, &ids, &mut self.problems, &|id| format!("pbx_object[{id}]"), &read);
        let words = |row: &ObjectRow| search::object_words(row.number.as_deref(), &row.name, &row.description);
        let words = rows.iter().map(|(id, row)| (*id, words(row))).collect();
        self.check_search_words(search::OBJECT_SOURCE, &ids.iter().copied().collect(), &words);
        self.check_folded_names(&rows);
        for (id, row) in rows {
            self.kinds.insert(id, row.kind);
            self.problems.extend(counters::object_problems(&row));
            if let Some(Err(problem)) = row.number.map(|number| ExtensionNumber::from_value(number.into())) {
                self.problems.push(problem.under(format!("pbx_object[{id}].number")).message());
            }
        }
        if let Some(last) = ids.last().filter(|last| **last >= next) {
            self.problems
                .push(format!("tenant.next_object: must be greater than {last}, the last object's key; it is {next}"));
        }
        if let Some(id) = defaults.filter(|id| self.kinds.get(id) != Some(&Kind::FormDefaults)) {
            self.problems.push(format!("tenant.defaults_id: must be the form defaults of the tenant; it is {id}"));
        }
    }

    /// Checks the rows of one section or detail: exactly the expected objects must have one.
    fn check_section(&mut self, info: &'static SectionInfo, expected: &[i64]) {
        let table = info.table;
        let present = self.read_ids(table, object_ids_sql(table));
        let (expected_set, present_set): (BTreeSet<_>, BTreeSet<_>) =
            (expected.iter().copied().collect(), present.iter().copied().collect());
        for id in expected_set.difference(&present_set) {
            self.problems.push(format!("{table}[{id}]: the object has no row in this table"));
        }
        for id in present_set.difference(&expected_set) {
            self.problems
                .push(format!("{table}[{id}]: nothing reads this row: the object's kind has no row in this table"));
        }
        for field in &info.fields {
            if let Place::Rows(rows) = field.place {
                let (_, read) = self.lists.entry(rows.table).or_insert_with(|| (rows, HashSet::new()));
                let slot = if rows.slotted { field.name } else { "" };
                // Nothing reads a list whose owner has no row.
                read.extend(expected_set.intersection(&present_set).map(|&id| (id, slot)));
            }
        }
        let ids: Vec<_> = expected_set.intersection(&present_set).copied().collect();
        let read = |query: &mut Query<'_>, ids: &[i64]| sections::load_dyn_sections(query, info, ids);
        let rows = read_in_chunks(&mut self.query, &ids, &mut self.problems, &|id| format!("{table}[{id}]"), &read);
        if !info.searched.is_empty() {
            let words = rows.iter().map(|(id, row)| (*id, search::section_words(info, &row.store())));
            self.check_search_words(table, &present_set, &words.collect());
        }
        for (id, row) in rows {
            self.problems.extend(counters::section_problems(id, &*row));
            self.check_references(id, &*row);
            self.check_sealed(id, &*row);
        }
    }

    fn check_references(&mut self, id: i64, row: &dyn Section) {
        row.references(&mut |reference| {
            // Foreign keys already make sure that the target exists.
            if let Some(kind) = self.kinds.get(&reference.object.local).filter(|kind| !reference.kinds.contains(kind)) {
                let (path, target) = (reference.path.join("."), reference.object.local);
                let problem = format!("must not refer to pbx_object[{target}], which is a {}", kind.label());
                self.problems.push(format!("{}[{id}].{path}: {problem}", row.info().table));
            }
        });
    }

    /// Checks that the key opens all sealed secrets. Only sealed secrets are stored as bytes.
    fn check_sealed(&mut self, id: i64, row: &dyn Section) {
        let Some(sealer) = self.sealer else { return };
        for (field, value) in row.fields() {
            let values = match value.store() {
                Cell::Value(value) => vec![value],
                Cell::Rows(rows) => rows.concat(),
            };
            if values.iter().filter_map(Value::bytes).any(|sealed| sealer.open(sealed).is_none()) {
                let place = format!("{}[{id}].{}", row.info().table, field.name);
                self.problems.push(format!("{place}: the key does not open this secret"));
            }
        }
    }

    /// Finds entries of lists that belong to no field of their owner.
    fn check_unread_lists(&mut self) {
        for (table, (rows, read)) in std::mem::take(&mut self.lists) {
            let list =
                |row: &Row| Ok((column!(row, 0, int)?, column!(row, 1, text)?.to_owned(), column!(row, 2, int)?));
            let present = self.query.rows(list_owners_sql(rows), &[]);
            let present = present.and_then(|rows| rows.iter().map(list).collect::<Result<Vec<_>>>());
            match present {
                Ok(present) => {
                    for (owner, slot, count) in present {
                        if !read.contains(&(owner, slot.as_str())) {
                            let slot = if slot.is_empty() { slot } else { format!(".{slot}") };
                            self.problems
                                .push(format!("{table}[{owner}{slot}]: nothing reads this list; rows: {count}"));
                        }
                    }
                }
                Err(error) => self.problems.push(describe_problem(table, error)),
            }
        }
    }

    fn check_counters(&mut self) {
        match counters::tenant_problems(&mut self.query) {
            Ok(problems) => self.problems.extend(problems),
            Err(error) => self.problems.push(describe_problem("tenant", error)),
        }
    }

    fn check_changes(&mut self, last: i64, next: i64) {
        let problems = &mut self.problems;
        let read = self.query.for_each_row(CHANGES, &[], &mut |row| {
            let (object, version, revision) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
            let _whole = (column!(row, 3, int)?, column!(row, 4, text)?);
            if version < 1 || !(1..=last).contains(&revision) {
                problems.push(format!(
                    "change[{object}.{version}]: version must be 1 or more, and revision 1 to {last}; it is {revision}"
                ));
            }
            Ok(())
        });
        let fields = self.query.for_each_row(FIELDS, &[], &mut |row| {
            let key = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, text)?);
            for (i, column) in [(3, "before_value"), (4, "after_value")] {
                if serde_json::from_str::<serde::de::IgnoredAny>(column!(row, i, text)?).is_err() {
                    problems.push(format!("change_field[{}.{}.{}].{column}: must be JSON", key.0, key.1, key.2));
                }
            }
            Ok(())
        });
        let counted = counters::changes_problems(&mut self.query, next, &mut self.problems);
        self.problems.extend(read.err().or(counted.err()).map(|error| describe_problem("change", error)));
        self.problems.extend(fields.err().map(|error| describe_problem("change_field", error)));
    }

    /// Checks the row of an unfinished import.
    fn check_import(&mut self) {
        let row = self.query.first(IMPORT, &[]);
        let read =
            row.and_then(|row| row.map(|row| Ok((column!(row, 0, int)?, column!(row, 1, text)?.len()))).transpose());
        match read {
            Ok(Some((lines, _))) if lines < 0 => self.problems.push("import.lines: must be 0 or more".into()),
            Ok(_) => {}
            Err(error) => self.problems.push(describe_problem("import", error)),
        }
    }
}

/// Reads rows by id. If a chunk fails, its rows are read one by one, so that each wrong row is reported.
fn read_in_chunks<T>(
    query: &mut Query<'_>,
    ids: &[i64],
    problems: &mut Vec<String>,
    place: &dyn Fn(i64) -> String,
    read: RowReader<'_, T>,
) -> Vec<(i64, T)> {
    let mut rows = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        match read(query, chunk) {
            Ok(some) => rows.extend(some),
            Err(_) => {
                for &id in chunk {
                    match read(query, &[id]) {
                        Ok(one) => rows.extend(one),
                        // The error of a row that violates a rule already names its place.
                        Err(StoreError::Corrupt(why)) if why.starts_with(&place(id)) => problems.push(why),
                        Err(error) => problems.push(describe_problem(place(id), error)),
                    }
                }
            }
        }
    }
    rows.sort_by_key(|(id, _)| *id);
    rows
}

fn object_ids_sql(table: &'static str) -> &'static str {
    static CACHE: OnceLock<RwLock<HashMap<&'static str, &'static String>>> = OnceLock::new();
    let sql: &'static String = sections::get_or_leak(CACHE.get_or_init(RwLock::default), table, || {
        format!("SELECT object_id FROM {table} WHERE tenant_id = $1 ORDER BY object_id")
    });
    sql
}

fn list_owners_sql(rows: Rows) -> &'static str {
    static CACHE: OnceLock<RwLock<HashMap<&'static str, &'static String>>> = OnceLock::new();
    let slot = if rows.slotted { "slot" } else { "''" };
    let sql: &'static String = sections::get_or_leak(CACHE.get_or_init(RwLock::default), rows.table, || {
        format!(
            "SELECT owner_id, {slot}, count(*) FROM {} WHERE tenant_id = $1 GROUP BY 1, 2 ORDER BY 1, 2",
            rows.table
        )
    });
    sql
}
