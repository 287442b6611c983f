//! Converts sections and details, whatever their type, between the cells of the store and the fields of a line.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde_json::{Map, Value as Json};

use super::format::JsonFields;
use crate::domain::{Code, Kind, ObjectId, Problem, SecretStorage, TenantId, Value};
use crate::form::{Cell, Form, Place, Pointer, ReferenceBy, Rows, Section, SectionInfo, camel};
use crate::objects::{KindInfo, infos};
use crate::store;

/// The sections of a kind with a form, or the detail of any other kind.
pub(super) fn sections_of(kind: Kind) -> Vec<&'static SectionInfo> {
    match KindInfo::for_kind(kind) {
        None => Form::infos().to_vec(),
        Some(info) => vec![info.detail],
    }
}

/// The section or detail with this name.
pub(super) fn section_by_name(name: &str) -> Option<&'static SectionInfo> {
    static NAMED: LazyLock<HashMap<&str, &SectionInfo>> =
        LazyLock::new(|| infos().map(|info| (info.client_name.as_str(), info)).collect());
    NAMED.get(name).copied()
}

/// Whether change records of this path may hold ids. In a form, the path begins with the section.
pub(super) fn may_hold_ids(path: &str) -> bool {
    static REFERRING: LazyLock<HashSet<String>> = LazyLock::new(|| {
        let fields = |info: &'static SectionInfo, start: String| {
            let leads = |pointer: &Pointer| matches!(pointer.by, ReferenceBy::Id(_));
            let referring = info.fields.iter().filter(move |field| field.pointers.iter().any(leads));
            referring.map(move |field| start.clone() + &field.client_name)
        };
        let form = Form::infos().iter().flat_map(|info| fields(info, format!("{}.", info.client_name)));
        form.chain(KindInfo::all().iter().flat_map(|kind| fields(kind.detail, String::new()))).collect()
    });
    REFERRING.contains(path)
}

/// Replaces opaque ids in a change by `{"object": 7}`, because an opaque id contains the tenant's number in this
/// database.
pub(super) fn strip_tenant(json: &mut Json, tenant: TenantId) {
    match json {
        Json::String(text) => {
            if let Some(id) = ObjectId::from_opaque(text).filter(|id| id.tenant == tenant) {
                *json = serde_json::json!({ "object": id.local });
            }
        }
        Json::Array(list) => list.iter_mut().for_each(|entry| strip_tenant(entry, tenant)),
        Json::Object(fields) => fields.values_mut().for_each(|value| strip_tenant(value, tenant)),
        _ => {}
    }
}

/// The reverse of [`strip_tenant`]. `resolve` checks each id and returns it if an object can have it.
pub(super) fn add_tenant(json: &mut Json, tenant: TenantId, resolve: &mut dyn FnMut(&Json) -> Option<i64>) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|entry| add_tenant(entry, tenant, resolve)),
        Json::Object(fields) => match (fields.len(), fields.get("object").filter(|id| id.is_number())) {
            (1, Some(id)) => {
                if let Some(local) = resolve(id) {
                    *json = ObjectId { tenant, local }.opaque().into();
                }
            }
            _ => fields.values_mut().for_each(|value| add_tenant(value, tenant, resolve)),
        },
        _ => {}
    }
}

fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(b) => (*b).into(),
        Value::Int(n) => (*n).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Null | Value::Bytes(_) | Value::Ids(_) | Value::Texts(_) => Json::Null,
    }
}

/// Encodes a section as the fields of a line. `secret` encodes a secret; when it returns `None`, the field is left out.
pub(super) fn encode(section: &dyn Section, secret: &mut dyn FnMut(&str, &Value) -> Option<Json>) -> JsonFields {
    let mut line = JsonFields::new();
    for (field, value) in section.fields() {
        if store::is_in_object_row(section.info().table, field.name) {
            continue;
        }
        let (name, cell) = (&field.client_name, value.store());
        let json = match (&cell, field.place) {
            (Cell::Value(value), _) if field.secret.is_some() => secret(name, value),
            (Cell::Value(value), _) => Some(to_json(value)),
            (Cell::Rows(rows), Place::Rows(Rows { columns: [_], .. })) => {
                Some(rows.iter().flatten().map(to_json).collect())
            }
            (Cell::Rows(rows), Place::Rows(Rows { columns, .. })) => {
                // Sorted, since a map may or may not keep the order in which it is filled.
                let entry = |row: &Vec<Value>| {
                    let named: JsonFields = columns.iter().zip(row).map(|(c, v)| (camel(c), to_json(v))).collect();
                    Json::Object(named.into_iter().collect())
                };
                Some(rows.iter().map(entry).collect())
            }
            (Cell::Rows(_), Place::Column) => None,
        };
        line.extend(json.map(|json| (name.clone(), json)));
    }
    line
}

