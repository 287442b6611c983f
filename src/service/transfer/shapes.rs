//! Sections and details without their types: between the cells of the store and the fields of a line.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use super::format::Fields;
use crate::domain::{Code, Kept, Kind, ObjectId, Problem, TenantId, Value};
use crate::form::*;
use crate::objects::*;
use crate::store::{self, Query, Result, Tx};

/// A section or a detail.
pub(super) trait Shape: Sync {
    /// Its table.
    fn table(&self) -> &'static str;
    /// Its fields.
    fn describe(&self) -> Vec<Described>;
    /// The cells of many objects.
    fn load(&self, query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, Vec<Cell>>>;
    /// Checks the cells of a line.
    fn admit(&self, cells: Vec<Cell>, tenant: TenantId, report: &mut dyn FnMut(Problem)) -> Option<Admitted>;

    /// Its name in the file.
    fn name(&self) -> String {
        camel(self.table())
    }
}

/// Writes a new section of an object.
type Save = Box<dyn Fn(&mut Tx<'_>, i64) -> Result<()> + Send + Sync>;

/// A section whose fields keep their own rules.
pub(super) struct Admitted {
    pub references: Vec<Reference>,
    pub save: Save,
}

struct Of<S>(PhantomData<fn() -> S>);

impl<S: Section> Shape for Of<S> {
    fn table(&self) -> &'static str {
        S::TABLE
    }

    fn describe(&self) -> Vec<Described> {
        S::describe()
    }

    fn load(&self, query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, Vec<Cell>>> {
        Ok(store::load_sections::<S>(query, ids)?.into_iter().map(|(id, section)| (id, section.store())).collect())
    }

    fn admit(&self, cells: Vec<Cell>, tenant: TenantId, report: &mut dyn FnMut(Problem)) -> Option<Admitted> {
        let section = S::admit(cells, tenant, report)?;
        let mut references = Vec::new();
        section.references(&mut |reference| references.push(reference));
        Some(Admitted { references, save: Box::new(move |tx, id| store::save_section(tx, id, None, &section)) })
    }
}

macro_rules! form_shapes {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        const FORM: &[&dyn Shape] = &[$(&Of::<$Section>(PhantomData)),+];
    };
}
each_section!(form_shapes);

macro_rules! detail_shapes {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        /// What objects of a kind have, in the order of the file.
        pub(super) fn shapes(kind: Kind) -> &'static [&'static dyn Shape] {
            match kind {
                $(Kind::$Kind => const { &[&Of::<$Kind>(PhantomData)] },)+
                Kind::VirtualExtension | Kind::FormDefaults => FORM,
            }
        }
    };
}
each_detail!(detail_shapes);

/// The section or detail of this name.
pub(super) fn named(name: &str) -> Option<&'static dyn Shape> {
    Kind::ALL.iter().flat_map(|kind| shapes(*kind)).copied().find(|shape| shape.name() == name)
}

/// Whether the change records of this path may hold ids: those of a form begin with the section.
pub(super) fn refers(path: &str) -> bool {
    static REFERRING: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let fields = |shape: &'static dyn Shape, start: String| {
            let referring = shape
                .describe()
                .into_iter()
                .filter(|field| field.pointers.iter().any(|p| matches!(p.leads, Leads::ById(_))));
            referring.map(move |field| start.clone() + &camel(field.name)).collect::<Vec<_>>()
        };
        let details = Kind::ALL.iter().map(|kind| shapes(*kind)).filter(|shapes| shapes.len() == 1).flatten();
        let form = FORM.iter().flat_map(|shape| fields(*shape, shape.name() + "."));
        form.chain(details.flat_map(|shape| fields(*shape, String::new()))).collect()
    });
    REFERRING.contains(path)
}

/// Puts `{"object": 7}` where a change shows an opaque id, which names the tenant's number in this database.
pub(super) fn without_tenant(json: &mut Json, tenant: TenantId) {
    match json {
        Json::String(text) => {
            if let Some(id) = ObjectId::of_opaque(text).filter(|id| id.tenant == tenant) {
                *json = serde_json::json!({ "object": id.local });
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|entry| without_tenant(entry, tenant)),
        Json::Object(fields) => fields.values_mut().for_each(|value| without_tenant(value, tenant)),
        _ => {}
    }
}

/// The way back from [`without_tenant`]. `known` is told each id; it says whether an object can have had it.
pub(super) fn with_tenant(json: &mut Json, tenant: TenantId, known: &mut dyn FnMut(&Json) -> Option<i64>) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|entry| with_tenant(entry, tenant, known)),
        Json::Object(fields) => match (fields.len(), fields.get("object").filter(|id| id.is_number())) {
            (1, Some(id)) => {
                if let Some(local) = known(id) {
                    *json = ObjectId { tenant, local }.opaque().0.into();
                }
            }
            _ => fields.values_mut().for_each(|value| with_tenant(value, tenant, known)),
        },
        _ => {}
    }
}

fn single(value: &Value) -> Json {
    match value {
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Null | Value::Bytes(_) | Value::Ids(_) | Value::Texts(_) => Json::Null,
    }
}

