//! The schema's history: files that are applied once, in order, and never changed afterwards.

use super::backfill;
use super::connection::{BRING_BACK, Connection, DatabaseState};
use super::engine::{Database, Manager, apart};
use super::error::{Result, StoreError};
use super::migrations::Migration;
use super::session::Session;
use crate::domain::{Row, Value};

/// The migration that adds what only the program can fill in: folded names and words.
const FINDING: &str = "0006_finding";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migration (
  number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
)";
const APPLIED: &str = "SELECT number, name, checksum FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

type Said<T> = std::result::Result<T, String>;

fn said(error: StoreError) -> String {
    error.to_string()
}

/// What a database still lacks.
///
/// # Errors
/// One sentence when the database is newer than this program or was made by other migrations.
fn pending(session: &mut dyn Session, known: &'static [Migration]) -> Said<&'static [Migration]> {
    let applied = session.rows(APPLIED, &[]).map_err(said)?;
    for (i, row) in applied.iter().enumerate() {
        let (number, name) = (row[0].int().unwrap_or_default(), row[1].text().unwrap_or_default());
        let Some(known) = known.get(i) else {
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
    Ok(&known[applied.len()..])
}

/// Whether a database has exactly these migrations.
///
/// # Errors
/// What the engine answers.
pub(super) fn is_current(session: &mut dyn Session, known: &[Migration]) -> Result<bool> {
    let applied = session.rows(APPLIED, &[])?;
    let same = |(row, known): (&Row, &Migration)| row[2].text() == Some(&known.checksum());
    Ok(applied.len() == known.len() && applied.iter().zip(known).all(same))
}

/// The names of the migrations that a SQLite file lacks.
///
/// # Errors
/// One sentence when the file is newer than this program or was made by other migrations.
pub(super) fn lacking_in_file(session: &mut dyn Session) -> Said<Vec<String>> {
    pending(session, Migration::SQLITE).map(names)
}

/// The names of the migrations that a database lacks, of which one state is looked at.
///
/// # Errors
/// One sentence when the database is newer than this program or was made by other migrations.
pub fn migrations_lacking(database: &Database, session: &mut dyn Session) -> Said<Vec<String>> {
    pending(session, database.migrations()).map(names)
}

fn names(migrations: &[Migration]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name.to_owned()).collect()
}

/// The names of the migrations that a database lacks. Changes nothing.
///
/// # Errors
/// One sentence on why the database cannot be used.
pub fn missing_migrations(database: &Database) -> Said<Vec<String>> {
    match database.inspect()? {
        DatabaseState::Nothing => Ok(names(database.migrations())),
        DatabaseState::Ours => {
            on(database, |connection| Ok(names(pending(connection.session(), database.migrations())?)))
        }
    }
}

/// Applies what is missing to a database that has been inspected, in one transaction, and names it.
///
/// # Errors
/// One sentence on why the database cannot be used; nothing is applied then.
pub fn migrate(database: &Database, now: i64) -> Said<Vec<String>> {
    on(database, |connection| {
        connection.begin_write().map_err(said)?;
        match steps(connection, database.migrations(), now) {
            Ok(applied) => connection.commit().map_err(said).map(|()| applied),
            Err(why) => {
                connection.rollback();
                Err(why)
            }
        }
    })
}

const KEY: &str = "SELECT key_id FROM sealing_key";
const REMEMBER_KEY: &str = "INSERT INTO sealing_key (key_id, created_at) VALUES ($1, $2)";

/// Ties a database to the key that seals its secrets. `false` when it is tied to another one.
///
/// # Errors
/// One sentence on why the database cannot be used.
pub fn tie_to_key(database: &Database, key_id: &str, now: i64) -> Said<bool> {
    on(database, |connection| {
        if let Some(row) = connection.session().first(KEY, &[]).map_err(said)? {
            return Ok(row.first().and_then(Value::text) == Some(key_id));
        }
        connection.execute(REMEMBER_KEY, &[key_id.into(), now.into()]).map_err(said)?;
        Ok(true)
    })
}

fn on<T: Send>(database: &Database, work: impl FnOnce(&mut dyn Connection) -> Said<T> + Send) -> Said<T> {
    let manager = Manager { database: database.clone(), readonly: false, statements: std::sync::Arc::default() };
    let done = apart(|| manager.open().map_err(said).and_then(|mut connection| work(&mut *connection)));
    done.map_err(|sentence| format!("{database}: {sentence}"))
}

fn steps(connection: &mut dyn Connection, known: &'static [Migration], now: i64) -> Said<Vec<String>> {
    connection.batch(CREATE).map_err(said)?;
    let missing = pending(connection.session(), known)?;
    let is_old = !missing.is_empty() && missing.len() < known.len();
    if is_old && let Some(why) = connection.damage().map_err(said)? {
        return Err(format!("the file is damaged ({why}); {BRING_BACK}"));
    }
    for migration in missing {
        run(connection, migration, now).map_err(|e| format!("the migration {} failed: {e}", migration.name))?;
    }
    // After all of them, since the program reads tables as they are in the end.
    if missing.iter().any(|migration| migration.name == FINDING) {
        backfill::search_words(connection.session()).map_err(|e| format!("the migration {FINDING} failed: {e}"))?;
    }
    // Also when nothing was missing: the log begins anew then, which a program that copies it has to see.
    connection.claim().map_err(said)?;
    Ok(names(missing))
}

fn run(connection: &mut dyn Connection, migration: &Migration, now: i64) -> Result<()> {
    connection.batch(migration.sql)?;
    let number = migration.name.split('_').next().and_then(|n| n.parse::<i64>().ok());
    let number = number.ok_or_else(|| StoreError::Bug(format!("{} has no number", migration.name)))?;
    connection.execute(RECORD, &[number.into(), migration.name.into(), migration.checksum().into(), now.into()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh(test: impl FnOnce(&Database)) {
        let folder = tempfile::tempdir().unwrap();
        test(&Database::Sqlite(folder.path().join("m.db")));
    }

    fn alter(database: &Database, sql: &'static str, params: &[Value]) {
        on(database, |connection| connection.execute(sql, params).map(drop).map_err(said)).unwrap();
    }

    #[test]
    fn both_engines_have_the_same_migrations_numbered_without_gaps() {
        assert_eq!(names(Migration::SQLITE), names(Migration::POSTGRES));
        for (i, migration) in Migration::SQLITE.iter().enumerate() {
            assert!(migration.name.starts_with(&format!("{:04}_", i + 1)), "{}", migration.name);
        }
    }

    #[test]
    fn applying_twice_changes_nothing() {
        fresh(|database| {
            let all = names(Migration::SQLITE);
            assert_eq!((missing_migrations(database).unwrap(), migrate(database, 1).unwrap()), (all.clone(), all));
            assert_eq!((missing_migrations(database).unwrap(), migrate(database, 2).unwrap()), (vec![], vec![]));
        });
    }

    #[test]
    fn a_newer_and_a_foreign_schema_are_refused() {
        fresh(|database| {
            migrate(database, 1).unwrap();
            let next = Migration::SQLITE.len() as i64 + 1;
            alter(database, RECORD, &[next.into(), "9999_future".into(), "x".into(), 1.into()]);
            assert!(migrate(database, 2).unwrap_err().contains("newer than this program"));
        });
        fresh(|database| {
            migrate(database, 1).unwrap();
            alter(database, "UPDATE migration SET checksum = $1 WHERE number = $2", &["x".into(), 1.into()]);
            assert!(migrate(database, 2).unwrap_err().contains("another build"));
        });
    }
}
