//! The change history: who changed which field of which object, and when.

use super::error::Result;
use super::session::{Query, Tx, column};
use crate::form::Change;

/// A change of an object, to be recorded.
#[derive(Clone, Debug)]
pub struct NewChange<'a> {
    /// The object's id.
    pub object: i64,
    /// The object's version after the change.
    pub version: i64,
    /// The name of the token that made the change.
    pub actor: &'a str,
    /// The time in epoch milliseconds.
    pub at: i64,
    /// The changed fields.
    pub changes: &'a [Change],
}

const INSERT: &str =
    "INSERT INTO change (tenant_id, object_id, version, revision, changed_at, actor) VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_FIELD: &str = "INSERT INTO change_field (tenant_id, object_id, version, path, before_value, after_value)
  VALUES ($1, $2, $3, $4, $5, $6)";
const SINCE: &str = "SELECT f.path, c.actor, c.version
  FROM change_field f JOIN change c ON c.tenant_id = f.tenant_id AND c.object_id = f.object_id AND c.version = f.version
  WHERE f.tenant_id = $1 AND f.object_id = $2 AND f.version > $3 ORDER BY f.path, f.version";

/// Inserts a change record.
///
/// # Errors
/// An engine error.
pub fn insert_change(tx: &mut Tx<'_>, record: &NewChange<'_>) -> Result<()> {
    let NewChange { object, version, actor, at, changes } = *record;
    let revision = tx.revision();
    tx.execute_later(INSERT, &[object.into(), version.into(), revision.into(), at.into(), actor.into()])?;
    for change in changes {
        let (before, after) = (change.before.to_string(), change.after.to_string());
        tx.execute_later(
            INSERT_FIELD,
            &[object.into(), version.into(), change.path.as_str().into(), before.into(), after.into()],
        )?;
    }
    Ok(())
}

/// The fields of an object that have changed since a version: the path, and who changed it last. Sorted by path.
///
/// # Errors
/// An engine error.
pub fn fields_changed_since(query: &mut Query<'_>, object: i64, version: i64) -> Result<Vec<(String, String)>> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for row in query.rows(SINCE, &[object.into(), version.into()])? {
        let (path, actor) = (column!(row, 0, text)?.to_owned(), column!(row, 1, text)?.to_owned());
        match fields.last_mut() {
            Some(last) if last.0 == path => last.1 = actor,
            _ => fields.push((path, actor)),
        }
    }
    Ok(fields)
}
