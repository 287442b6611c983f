//! Checks the counters of a tenant: whether they can still count up, and agree with the rows. Checks times as well.

use super::super::error::Result;
use super::super::objects::ObjectRow;
use super::super::session::{Query, column};
use crate::domain::{Counter, DateTime};
use crate::form::{Cell, Place, Section};

const TENANT: &str = "SELECT next_object, revision, created_at FROM tenant WHERE tenant_id = $1";
const CHANGES: &str = "SELECT c.object_id, c.version, c.changed_at, o.version
  FROM change c LEFT JOIN pbx_object o ON o.tenant_id = $1 AND o.object_id = c.object_id WHERE c.tenant_id = $1";

/// A problem if the counter has reached its maximum.
fn exhausted_counter(place: &str, counter: Counter, value: i64) -> Option<String> {
    let most = counter.max() - 1;
    (value > most).then(|| format!("{place}: must be at most {most}, or it cannot count any further; it is {value}"))
}

fn time_out_of_range(place: &str, value: i64) -> Option<String> {
    let (first, last) = (DateTime::FIRST, DateTime::LAST);
    let rule = format!("must be a moment that can be shown, {first} to {last}");
    (!DateTime(value).is_shown()).then(|| format!("{place}: {rule}; it is {value}"))
}

/// The problems of the counters in the tenant's own row.
pub(super) fn tenant_problems(query: &mut Query<'_>) -> Result<Vec<String>> {
    let Some(row) = query.first(TENANT, &[])? else { return Ok(Vec::new()) };
    let (next, revision, created_at) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
    let negative = (revision < 0).then(|| format!("tenant.revision: must be 0 or more; it is {revision}"));
    Ok([
        exhausted_counter("tenant.next_object", Counter::NextObject, next),
        exhausted_counter("tenant.revision", Counter::Revision, revision),
        negative,
        time_out_of_range("tenant.created_at", created_at),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// The problems of the version and the times in an object's row.
pub(super) fn object_problems(row: &ObjectRow) -> impl Iterator<Item = String> {
    let (id, version) = (row.id.local, row.version);
    let place = |column: &str| format!("pbx_object[{id}].{column}");
    let none = (version < 1).then(|| format!("{}: must be 1 or more", place("version")));
    [
        none,
        exhausted_counter(&place("version"), Counter::Version, version),
        time_out_of_range(&place("created_at"), row.created_at.0),
        time_out_of_range(&place("changed_at"), row.changed_at.0),
    ]
    .into_iter()
    .flatten()
}

/// The problems of the numbers in the change history, except the tenant's revisions. A history ahead of its object or
/// of the tenant's next object id would make a later change fail, because its key would exist already.
pub(super) fn changes_problems(query: &mut Query<'_>, next: i64, problems: &mut Vec<String>) -> Result<()> {
    query.for_each_row(CHANGES, &[], &mut |row| {
        let (object, version, at) = (column!(row, 0, int)?, column!(row, 1, int)?, column!(row, 2, int)?);
        let place = format!("change[{object}.{version}]");
        if let Some(newest) = row.get(3).and_then(crate::domain::Value::int).filter(|newest| version > *newest) {
            problems.push(format!("{place}.version: must be at most {newest}, the object's version"));
        }
        if object >= next {
            problems.push(format!("{place}.object_id: must be less than the tenant's next_object, {next}"));
        }
        problems.extend(time_out_of_range(&format!("{place}.changed_at"), at));
        Ok(())
    })
}

/// The problems of the times in a section. All other integers have been checked when the section was read, and ids are
/// checked by foreign keys.
pub(super) fn section_problems(id: i64, row: &dyn Section) -> Vec<String> {
    let mut problems = Vec::new();
    for (field, value) in row.fields() {
        let leads = |column: &str| field.pointers.iter().any(|pointer| pointer.column == column);
        let place = format!("{}[{id}].{}", row.info().table, field.name);
        match (value.store(), field.place) {
            (Cell::Value(value), _) if !leads(field.name) => {
                problems.extend(value.int().and_then(|value| time_out_of_range(&place, value)));
            }
            (Cell::Rows(rows), Place::Rows(list)) => {
                for (i, row) in rows.iter().enumerate() {
                    let values = list.columns.iter().zip(row).filter(|(column, _)| !leads(column));
                    problems.extend(values.filter_map(|(column, value)| {
                        time_out_of_range(&format!("{place}[{i}].{column}"), value.int()?)
                    }));
                }
            }
            (Cell::Value(_), _) | (Cell::Rows(_), Place::Column) => {}
        }
    }
    problems
}
