//! Checks a file before anything is written to it.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::connection::{DatabaseState, RESTORE_HINT};
use super::{APPLICATION_ID, BUSY_TIMEOUT};

/// The path of a file next to a database, whose name is the database's name with an ending: `-wal`, `-shm`, `-journal`
/// and others.
pub fn sidecar_path(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Checks whether a file belongs to vext; and whether it is damaged, if a program may have been killed while it had the
/// file open. A file that was closed properly is checked while it is served, see [`FileIntegrityCheck`].
///
/// # Errors
/// One sentence that says why it cannot be used.
#[expect(clippy::disallowed_methods, reason = "checks a file before it is opened as a database")]
pub fn inspect(path: &Path) -> Result<DatabaseState, String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("{shown} is a directory, not a database file"));
    }
    let plain = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => describe_damage(path, error),
        _ => describe_error(path, &error),
    };
    if !path.exists() {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return if folder.is_dir() {
            Ok(DatabaseState::Empty)
        } else {
            Err(format!("the folder {} does not exist", folder.display()))
        };
    }
    // This must come first, because opening the file creates a log.
    let is_left_open = is_left_open(path);
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(plain)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(plain)?;
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(plain);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let id = number("SELECT application_id FROM pragma_application_id")?;
    if connection.is_readonly("main").map_err(plain)? {
        return Err(format!("{shown} is not writable"));
    }
    match (tables, id) {
        (0, _) => return Ok(DatabaseState::Empty),
        (_, APPLICATION_ID) => {}
        _ => return Err(format!("{shown} is a SQLite database, but not one of vext")),
    }
    if !is_left_open {
        return Ok(DatabaseState::Ours);
    }
    match failed_check(&connection, "PRAGMA quick_check(1)").map_err(plain)? {
        None => Ok(DatabaseState::Ours),
        Some(damage) => {
            keep_log_on_close(&connection).map_err(plain)?;
            Err(describe_damage(path, damage))
        }
    }
}

/// Whether a file has a log: another program has the file open, or was killed while it had.
pub fn is_left_open(path: &Path) -> bool {
    sidecar_path(path, "-wal").exists()
}

/// Runs a checking pragma and returns the damage that it finds.
pub(super) fn failed_check(connection: &Connection, pragma: &str) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.query_row(pragma, [], |row| row.get(0))?;
    // The first line may only name the database.
    let verdict = verdict.lines().last().unwrap_or_default();
    Ok((verdict != "ok").then(|| verdict.to_owned()))
}

/// Leaves a damaged file as it is: closing would otherwise copy the log into it.
fn keep_log_on_close(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// Checks all tables of a file, one by one: reading keeps the log from being emptied, and so never for longer than one
/// table takes.
pub struct FileIntegrityCheck {
    connection: Connection,
    path: PathBuf,
}

impl FileIntegrityCheck {
    /// Opens a file of vext.
    ///
    /// # Errors
    /// One sentence that says why it cannot be opened.
    #[expect(clippy::disallowed_methods, reason = "checks a file while the store has it open")]
    pub fn open(path: &Path) -> Result<Self, String> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let connection = connection.map_err(|error| describe_error(path, &error))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// A function that interrupts the running check, if there is one.
    pub fn interrupt(&self) -> Box<dyn Fn() + Send> {
        let handle = self.connection.get_interrupt_handle();
        Box::new(move || handle.interrupt())
    }

    /// Checks the tables until `is_stopped` or until it finds damage, which it describes in one sentence.
    ///
    /// # Errors
    /// One sentence if the file cannot be read. This does not mean that it is damaged.
    pub fn read(&self, is_stopped: &dyn Fn() -> bool) -> Result<Option<String>, String> {
        match self.damage(is_stopped) {
            Ok(damage) => Ok(damage.map(|damage| describe_damage(&self.path, damage))),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(Some(describe_damage(&self.path, error)))
            }
            Err(error) => Err(describe_error(&self.path, &error)),
        }
    }

    fn damage(&self, is_stopped: &dyn Fn() -> bool) -> rusqlite::Result<Option<String>> {
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        keep_log_on_close(&self.connection)?;
        let mut tables = self.connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let tables = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        for table in tables {
            if is_stopped() {
                break;
            }
            let pragma = format!("PRAGMA quick_check(\"{}\")", table.replace('"', "\"\""));
            if let Some(damage) = failed_check(&self.connection, &pragma)? {
                return Ok(Some(damage));
            }
        }
        Ok(None)
    }
}

/// One sentence that says why a file cannot be used.
pub(super) fn describe_error(path: &Path, error: &rusqlite::Error) -> String {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!("{shown} is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => format!("{shown} is damaged ({error})"),
        Some(ErrorCode::ReadOnly) => format!("{shown} is not writable"),
        Some(ErrorCode::DatabaseBusy) => format!("{shown} is locked by another program"),
        _ => format!("{shown} cannot be opened: {error}"),
    }
}

/// One sentence for a damaged database that was meant to be served, with what to do about it.
fn describe_damage(path: &Path, why: impl std::fmt::Display) -> String {
    format!("{} is damaged ({why}); {RESTORE_HINT}", path.display())
}
