//! The rows of one tenant.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{OnceLock, RwLock};

use super::super::error::{Result, StoreError};
use super::super::objects::ObjectRow;
use super::super::search;
use super::super::session::{Query, Session, column};
use super::super::{objects, sections, tenants};
use super::counters;
use super::problem::problem;
use crate::domain::{ExtensionNumber, Kind, Row, Scalar as _, Sealer, TenantId, Value};
use crate::form::{Cell, Form, Place, Rows, Section, SectionInfo};
use crate::objects::KindInfo;

/// How many rows are read at once; when one of them is wrong, these are read again one by one.
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

/// The rows of one tenant, while they are looked at.
pub(super) struct Check<'a, 'q> {
    pub(super) query: Query<'q>,
    sealer: Option<&'a Sealer>,
    kinds: HashMap<i64, Kind>,
    /// By table, which lists were read.
    lists: BTreeMap<&'static str, (Rows, Lists)>,
    pub(super) found: Vec<String>,
}

/// Reads every row of a tenant, whose next object gets the key `next`.
pub(super) fn verify_tenant(
    session: &mut dyn Session,
    id: TenantId,
    next: i64,
    sealer: Option<&Sealer>,
) -> Vec<String> {
    let (mut found, mut place, mut defaults, mut revision) = (Vec::new(), format!("tenant {}", id.0), None, i64::MAX);
    match tenants::tenant_by_id(session, id) {
        Ok(Some(row)) => {
            place = format!("tenant {}", row.settings.code.as_str());
            (defaults, revision) = (Some(row.defaults), row.revision);
        }
        Ok(None) => {}
        Err(error) => found.push(problem(format!("tenant[{}]", id.0), error)),
    }
    let query = Query::new(session, id);
    let mut check = Check { query, sealer, kinds: HashMap::new(), lists: BTreeMap::new(), found: Vec::new() };
    check.counters();
    check.objects(defaults, next);
    check.sections();
    check.unread_lists();
    check.changes(revision, next);
    check.import();
    found.extend(check.found.into_iter().map(|problem| format!("{place}: {problem}")));
    found
}

impl Check<'_, '_> {
    fn sections(&mut self) {
        let forms = self.of_kinds(&[Kind::VirtualExtension, Kind::FormDefaults]);
        for info in Form::infos() {
            self.section(info, &forms);
        }
        for kind in KindInfo::all() {
            let objects = self.of_kinds(&[kind.kind]);
            self.section(kind.detail, &objects);
        }
    }