/// Opens an encoded secret.
pub(super) type OpenSecret<'a> = &'a dyn Fn(SecretStorage, &str, &str) -> Result<Value, Problem>;

/// Decodes the fields of a line to cells. A field that is left out is blank; unknown fields are reported. `None` when a
/// field that has no blank value is missing or invalid.
pub(super) fn decode(
    info: &SectionInfo,
    mut fields: JsonFields,
    open: OpenSecret<'_>,
    report: &mut dyn FnMut(Problem),
) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    for field in &info.fields {
        let name = &field.client_name;
        let sent = if store::is_in_object_row(info.table, field.name) { None } else { fields.remove(name) };
        let cell = match (sent, field.place, field.secret) {
            (None, _, _) => field.blank.clone().ok_or_else(|| vec![Problem::new(Code::Required, "is required")]),
            (Some(Json::String(text)), _, Some(kept)) => open(kept, name, &text).map(Cell::Value).map_err(|p| vec![p]),
            (Some(json), Place::Column, _) => to_value(json).map(Cell::Value).map_err(|p| vec![p]),
            (Some(json), Place::Rows(rows), _) => decode_rows(json, rows, &field.entry_defaults).map(Cell::Rows),
        };
        cells.push(cell.map_or_else(
            |problems| {
                problems.into_iter().for_each(|problem| report(problem.under(name)));
                field.blank.clone()
            },
            Some,
        ));
    }
    for unknown in fields.into_keys() {
        report(Problem::new(Code::NotFound, "is not a field that this program knows here").under(unknown));
    }
    cells.into_iter().collect()
}

fn to_value(json: Json) -> Result<Value, Problem> {
    let wrong = |rule: &str, json: &Json| Err(Problem::new(Code::InvalidFormat, rule).value(json));
    match json {
        Json::Null => Ok(Value::Null),
        Json::Bool(b) => Ok(b.into()),
        Json::Number(ref n) => {
            n.as_i64().map_or_else(|| wrong("must be a whole number of 64 bits", &json), |n| Ok(n.into()))
        }
        // PostgreSQL cannot store it.
        Json::String(ref text) if text.contains('\0') => wrong("must not contain the character NUL", &json),
        Json::String(text) => Ok(text.into()),
        Json::Array(_) | Json::Object(_) => wrong("must be a single value", &json),
    }
}

fn decode_rows(json: Json, rows: Rows, blank: &[Option<Value>]) -> Result<Vec<Vec<Value>>, Vec<Problem>> {
    let Json::Array(list) = json else { return Err(vec![Problem::new(Code::InvalidFormat, "must be a list")]) };
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (i, json) in list.into_iter().enumerate() {
        let mut report = |problem: Problem| problems.push(problem.under(i));
        match (json, rows.columns) {
            (json, [_]) => entries.extend(to_value(json).map(|value| vec![value]).map_err(&mut report)),
            (Json::Object(fields), columns) => entries.extend(decode_row(fields, columns, blank, &mut report)),
            _ => report(Problem::new(Code::InvalidFormat, "must be an entry with named fields")),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(problems) }
}

fn decode_row(
    mut fields: Map<String, Json>,
    columns: &[&str],
    blank: &[Option<Value>],
    report: &mut dyn FnMut(Problem),
) -> Option<Vec<Value>> {
    let mut row = Vec::new();
    for (column, blank) in columns.iter().zip(blank) {
        let name = camel(column);
        let value = match fields.remove(&name) {
            Some(json) => to_value(json),
            None => blank.clone().ok_or_else(|| Problem::new(Code::Required, "is required")),
        };
        row.push(value.map_err(|problem| report(problem.under(&name))).ok());
    }
    for unknown in fields.into_iter().map(|(name, _)| name) {
        report(Problem::new(Code::NotFound, "is not a field that this program knows here").under(unknown));
    }
    row.into_iter().collect()
}
