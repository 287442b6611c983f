//! Files as a whole: a copy of one that is in use, and taking one away from everybody.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use super::super::Progress;
use super::BUSY_TIMEOUT;
use super::file::refusal;

/// The pages of a step of a copy, after which its progress is told: 1 MiB.
const STEP: i32 = 256;

/// Copies a database that others may be writing into a file that does not exist yet. The copy is of one moment and
/// stands for itself: no log belongs to it.
///
/// # Errors
/// One sentence on why there is no copy; what was begun of it is the caller's to delete.
#[expect(clippy::disallowed_methods, reason = "a copy is made below the store, page by page")]
pub fn copy_database(from: &Path, to: &Path, progress: &mut Progress<'_>) -> Result<(), String> {
    let read = |error| refusal(from, &error);
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(read)?;
    source.busy_timeout(BUSY_TIMEOUT).map_err(read)?;
    source.pragma_update(None, "query_only", true).map_err(read)?;
    // The transaction fixes the moment. Without it the copy would begin anew whenever somebody else has written.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").map_err(read)?;
    let written = |error: rusqlite::Error| format!("the copy {} cannot be written: {error}", to.display());
    let mut copy = Connection::open(to).map_err(written)?;
    // A copy that is not finished is thrown away, so it needs neither a journal nor to reach the disk page by page.
    copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").map_err(written)?;
    let backup = Backup::new(&source, &mut copy).map_err(written)?;
    loop {
        match backup.step(STEP).map_err(|error| format!("{} cannot be copied: {error}", from.display()))? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(format!("{} is locked by another program", from.display())),
        }
        let pages = backup.progress();
        let count = |pages: i32| u64::try_from(pages).unwrap_or_default();
        progress("copying", count(pages.pagecount - pages.remaining), count(pages.pagecount))?;
    }
    drop(backup);
    // The copied first page says that a log belongs to the file.
    leave_log(&copy).map_err(written)?;
    copy.close().map_err(|(_, error)| written(error))
}

/// Takes everything out of the log, and the log away.
fn leave_log(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// A database file that no other program can use while this lives.
pub struct Exclusive {
    /// Holds SQLite's own lock.
    _connection: Option<Connection>,
    /// Holds the same lock on a file that SQLite cannot open.
    _file: Option<File>,
    /// Whether the file stands for itself, with nothing of it in a log beside it.
    pub whole: bool,
}

impl Exclusive {
    /// Takes a file away from everybody, and everything that stands in its log into the file where that can be done.
    /// `None` when a program has it open.
    ///
    /// # Errors
    /// One sentence when the file cannot be opened at all.
    pub fn take(path: &Path) -> Result<Option<Self>, String> {
        match Self::through_sqlite(path) {
            Ok(connection) => Ok(Some(Self { _connection: Some(connection), _file: None, whole: true })),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(None),
            // Damaged or none of SQLite's: its locks can be asked for all the same.
            Err(_) => {
                let file = File::options().read(true).write(true).open(path);
                let file = file.map_err(|e| format!("{} cannot be opened: {e}", path.display()))?;
                let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
                Ok(locked.then_some(Self { _connection: None, _file: Some(file), whole: false }))
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "to take a file away is not to use it")]
    fn through_sqlite(path: &Path) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
        // A file that cannot be read is to be left alone, and so is its log: closing would take that away.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        // Fails as busy while anybody is connected, and leaves the lock to us otherwise.
        leave_log(&connection)?;
        connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        Ok(connection)
    }
}
