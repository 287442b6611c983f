//! Values that only one object of a tenant may have.

use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use super::error::Result;
use super::sections::{get_or_leak, leak_sql};
use super::session::{Query, column};
use crate::domain::{Code, ObjectId, Problem, Value};
use crate::form::{Cell, Section, camel};
use crate::objects::KindInfo;

/// The problems of a detail whose unique values another object of the tenant already has, see [`KindInfo::unique`].
///
/// # Errors
/// An engine error.
pub fn taken_values(
    query: &mut Query<'_>,
    kind: &'static KindInfo,
    detail: &dyn Section,
    own: Option<ObjectId>,
) -> Result<Vec<Problem>> {
    static CACHE: OnceLock<RwLock<HashMap<(&'static str, usize), &'static &'static str>>> = OnceLock::new();
    let value = |column: &&str| match detail.fields().find(|(field, _)| field.name == *column)?.1.store() {
        Cell::Value(value) => Some(value),
        Cell::Rows(_) => None,
    };
    let mut problems = Vec::new();
    for (i, columns) in kind.unique.iter().enumerate() {
        let values: Vec<Value> = columns.iter().filter_map(value).collect();
        let Some(first) = values.first().filter(|v| ![Value::Null, false.into(), "".into()].contains(*v)) else {
            continue;
        };
        let sql = get_or_leak(CACHE.get_or_init(RwLock::default), (kind.detail.table, i), || {
            let equal = columns.iter().enumerate().map(|(i, column)| format!(" AND s.{column} = ${}", i + 2));
            leak_sql(format!(
                "SELECT o.object_id, o.name FROM {} s JOIN pbx_object o ON o.tenant_id = s.tenant_id \
                 AND o.object_id = s.object_id WHERE s.tenant_id = $1{} ORDER BY o.object_id LIMIT 2",
                kind.detail.table,
                equal.collect::<String>()
            ))
        });
        for row in query.rows(sql, &values)? {
            let other = ObjectId { tenant: query.tenant(), local: column!(row, 0, int)? };
            if own != Some(other) {
                let problem = Problem::new(Code::Taken, format!("is already used by {}", column!(row, 1, text)?));
                let shown = first.text().map_or_else(|| format!("{}", first.int().unwrap_or(1)), str::to_owned);
                problems.push(problem.value(shown).related(other).under(camel(columns[0])));
            }
        }
    }
    Ok(problems)
}
