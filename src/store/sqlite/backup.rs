//! Files as a whole: a copy of one that is in use, a look at one that nobody uses, and taking one away from everybody.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use super::super::Progress;
use super::super::session::Session;
use super::file::refusal;
use super::{APPLICATION_ID, BUSY_TIMEOUT, SqliteConnection, configure};

type Said<T> = Result<T, String>;

/// The pages of a step of a copy, after which its progress is told: 1 MiB.
const STEP: i32 = 256;

/// Copies a database that others may be writing into a file that does not exist yet. The copy is of one moment and
/// stands for itself: no log belongs to it.
///
/// # Errors
/// One sentence on why there is no copy; what was begun of it is the caller's to delete.
#[expect(clippy::disallowed_methods, reason = "a copy is made below the store, page by page")]
pub fn copy_database(from: &Path, to: &Path, progress: &mut Progress<'_>) -> Said<()> {
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

/// A file that SQLite keeps beside a database: `-wal`, `-shm` or `-journal`.
pub fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// A database file that nobody uses, opened so that neither it nor its folder changes.
pub struct Frozen(SqliteConnection);

impl Frozen {
    /// Opens a file without locks and without files beside it.
    ///
    /// # Errors
    /// One sentence: it is no database of vext, or one that is in use or was not closed.
    #[expect(clippy::disallowed_methods, reason = "the store opens files as connections that serve them, not to look")]
    pub fn open(path: &Path) -> Said<Self> {
        let log = ["-wal", "-journal"].map(|ending| beside(path, ending));
        if let Some(log) = log.iter().find(|log| log.exists()) {
            return Err(format!(
                "{} is in use or was not closed, since there is {}; take a copy with `vext backup` and look at that",
                path.display(),
                log.display()
            ));
        }
        let said = |error| refusal(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path), flags).map_err(said)?;
        configure(&connection, true).map_err(said)?;
        let id: i64 = connection
            .query_row("SELECT application_id FROM pragma_application_id", [], |row| row.get(0))
            .map_err(said)?;
        if id != APPLICATION_ID {
            return Err(format!("{} is a SQLite database, but not one of vext", path.display()));
        }
        Ok(Self(SqliteConnection { connection, statements: Default::default(), native: Default::default() }))
    }

    /// A session for the rows.
    pub fn session(&mut self) -> &mut dyn Session {
        &mut self.0
    }

    /// What SQLite itself finds wrong: pages, indexes, constraints, foreign keys.
    pub fn check(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Err(error) = self.integrity(&mut found).and_then(|()| self.foreign_keys(&mut found)) {
            found.push(format!("the file cannot be read: {error}"));
        }
        found
    }

    fn integrity(&self, found: &mut Vec<String>) -> rusqlite::Result<()> {
        let connection = &self.0.connection;
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line: String = row.get(0)?;
            // A verdict may have several lines, of which the first only names the database.
            let lines = line.lines().filter(|line| *line != "ok" && !line.starts_with("*** in database"));
            found.extend(lines.map(|line| format!("integrity_check: {line}")));
        }
        Ok(())
    }

    /// One line per row that refers to one that is not there.
    fn foreign_keys(&self, found: &mut Vec<String>) -> rusqlite::Result<()> {
        let connection = &self.0.connection;
        let mut broken = connection
            .prepare("SELECT DISTINCT \"table\", \"parent\", fkid FROM pragma_foreign_key_check ORDER BY 1, 3")?;
        let broken = broken.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for key in broken.collect::<rusqlite::Result<Vec<(String, String, i64)>>>()? {
            let (table, parent, number) = key;
            let mut columns = connection
                .prepare("SELECT \"from\", \"to\" FROM pragma_foreign_key_list($1) WHERE id = $2 ORDER BY seq")?;
            let columns = columns.query_map((&table, number), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let columns = columns.collect::<rusqlite::Result<Vec<(String, String)>>>()?;
            let mut names = connection.prepare("SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk")?;
            let names = names.query_map([&table], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
            let join = |with: &str, part: &dyn Fn(&(String, String)) -> String| {
                columns.iter().map(part).collect::<Vec<_>>().join(with)
            };
            let sql = format!(
                "SELECT concat_ws('.', {}), concat_ws('.', {}) FROM {table} c WHERE {} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {})",
                names.iter().map(|name| format!("c.{name}")).collect::<Vec<_>>().join(", "),
                join(", ", &|(from, _)| format!("c.{from}")),
                join(" AND ", &|(from, _)| format!("c.{from} IS NOT NULL")),
                join(" AND ", &|(from, to)| format!("p.{to} = c.{from}")),
            );
            let mut rows = connection.prepare(&sql)?;
            let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (key, target): (String, String) = row?;
                let column = columns.last().map_or("", |(from, _)| from);
                found.push(format!("{table}[{key}]: {column} refers to {parent}[{target}], which is not there"));
            }
        }
        Ok(())
    }

    /// How many rows each table has.
    ///
    /// # Errors
    /// One sentence when that cannot be counted.
    pub fn tables(&self) -> Said<BTreeMap<String, u64>> {
        let connection = &self.0.connection;
        let said = |error: rusqlite::Error| format!("the rows cannot be counted: {error}");
        let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut names = connection.prepare(list).map_err(said)?;
        let names = names.query_map([], |row| row.get::<_, String>(0)).map_err(said)?;
        let count = |name: rusqlite::Result<String>| {
            let name = name?;
            let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get(0))?;
            Ok((name, rows.unsigned_abs()))
        };
        names.map(count).collect::<rusqlite::Result<_>>().map_err(said)
    }
}

/// The path as a URI that tells SQLite that nobody changes the file.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(byte.into()),
            _ => _ = write!(uri, "%{byte:02x}"),
        }
    }
    uri + "?immutable=1"
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
    pub fn take(path: &Path) -> Said<Option<Self>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_that_names_it_alone() {
        assert_eq!(uri(Path::new("/a b/x?y#z%.db")), "file:/a%20b/x%3fy%23z%25.db?immutable=1");
    }
}