    fn of_kinds(&self, kinds: &[Kind]) -> Vec<i64> {
        let mut ids: Vec<_> = self.kinds.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(&id, _)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The first column of a statement; what fails is told.
    fn ids(&mut self, table: &str, sql: &'static str) -> Vec<i64> {
        let rows = self.query.rows(sql, &[]);
        let ids = rows.and_then(|rows| rows.iter().map(|row| column!(row, 0, int)).collect::<Result<Vec<_>>>());
        ids.unwrap_or_else(|error| {
            self.found.push(problem(table, error));
            Vec::new()
        })
    }

    fn objects(&mut self, defaults: Option<i64>, next: i64) {
        let ids = self.ids("pbx_object", OBJECTS);
        let read = |query: &mut Query<'_>, ids: &[i64]| objects::load_objects(query, ids);
        let rows = each_chunk(&mut self.query, &ids, &mut self.found, &|id| format!("pbx_object[{id}]"), &read);
        let words = |row: &ObjectRow| search::own(row.number.as_deref(), &row.name, &row.description);
        let words = rows.iter().map(|(id, row)| (*id, words(row))).collect();
        self.words(search::OWN, &ids.iter().copied().collect(), &words);
        self.folded(&rows);
        for (id, row) in rows {
            self.kinds.insert(id, row.kind);
            self.found.extend(counters::of_object(&row));
            if let Some(Err(problem)) = row.number.map(|number| ExtensionNumber::from_value(number.into())) {
                self.found.push(problem.under(format!("pbx_object[{id}].number")).message());
            }
        }
        if let Some(last) = ids.last().filter(|last| **last >= next) {
            self.found
                .push(format!("tenant.next_object: must be greater than {last}, the last object's key; it is {next}"));
        }
        if let Some(id) = defaults.filter(|id| self.kinds.get(id) != Some(&Kind::FormDefaults)) {
            self.found.push(format!("tenant.defaults_id: must be the form defaults of the tenant; it is {id}"));
        }
    }

    /// The rows of one section or detail: of exactly these objects, each in its type.
    fn section(&mut self, info: &'static SectionInfo, expected: &[i64]) {
        let table = info.table;
        let there = self.ids(table, keys_of(table));
        let (expected_set, there_set): (BTreeSet<_>, BTreeSet<_>) =
            (expected.iter().copied().collect(), there.iter().copied().collect());
        for id in expected_set.difference(&there_set) {
            self.found.push(format!("{table}[{id}]: the object has no row in this table"));
        }
        for id in there_set.difference(&expected_set) {
            self.found.push(format!("{table}[{id}]: nothing reads this row: the object is none that has it"));
        }
        for field in &info.fields {
            if let Place::Rows(rows) = field.place {
                let (_, read) = self.lists.entry(rows.table).or_insert_with(|| (rows, HashSet::new()));
                let slot = if rows.slotted { field.name } else { "" };
                // A list whose owner has no row is read by nobody.
                read.extend(expected_set.intersection(&there_set).map(|&id| (id, slot)));
            }
        }
        let ids: Vec<_> = expected_set.intersection(&there_set).copied().collect();
        let read = |query: &mut Query<'_>, ids: &[i64]| sections::load_any(query, info, ids);
        let rows = each_chunk(&mut self.query, &ids, &mut self.found, &|id| format!("{table}[{id}]"), &read);
        if !info.searched.is_empty() {
            let words = rows.iter().map(|(id, row)| (*id, search::of_section(info, &row.store())));
            self.words(table, &there_set, &words.collect());
        }
        for (id, row) in rows {
            self.found.extend(counters::of_section(id, &*row));
            self.references(id, &*row);
            self.sealed(id, &*row);
        }
    }

    fn references(&mut self, id: i64, row: &dyn Section) {
        row.references(&mut |reference| {
            // What is not there at all is a foreign key's matter.
            if let Some(kind) = self.kinds.get(&reference.object.local).filter(|kind| !reference.kinds.contains(kind)) {
                let (path, target) = (reference.path.join("."), reference.object.local);
                let problem = format!("must not refer to pbx_object[{target}], which is a {}", kind.label());
                self.found.push(format!("{}[{id}].{path}: {problem}", row.info().table));
            }
        });
    }

    /// Bytes in a section are sealed secrets: everything else has another form.
    fn sealed(&mut self, id: i64, row: &dyn Section) {
        let Some(sealer) = self.sealer else { return };
        for (field, value) in row.fields() {
            let values = match value.store() {
                Cell::Value(value) => vec![value],
                Cell::Rows(rows) => rows.concat(),
            };
            if values.iter().filter_map(Value::bytes).any(|sealed| sealer.open(sealed).is_none()) {
                let place = format!("{}[{id}].{}", row.info().table, field.name);
                self.found.push(format!("{place}: the key does not open this secret"));
            }
        }
    }

    /// Entries of lists that belong to no field of their owner.
    fn unread_lists(&mut self) {
        for (table, (rows, read)) in std::mem::take(&mut self.lists) {
            let list =
                |row: &Row| Ok((column!(row, 0, int)?, column!(row, 1, text)?.to_owned(), column!(row, 2, int)?));
            let there = self.query.rows(owners_of(rows), &[]);
            let there = there.and_then(|rows| rows.iter().map(list).collect::<Result<Vec<_>>>());
            match there {
                Ok(there) => {
                    for (owner, slot, count) in there {
                        if !read.contains(&(owner, slot.as_str())) {
                            let slot = if slot.is_empty() { slot } else { format!(".{slot}") };
                            self.found.push(format!("{table}[{owner}{slot}]: nothing reads this list; rows: {count}"));
                        }
                    }
                }
                Err(error) => self.found.push(problem(table, error)),
            }
        }
    }

    fn counters(&mut self) {
        match counters::of_tenant(&mut self.query) {
            Ok(found) => self.found.extend(found),
            Err(error) => self.found.push(problem("tenant", error)),
        }
    }

    fn changes(&mut self, last: i64, next: i64) {
        let found = &mut self.found;
        let read = self.query.each(CHANGES, &[], &mut |row| {
            let (object, version, revision) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
            let _whole = (column!(row, 3, int)?, column!(row, 4, text)?);
            if version < 1 || !(1..=last).contains(&revision) {
                found.push(format!(
                    "change[{object}.{version}]: version must be 1 or more, and revision, which is {revision}, 1 to the tenant's"
                ));
            }
            Ok(())
        });
        let fields = self.query.each(FIELDS, &[], &mut |row| {
            let key = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, text)?);
            for (i, column) in [(3, "before_value"), (4, "after_value")] {
                if serde_json::from_str::<serde::de::IgnoredAny>(column!(row, i, text)?).is_err() {
                    found.push(format!("change_field[{}.{}.{}].{column}: must be JSON", key.0, key.1, key.2));
                }
            }
            Ok(())
        });
        let counted = counters::of_changes(&mut self.query, next, &mut self.found);
        self.found.extend(read.err().or(counted.err()).map(|error| problem("change", error)));
        self.found.extend(fields.err().map(|error| problem("change_field", error)));
    }

    /// An import that is under way.
    fn import(&mut self) {
        let row = self.query.first(IMPORT, &[]);
        let read =
            row.and_then(|row| row.map(|row| Ok((column!(row, 0, int)?, column!(row, 1, text)?.len()))).transpose());
        match read {
            Ok(Some((lines, _))) if lines < 0 => self.found.push("import.lines: must be 0 or more".into()),
            Ok(_) => {}
            Err(error) => self.found.push(problem("import", error)),
        }
    }
}

