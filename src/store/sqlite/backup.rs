//! Whole files: copies a database that is in use, and locks a file exclusively.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use super::super::Progress;
use super::BUSY_TIMEOUT;
use super::inspect::describe_error;

/// The number of pages (1 MiB) that a copy step copies before it reports progress.
const STEP: i32 = 256;

/// Copies a database, which others may be writing, to a new file. The copy is one consistent state and is complete: it
/// has no log.
///
/// # Errors
/// One sentence that says why there is no copy. The caller has to delete an incomplete file.
#[expect(clippy::disallowed_methods, reason = "a backup copies the file page by page, below the store")]
pub fn copy_database(from: &Path, to: &Path, progress: &mut Progress<'_>) -> Result<(), String> {
    let read = |error| describe_error(from, &error);
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(read)?;
    source.busy_timeout(BUSY_TIMEOUT).map_err(read)?;
    source.pragma_update(None, "query_only", true).map_err(read)?;
    // The transaction fixes the state. Without it, the copy would start again after each write of another connection.
    source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema").map_err(read)?;
    let written = |error: rusqlite::Error| format!("the copy {} cannot be written: {error}", to.display());
    let mut copy = Connection::open(to).map_err(written)?;
    // An unfinished copy is thrown away, so it needs neither a journal nor a sync for each page.
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
    // The first page, which is copied too, says that the file has a write-ahead log.
    leave_wal_mode(&copy).map_err(written)?;
    copy.close().map_err(|(_, error)| written(error))
}

/// Copies the whole log into the file and removes the log.
fn leave_wal_mode(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
    if mode == "delete" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
}

/// An exclusive lock on a database file: no other program can use the file until this is dropped.
pub struct ExclusiveFile {
    /// Holds SQLite's own lock.
    _connection: Option<Connection>,
    /// Holds the same lock if SQLite cannot open the file.
    _file: Option<File>,
    /// Whether the file is complete, so that no log is needed.
    pub is_complete: bool,
}

impl ExclusiveFile {
    /// Locks a file, and copies its log into it if possible. `None` if another program has the file open.
    ///
    /// # Errors
    /// One sentence if the file cannot be opened at all.
    pub fn lock(path: &Path) -> Result<Option<Self>, String> {
        match Self::through_sqlite(path) {
            Ok(connection) => Ok(Some(Self { _connection: Some(connection), _file: None, is_complete: true })),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(None),
            // The file is damaged or not a SQLite database, but it can be locked in the same way.
            Err(_) => {
                let file = File::options().read(true).write(true).open(path);
                let file = file.map_err(|e| format!("{} cannot be opened: {e}", path.display()))?;
                let locked = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
                Ok(locked.then_some(Self { _connection: None, _file: Some(file), is_complete: false }))
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "locks the file but does not use it as a database")]
    fn through_sqlite(path: &Path) -> rusqlite::Result<Connection> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::ZERO)?;
        connection.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
        // An unreadable file must not change, and neither must its log, which closing would delete.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        // Fails as busy while any other program is connected; otherwise this connection keeps the lock.
        leave_wal_mode(&connection)?;
        connection.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        Ok(connection)
    }
}
