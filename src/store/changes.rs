//! History: who changed which field of what, and when.

use super::error::Result;
use super::session::{Query, Tx, column};
use crate::form::Change;

/// Who changed which fields of an object, and when.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The object's key.
    pub object: i64,
    /// The version that the change made.
    pub version: i64,
    /// The name of the token that asked for it.
    pub actor: &'a str,
    /// When, in epoch milliseconds.
    pub at: i64,
    /// The fields.
    pub changes: &'a [Change],
}

const INSERT: &str =
    "INSERT INTO change (tenant_id, object_id, version, revision, changed_at, actor) VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_FIELD: &str = "INSERT INTO change_field (tenant_id, object_id, version, path, before_value, after_value)
  VALUES ($1, $2, $3, $4, $5, $6)";
const SINCE: &str = "SELECT f.path, c.actor, c.version
  FROM change_field f JOIN change c ON c.tenant_id = f.tenant_id AND c.object_id = f.object_id AND c.version = f.version
  WHERE f.tenant_id = $1 AND f.object_id = $2 AND f.version > $3 ORDER BY f.path, f.version";

/// Keeps a change.
///
/// # Errors
/// What the engine answers.
pub fn record(tx: &mut Tx<'_>, record: &Record<'_>) -> Result<()> {
    let Record { object, version, actor, at, changes } = *record;
    let revision = tx.revision();
    tx.later(INSERT, &[object.into(), version.into(), revision.into(), at.into(), actor.into()])?;
    for change in changes {
        let (before, after) = (change.before.to_string(), change.after.to_string());
        tx.later(
            INSERT_FIELD,
            &[object.into(), version.into(), change.path.as_str().into(), before.into(), after.into()],
        )?;
    }
    Ok(())
}

/// The fields of an object that have changed since a version: path and who changed it last, in order of path.
///
/// # Errors
/// What the engine answers.
pub fn changed_since(query: &mut Query<'_>, object: i64, version: i64) -> Result<Vec<(String, String)>> {
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
