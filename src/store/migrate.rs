//! The schema's history: files that are applied once, in order, and never changed afterwards.

use sha2::{Digest, Sha256};

use super::error::{Result, StoreError};
use super::session::Session;
use super::sqlite::SqliteSession;

/// One file of a `migrations` folder.
struct Migration {
    name: &'static str,
    sql: &'static str,
}

/// The files of the folder in order, as `build.rs` lists them.
///
/// How to add one: a new file in each engine's folder, with the next number and the same name. What has been released
/// is never changed: databases know its checksum.
const MIGRATIONS: &[Migration] = include!(concat!(env!("OUT_DIR"), "/sqlite.rs"));

impl Migration {
    fn checksum(&self) -> String {
        Sha256::digest(self.sql).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migration (
  number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL
) STRICT";
const APPLIED: &str = "SELECT number, name, checksum FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

/// What a database still lacks.
///
/// # Errors
/// One sentence when the database is newer than this program or was made by other migrations.
fn pending(session: &mut dyn Session) -> std::result::Result<&'static [Migration], String> {
    let applied = session.rows(APPLIED, &[]).map_err(|e| e.to_string())?;
    for (i, row) in applied.iter().enumerate() {
        let (number, name) = (row[0].int().unwrap_or_default(), row[1].text().unwrap_or_default());
        let Some(known) = MIGRATIONS.get(i) else {
            return Err(format!(
                "the database is newer than this program: it has the migration {name} ({number}); use a newer vext"
            ));
        };
        if known.name != name || row[2].text() != Some(&known.checksum()) {
            return Err(format!(
                "the database's migration {name} is not the one of this program: it was made by another build"
            ));
        }
    }
    Ok(&MIGRATIONS[applied.len()..])
}

/// The names of the migrations that a database lacks. Reads only, except for the table of migrations itself.
pub(super) fn missing(session: &mut SqliteSession<'_>) -> std::result::Result<Vec<String>, String> {
    session.batch(CREATE).map_err(|e| e.to_string())?;
    Ok(pending(session)?.iter().map(|m| m.name.to_owned()).collect())
}

/// Applies what is missing in one transaction and names it.
pub(super) fn apply(session: &mut SqliteSession<'_>, now: i64) -> std::result::Result<Vec<String>, String> {
    session.batch("BEGIN IMMEDIATE").map_err(|e| e.to_string())?;
    let applied = steps(session, now);
    let end = if applied.is_ok() { "COMMIT" } else { "ROLLBACK" };
    session.batch(end).map_err(|e| e.to_string()).and(applied)
}

fn steps(session: &mut SqliteSession<'_>, now: i64) -> std::result::Result<Vec<String>, String> {
    session.batch(CREATE).map_err(|e| e.to_string())?;
    let mut names = Vec::new();
    for migration in pending(session)? {
        run(session, migration, now).map_err(|e| format!("the migration {} failed: {e}", migration.name))?;
        names.push(migration.name.to_owned());
    }
    session.claim().map_err(|e| e.to_string())?;
    Ok(names)
}

fn run(session: &mut SqliteSession<'_>, migration: &Migration, now: i64) -> Result<()> {
    session.batch(migration.sql)?;
    let number = migration.name.split('_').next().and_then(|n| n.parse::<i64>().ok());
    let number = number.ok_or_else(|| StoreError::Bug(format!("{} has no number", migration.name)))?;
    session.execute(RECORD, &[number.into(), migration.name.into(), migration.checksum().into(), now.into()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::Manager;
    use std::path::Path;
    use std::sync::Arc;

    fn fresh(test: impl FnOnce(&mut SqliteSession<'_>)) {
        let connection = Manager::new(Path::new(":memory:"), false).open().unwrap();
        test(&mut SqliteSession::new(&connection, &Arc::default()));
    }

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for (i, migration) in MIGRATIONS.iter().enumerate() {
            assert!(migration.name.starts_with(&format!("{:04}_", i + 1)), "{}", migration.name);
        }
    }

    #[test]
    fn applying_twice_changes_nothing() {
        fresh(|session| {
            assert_eq!(apply(session, 1).unwrap().len(), MIGRATIONS.len());
            assert_eq!(apply(session, 2).unwrap(), [] as [&str; 0]);
        });
    }

    #[test]
    fn a_newer_and_a_foreign_schema_are_refused() {
        fresh(|session| {
            apply(session, 1).unwrap();
            let next = MIGRATIONS.len() as i64 + 1;
            session.execute(RECORD, &[next.into(), "9999_future".into(), "x".into(), 1.into()]).unwrap();
            assert!(apply(session, 2).unwrap_err().contains("newer than this program"));
        });
        fresh(|session| {
            apply(session, 1).unwrap();
            session.execute("UPDATE migration SET checksum = $1 WHERE number = $2", &["x".into(), 1.into()]).unwrap();
            assert!(apply(session, 2).unwrap_err().contains("another build"));
        });
    }
}
