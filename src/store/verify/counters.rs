//! The counters of a tenant: whether they can be counted on, and agree with what they count.

use super::super::error::Result;
use super::super::objects::ObjectRow;
use super::super::session::{Query, column};
use crate::domain::{Counter, DateTime};
use crate::form::{Cell, Place, Section};

const TENANT: &str = "SELECT next_object, revision, created_at FROM tenant WHERE tenant_id = $1";
const CHANGES: &str = "SELECT c.object_id, c.version, c.changed_at, o.version
  FROM change c LEFT JOIN pbx_object o ON o.tenant_id = $1 AND o.object_id = c.object_id WHERE c.tenant_id = $1";

/// Whether a counter stands where something can still be counted.
fn at_its_end(place: &str, counter: Counter, value: i64) -> Option<String> {
    let most = counter.max() - 1;
    (value > most).then(|| format!("{place}: must be at most {most}, or nothing can be counted; it is {value}"))
}

fn out_of_range(place: &str, value: i64) -> Option<String> {
    let (first, last) = (DateTime::FIRST, DateTime::LAST);
    let rule = format!("must be a moment that can be shown, {first} to {last}");
    (!DateTime(value).is_shown()).then(|| format!("{place}: {rule}; it is {value}"))
}

/// What is wrong with the counters in the tenant's own row.
pub(super) fn of_tenant(query: &mut Query<'_>) -> Result<Vec<String>> {
    let Some(row) = query.first(TENANT, &[])? else { return Ok(Vec::new()) };
    let (next, revision, created_at) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
    let negative = (revision < 0).then(|| format!("tenant.revision: must be 0 or more; it is {revision}"));
    Ok([
        at_its_end("tenant.next_object", Counter::NextObject, next),
        at_its_end("tenant.revision", Counter::Revision, revision),
        negative,
        out_of_range("tenant.created_at", created_at),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// What is wrong with the counter and the moments of an object's row.
pub(super) fn of_object(row: &ObjectRow) -> impl Iterator<Item = String> {
    let (id, version) = (row.id.local, row.version);
    let place = |column: &str| format!("pbx_object[{id}].{column}");
    let none = (version < 1).then(|| format!("{}: must be 1 or more", place("version")));
    [
        none,
        at_its_end(&place("version"), Counter::Version, version),
        out_of_range(&place("created_at"), row.created_at.0),
        out_of_range(&place("changed_at"), row.changed_at.0),
    ]
    .into_iter()
    .flatten()
}

/// What is wrong with the numbers of the history, besides those of the tenant's revisions. A next change of the same
/// version could not be kept; nor could one of a new object under a key that the history knows.
pub(super) fn of_changes(query: &mut Query<'_>, next: i64, found: &mut Vec<String>) -> Result<()> {
    query.each(CHANGES, &[], &mut |row| {
        let (object, version, at) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
        let place = format!("change[{object}.{version}]");
        if let Some(newest) = row.get(3).and_then(crate::domain::Value::int).filter(|newest| version > *newest) {
            found.push(format!("{place}.version: must be at most {newest}, the object's version"));
        }
        if object >= next {
            found.push(format!("{place}.object_id: must be less than the tenant's next_object, {next}"));
        }
        found.extend(out_of_range(&format!("{place}.changed_at"), at));
        Ok(())
    })
}

/// What is wrong with the moments of a section. Reading it has asked the rules of all other whole numbers, and keys are
/// a matter of foreign keys.
pub(super) fn of_section(id: i64, row: &dyn Section) -> Vec<String> {
    let mut found = Vec::new();
    for (field, value) in row.fields() {
        let leads = |column: &str| field.pointers.iter().any(|pointer| pointer.column == column);
        let place = format!("{}[{id}].{}", row.info().table, field.name);
        match (value.store(), field.place) {
            (Cell::Value(value), _) if !leads(field.name) => {
                found.extend(value.int().and_then(|value| out_of_range(&place, value)));
            }
            (Cell::Rows(rows), Place::Rows(list)) => {
                for (i, row) in rows.iter().enumerate() {
                    let values = list.columns.iter().zip(row).filter(|(column, _)| !leads(column));
                    found.extend(
                        values.filter_map(|(column, value)| {
                            out_of_range(&format!("{place}[{i}].{column}"), value.int()?)
                        }),
                    );
                }
            }
            (Cell::Value(_), _) | (Cell::Rows(_), Place::Column) => {}
        }
    }
    found
}