/// The fields of a line. `secret` says what stands for a secret; with `None` it is left out.
pub(super) fn encode(
    table: &str,
    fields: Vec<Described>,
    cells: Vec<Cell>,
    secret: &mut dyn FnMut(&str, &Value) -> Option<Json>,
) -> Fields {
    let mut line = Fields::new();
    for (field, cell) in fields.into_iter().zip(cells) {
        if store::in_object_row(table, field.name) {
            continue;
        }
        let name = camel(field.name);
        let json = match (&cell, field.place) {
            (Cell::Value(value), _) if field.secret.is_some() => secret(&name, value),
            (Cell::Value(value), _) => Some(single(value)),
            (Cell::Rows(rows), Place::Rows(Rows { columns: [_], .. })) => {
                Some(rows.iter().flatten().map(single).collect())
            }
            (Cell::Rows(rows), Place::Rows(Rows { columns, .. })) => {
                // Sorted, since a map may or may not keep the order in which it is filled.
                let entry = |row: &Vec<Value>| {
                    let named: Fields = columns.iter().zip(row).map(|(c, v)| (camel(c), single(v))).collect();
                    Json::Object(named.into_iter().collect())
                };
                Some(rows.iter().map(entry).collect())
            }
            (Cell::Rows(_), Place::Column) => None,
        };
        line.extend(json.map(|json| (name, json)));
    }
    line
}

/// Opens what stands for a secret.
pub(super) type Open<'a> = &'a dyn Fn(Kept, &str, &str) -> std::result::Result<Value, Problem>;

/// The cells of a line's fields: what is left out is blank, what is not known is reported. `None` when a cell is missing
/// that nobody can guess.
pub(super) fn decode(
    table: &str,
    described: Vec<Described>,
    mut fields: Fields,
    open: Open<'_>,
    report: &mut dyn FnMut(Problem),
) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    for field in described {
        let name = camel(field.name);
        let sent = if store::in_object_row(table, field.name) { None } else { fields.remove(&name) };
        let cell = match (sent, field.place, field.secret) {
            (None, _, _) => field.blank.clone().ok_or_else(|| vec![Problem::new(Code::Required, "is required")]),
            (Some(Json::String(text)), _, Some(kept)) => open(kept, &name, &text).map(Cell::Value).map_err(|p| vec![p]),
            (Some(json), Place::Column, _) => plain(json).map(Cell::Value).map_err(|p| vec![p]),
            (Some(json), Place::Rows(rows), _) => entries(json, rows, &field.entry).map(Cell::Rows),
        };
        cells.push(cell.map_or_else(
            |problems| {
                problems.into_iter().for_each(|problem| report(problem.under(&name)));
                field.blank
            },
            Some,
        ));
    }
    for unknown in fields.into_keys() {
        report(Problem::new(Code::NotFound, "is not a field that this program knows here").under(unknown));
    }
    cells.into_iter().collect()
}

fn plain(json: Json) -> std::result::Result<Value, Problem> {
    let wrong = |rule: &str, json: &Json| Err(Problem::new(Code::InvalidFormat, rule).value(json));
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(b) => Ok(b.into()),
        Json::Number(ref n) => {
            n.as_i64().map_or_else(|| wrong("must be a whole number of 64 bits", &json), |n| Ok(n.into()))
        }
        // PostgreSQL cannot keep it.
        Json::String(ref text) if text.contains('\0') => wrong("must not contain the character NUL", &json),
        Json::String(text) => Ok(text.into()),
        Json::Array(_) | Json::Object(_) => wrong("must be a single value", &json),
    }
}

fn entries(json: Json, rows: Rows, blank: &[Option<Value>]) -> std::result::Result<Vec<Vec<Value>>, Vec<Problem>> {
    let Json::Array(list) = json else { return Err(vec![Problem::new(Code::InvalidFormat, "must be a list")]) };
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (i, json) in list.into_iter().enumerate() {
        let mut report = |problem: Problem| problems.push(problem.under(i));
        match (json, rows.columns) {
            (json, [_]) => entries.extend(plain(json).map(|value| vec![value]).map_err(&mut report)),
            (Json::Object(fields), columns) => entries.extend(entry(fields, columns, blank, &mut report)),
            _ => report(Problem::new(Code::InvalidFormat, "must be an entry with named fields")),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

fn entry(
    mut fields: Map<String, Json>,
    columns: &[&str],
    blank: &[Option<Value>],
    report: &mut dyn FnMut(Problem),
) -> Option<Vec<Value>> {
    let mut row = Vec::new();
    for (column, blank) in columns.iter().zip(blank) {
        let name = camel(column);
        let value = match fields.remove(&name) {
            Some(json) => plain(json),
            None => blank.clone().ok_or_else(|| Problem::new(Code::Required, "is required")),
        };
        row.push(value.map_err(|problem| report(problem.under(&name))).ok());
    }
    for unknown in fields.into_iter().map(|(name, _)| name) {
        report(Problem::new(Code::NotFound, "is not a field that this program knows here").under(unknown));
    }
    row.into_iter().collect()
}
