//! A look at a database from outside, also while servers write to it: one state of it, and nothing changes, neither in it
//! nor beside it.

use std::collections::BTreeMap;

use super::error::Result;
use super::session::Session;
use crate::domain::Value;

/// One state of a database. What reads it blocks, and must not be called from an async task.
pub trait Look {
    /// A session for the rows.
    fn session(&mut self) -> &mut dyn Session;

    /// What the engine itself finds wrong, a line each; nothing where a server looks after its database.
    fn damage(&mut self) -> Vec<String>;

    /// How many rows each table has.
    ///
    /// # Errors
    /// One sentence when that cannot be counted.
    fn tables(&mut self) -> std::result::Result<BTreeMap<String, u64>, String>;

    /// The time of the database's server in epoch milliseconds; `None` where the database has no clock of its own.
    ///
    /// # Errors
    /// One sentence when the server does not say.
    fn now(&mut self) -> std::result::Result<Option<i64>, String>;

    /// Whether somebody has begun to write what was thought to be at rest: then what was read may not be of one state,
    /// and a second look is needed.
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

/// The last moment at which anything was written to a database whose schema is this program's, by the clocks of those
/// who wrote; in epoch milliseconds.
///
/// # Errors
/// What the engine answers.
pub fn newest(session: &mut dyn Session) -> Result<Option<i64>> {
    Ok(session.first(NEWEST, &[])?.and_then(|row| row.first().and_then(Value::int)))
}
