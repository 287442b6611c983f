//! Applies migrations: files that are applied once, in order, and never change afterwards.

use super::backfill;
use super::connection::{Connection, DatabaseState, RESTORE_HINT};
use super::engine::{ConnectionManager, Database, on_own_thread};
use super::error::{Result, StoreError};
use super::migrations::Migration;
use super::session::Session;
use crate::domain::{Row, Value};

/// The migration that adds folded names and search words, which only the program can fill in.
const SEARCH_WORDS_MIGRATION: &str = "0006_finding";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS migration (
  number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL
)";
const APPLIED: &str = "SELECT number, name, checksum FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

type MigrateResult<T> = std::result::Result<T, String>;

fn message(error: StoreError) -> String {
    error.to_string()
}

/// The migrations that a database lacks.
///
/// # Errors
/// One sentence if the database is newer than this program or has different migrations.
fn missing(session: &mut dyn Session, known: &'static [Migration]) -> MigrateResult<&'static [Migration]> {
    let applied = session.rows(APPLIED, &[]).map_err(message)?;
    for (i, row) in applied.iter().enumerate() {
        let (number, name) = (row[0].int().unwrap_or_default(), row[1].text().unwrap_or_default());
        let Some(known) = known.get(i) else {
            return Err(format!(
                "the database is newer than this program: it has the migration {name} ({number}); use a newer vext"
            ));
        };
        if known.name != name || row[2].text() != Some(&known.checksum()) {
            return Err(format!(
                "the migration {name} of the database differs from this program's: it was made by another build"
            ));
        }
    }
    Ok(&known[applied.len()..])
}

/// Whether a database has exactly these migrations.
///
/// # Errors
/// An engine error.
pub(super) fn is_current(session: &mut dyn Session, known: &[Migration]) -> Result<bool> {
    let applied = session.rows(APPLIED, &[])?;
    let same = |(row, known): (&Row, &Migration)| row[2].text() == Some(&known.checksum());
    Ok(applied.len() == known.len() && applied.iter().zip(known).all(same))
}

/// The names of the migrations that a SQLite file lacks.
///
/// # Errors
/// One sentence if the file is newer than this program or has different migrations.
pub(super) fn missing_in_file(session: &mut dyn Session) -> MigrateResult<Vec<String>> {
    missing(session, Migration::SQLITE).map(names)
}

/// The names of the migrations that a database lacks, read in a session of a
/// [`DatabaseView`](super::view::DatabaseView).
///
/// # Errors
/// One sentence if the database is newer than this program or has different migrations.
pub fn missing_migrations_in(database: &Database, session: &mut dyn Session) -> MigrateResult<Vec<String>> {
    missing(session, database.migrations()).map(names)
}

fn names(migrations: &[Migration]) -> Vec<String> {
    migrations.iter().map(|migration| migration.name.to_owned()).collect()
}

/// The names of the migrations that a database lacks. Changes nothing.
///
/// # Errors
/// One sentence that says why the database cannot be used.
pub fn missing_migrations(database: &Database) -> MigrateResult<Vec<String>> {
    match database.inspect()? {
        DatabaseState::Empty => Ok(names(database.migrations())),
        DatabaseState::Ours => {
            with_connection(database, |connection| Ok(names(missing(connection.session(), database.migrations())?)))
        }
    }
}

/// Applies the missing migrations in one transaction, and returns their names. The database must have been inspected.
///
/// # Errors
/// One sentence that says why the database cannot be used. Nothing is applied in that case.
pub fn migrate(database: &Database, now: i64) -> MigrateResult<Vec<String>> {
    with_connection(database, |connection| {
        connection.begin_write().map_err(message)?;
        match apply_missing(connection, database.migrations(), now) {
            Ok(applied) => connection.commit().map_err(message).map(|()| applied),
            Err(why) => {
                connection.rollback();
                Err(why)
            }
        }
    })
}

const KEY: &str = "SELECT key_id FROM sealing_key";
const REMEMBER_KEY: &str = "INSERT INTO sealing_key (key_id, created_at) VALUES ($1, $2)";

/// Ties a database to the key that seals its secrets. `false` if it is already tied to another key.
///
/// # Errors
/// One sentence that says why the database cannot be used.
pub fn tie_to_key(database: &Database, key_id: &str, now: i64) -> MigrateResult<bool> {
    with_connection(database, |connection| {
        if let Some(row) = connection.session().first(KEY, &[]).map_err(message)? {
            return Ok(row.first().and_then(Value::text) == Some(key_id));
        }
        connection.execute(REMEMBER_KEY, &[key_id.into(), now.into()]).map_err(message)?;
        Ok(true)
    })
}

fn with_connection<T: Send>(
    database: &Database,
    work: impl FnOnce(&mut dyn Connection) -> MigrateResult<T> + Send,
) -> MigrateResult<T> {
    let manager =
        ConnectionManager { database: database.clone(), readonly: false, statements: std::sync::Arc::default() };
    let result = on_own_thread(|| manager.open().map_err(message).and_then(|mut connection| work(&mut *connection)));
    result.map_err(|sentence| format!("{database}: {sentence}"))
}

fn apply_missing(connection: &mut dyn Connection, known: &'static [Migration], now: i64) -> MigrateResult<Vec<String>> {
    connection.batch(CREATE).map_err(message)?;
    let missing = missing(connection.session(), known)?;
    let is_old = !missing.is_empty() && missing.len() < known.len();
    if is_old && let Some(why) = connection.damage().map_err(message)? {
        return Err(format!("the file is damaged ({why}); {RESTORE_HINT}"));
    }
    for migration in missing {
        apply(connection, migration, now).map_err(|e| format!("the migration {} failed: {e}", migration.name))?;
    }
    // After all migrations, because the program expects the final tables.
    if missing.iter().any(|migration| migration.name == SEARCH_WORDS_MIGRATION) {
        backfill::fill_search_words(connection.session())
            .map_err(|e| format!("the migration {SEARCH_WORDS_MIGRATION} failed: {e}"))?;
    }
    // Even if no migration was missing: this write starts a new log, which Litestream needs to see after each start.
    connection.mark_as_ours().map_err(message)?;
    Ok(names(missing))
}

fn apply(connection: &mut dyn Connection, migration: &Migration, now: i64) -> Result<()> {
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
        with_connection(database, |connection| connection.execute(sql, params).map(drop).map_err(message)).unwrap();
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