/// Reads rows by key. Where that fails the rows of the chunk are read one by one, so that each that is wrong is told.
fn each_chunk<T>(
    query: &mut Query<'_>,
    ids: &[i64],
    found: &mut Vec<String>,
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
                        // A row that breaks its type's rule names itself.
                        Err(StoreError::Corrupt(why)) if why.starts_with(&place(id)) => found.push(why),
                        Err(error) => found.push(problem(place(id), error)),
                    }
                }
            }
        }
    }
    rows.sort_by_key(|(id, _)| *id);
    rows
}

fn keys_of(table: &'static str) -> &'static str {
    static KNOWN: OnceLock<RwLock<HashMap<&'static str, &'static String>>> = OnceLock::new();
    let sql: &'static String = sections::once(KNOWN.get_or_init(RwLock::default), table, || {
        format!("SELECT object_id FROM {table} WHERE tenant_id = $1 ORDER BY object_id")
    });
    sql
}

fn owners_of(rows: Rows) -> &'static str {
    static KNOWN: OnceLock<RwLock<HashMap<&'static str, &'static String>>> = OnceLock::new();
    let slot = if rows.slotted { "slot" } else { "''" };
    let sql: &'static String = sections::once(KNOWN.get_or_init(RwLock::default), rows.table, || {
        format!(
            "SELECT owner_id, {slot}, count(*) FROM {} WHERE tenant_id = $1 GROUP BY 1, 2 ORDER BY 1, 2",
            rows.table
        )
    });
    sql
}
