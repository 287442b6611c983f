//! Reads one state of a database from outside, even while servers write to it. This changes neither the database nor
//! any file next to it.

use std::collections::BTreeMap;

use super::error::Result;
use super::session::Session;
use crate::domain::Value;

/// A read-only view of one state of a database. Its methods block and must not be called from an async task.
pub trait DatabaseView {
    /// A session that reads the rows.
    fn session(&mut self) -> &mut dyn Session;

    /// The damage that the engine itself finds, one line for each; nothing if a server checks its own database.
    fn damage(&mut self) -> Vec<String>;

    /// The number of rows of each table.
    ///
    /// # Errors
    /// One sentence if the rows cannot be counted.
    fn tables(&mut self) -> std::result::Result<BTreeMap<String, u64>, String>;

    /// The time of the database server in epoch milliseconds; `None` if the database has no clock of its own.
    ///
    /// # Errors
    /// One sentence if the server does not answer.
    fn now(&mut self) -> std::result::Result<Option<i64>, String>;

    /// Whether another process has started to write a file that seemed unused. The rows read may then belong to
    /// different states, and a new view is needed.
    fn is_disturbed(&self) -> bool;
}

const NEWEST: &str = "SELECT max(moment) FROM (
  SELECT max(applied_at) AS moment FROM migration
  UNION ALL SELECT max(created_at) FROM sealing_key
  UNION ALL SELECT max(created_at) FROM tenant
  UNION ALL SELECT max(created_at) FROM token
  UNION ALL SELECT max(revoked_at) FROM token
  UNION ALL SELECT max(changed_at) FROM pbx_object
  UNION ALL SELECT max(changed_at) FROM change
) AS moments";

/// The latest time in any row, by the clocks of the writers, in epoch milliseconds. The database must have the schema
/// of this program.
///
/// # Errors
/// An engine error.
pub fn last_written_at(session: &mut dyn Session) -> Result<Option<i64>> {
    Ok(session.first(NEWEST, &[])?.and_then(|row| row.first().and_then(Value::int)))
}
