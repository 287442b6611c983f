//! Looks at a file before anything is written to it.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::connection::{BRING_BACK, DatabaseState};
use super::{APPLICATION_ID, BUSY_TIMEOUT};

/// A file that SQLite keeps beside a database: `-wal`, `-shm` or `-journal`.
pub fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Looks whether a file is ours; and whether it is sound, where a program may have been killed that had it open. What was
/// closed in good order is read beside serving it, see [`FileReading`].
///
/// # Errors
/// One sentence on why it cannot be used.
#[expect(clippy::disallowed_methods, reason = "looks at a file before it is opened for good")]
pub fn inspect(path: &Path) -> Result<DatabaseState, String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("{shown} is a directory, not a database file"));
    }
    let plain = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, error),
        _ => refusal(path, &error),
    };
    if !path.exists() {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return if folder.is_dir() {
            Ok(DatabaseState::Nothing)
        } else {
            Err(format!("the folder {} does not exist", folder.display()))
        };
    }
    // Opening makes a log.
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
        (0, _) => return Ok(DatabaseState::Nothing),
        (_, APPLICATION_ID) => {}
        _ => return Err(format!("{shown} is a SQLite database, but not one of vext")),
    }
    if !is_left_open {
        return Ok(DatabaseState::Ours);
    }
    match verdict(&connection, "PRAGMA quick_check(1)").map_err(plain)? {
        None => Ok(DatabaseState::Ours),
        Some(damage) => {
            keep(&connection).map_err(plain)?;
            Err(damaged(path, damage))
        }
    }
}

/// Whether a log stands beside a file: another program has the file open, or one was killed that had.
pub fn is_left_open(path: &Path) -> bool {
    beside(path, "-wal").exists()
}

/// What is wrong according to a pragma that checks.
pub(super) fn verdict(connection: &Connection, pragma: &str) -> rusqlite::Result<Option<String>> {
    let verdict: String = connection.query_row(pragma, [], |row| row.get(0))?;
    // The verdict begins with a line that only names the database.
    let verdict = verdict.lines().last().unwrap_or_default();
    Ok((verdict != "ok").then(|| verdict.to_owned()))
}

/// Closing would write what stands in the log into a file that is damaged; it stays as it was found.
fn keep(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// A reading of all tables of a file, one by one: what is written meanwhile waits in the log for one table at most.
pub struct FileReading {
    connection: Connection,
    path: PathBuf,
}

impl FileReading {
    /// Opens a file that is ours.
    ///
    /// # Errors
    /// One sentence on why not.
    #[expect(clippy::disallowed_methods, reason = "looks at a file beside those that it is opened for")]
    pub fn open(path: &Path) -> Result<Self, String> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE);
        let connection = connection.map_err(|error| refusal(path, &error))?;
        Ok(Self { connection, path: path.to_owned() })
    }

    /// Ends what is being read, if anything is.
    pub fn interrupt(&self) -> Box<dyn Fn() + Send> {
        let handle = self.connection.get_interrupt_handle();
        Box::new(move || handle.interrupt())
    }

    /// Reads until the end, until it `is_stopped`, or until there is damage, which is told in one sentence.
    ///
    /// # Errors
    /// One sentence when the file cannot be read, which says nothing of what stands in it.
    pub fn read(&self, is_stopped: &dyn Fn() -> bool) -> Result<Option<String>, String> {
        match self.damage(is_stopped) {
            Ok(damage) => Ok(damage.map(|damage| damaged(&self.path, damage))),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                Ok(Some(damaged(&self.path, error)))
            }
            Err(error) => Err(refusal(&self.path, &error)),
        }
    }

    fn damage(&self, is_stopped: &dyn Fn() -> bool) -> rusqlite::Result<Option<String>> {
        self.connection.busy_timeout(BUSY_TIMEOUT)?;
        keep(&self.connection)?;
        let mut tables = self.connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let tables = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        for table in tables {
            if is_stopped() {
                break;
            }
            let pragma = format!("PRAGMA quick_check(\"{}\")", table.replace('"', "\"\""));
            if let Some(damage) = verdict(&self.connection, &pragma)? {
                return Ok(Some(damage));
            }
        }
        Ok(None)
    }
}

/// Why a file cannot be used, in one sentence.
pub(super) fn refusal(path: &Path, error: &rusqlite::Error) -> String {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!("{shown} is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => format!("{shown} is damaged ({error})"),
        Some(ErrorCode::ReadOnly) => format!("{shown} is not writable"),
        Some(ErrorCode::DatabaseBusy) => format!("{shown} is locked by another program"),
        _ => format!("{shown} cannot be opened: {error}"),
    }
}

/// The same for a database that was meant to be served.
fn damaged(path: &Path, why: impl std::fmt::Display) -> String {
    format!("{} is damaged ({why}); {BRING_BACK}", path.display())
}
