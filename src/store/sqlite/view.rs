//! Reads a file without changing it or any file next to it: one that is not in use, or one state of one that servers
//! are writing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use super::super::session::Session;
use super::super::view::DatabaseView;
use super::inspect::describe_error;
use super::inspect::sidecar_path;
use super::{APPLICATION_ID, SqliteConnection, configure};

/// For a file that nobody changes: SQLite takes no locks and looks for no log.
const AT_REST: &str = "?immutable=1";
/// For a file that others may be writing: SQLite also reads the log, but creates and changes no file. If it cannot use
/// the index of the log, because the program that made it was killed, it builds one in memory.
const IN_USE: &str = "?readonly_shm=1";

/// A read-only view of one state of a database file. Neither the file nor its folder changes.
pub struct SqliteView {
    session: SqliteConnection,
    /// The file, if it was not in use when it was opened and must stay so.
    at_rest: Option<PathBuf>,
    /// Closed last, because closing it releases all locks of this process on the file.
    _file: Option<File>,
}

impl SqliteView {
    /// Opens a file that is not in use, without locks and without creating other files.
    ///
    /// # Errors
    /// One sentence: it is not a database of vext, is in use or was not closed.
    pub fn open_at_rest(path: &Path) -> Result<Self, String> {
        let log = ["-wal", "-journal"].map(|ending| sidecar_path(path, ending));
        if let Some(log) = log.iter().find(|log| log.exists()) {
            return Err(format!(
                "{} is in use or was not closed, because {} exists; take a copy with `vext backup` and use that",
                path.display(),
                log.display()
            ));
        }
        Self::open(path, AT_REST, None, None)
    }

    /// Opens a file that others may be writing. The view shows the current state, whatever they write later. It only
    /// keeps them from emptying the log.
    ///
    /// # Errors
    /// One sentence: it is not a database of vext, or it cannot be read without changing anything.
    pub fn open_in_use(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        // While the file is locked, nobody deletes the log. If there were none, SQLite would create a new one.
        fcntl_lock(&file, FlockOperation::NonBlockingLockShared)
            .map_err(|_| format!("{} is locked by another program", path.display()))?;
        if !has_log(path) {
            return Self::open(path, AT_REST, Some(path.to_owned()), Some(file));
        }
        let index = sidecar_path(path, "-shm");
        if !index.exists() {
            let (path, index) = (path.display(), index.display());
            return Err(format!(
                "{path} was not closed, and {index} is gone: start the server once to create it again"
            ));
        }
        Self::open(path, IN_USE, None, Some(file))
    }

    #[expect(clippy::disallowed_methods, reason = "the store's own connections would change the file")]
    fn open(path: &Path, parameters: &str, at_rest: Option<PathBuf>, file: Option<File>) -> Result<Self, String> {
        let message = |error| describe_error(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path) + parameters, flags).map_err(message)?;
        configure(&connection, true).map_err(message)?;
        // All reads see one state.
        connection.execute_batch("BEGIN").map_err(message)?;
        let id: i64 = connection
            .query_row("SELECT application_id FROM pragma_application_id", [], |row| row.get(0))
            .map_err(message)?;
        if id != APPLICATION_ID {
            return Err(format!("{} is a SQLite database, but not one of vext", path.display()));
        }
        let session = SqliteConnection { connection, statements: Default::default(), native: Default::default() };
        Ok(Self { session, at_rest, _file: file })
    }

    /// A session that reads the rows.
    pub fn session(&mut self) -> &mut dyn Session {
        &mut self.session
    }

    /// The damage that SQLite itself finds in pages, indexes, constraints and foreign keys.
    pub fn check(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Err(error) = self.check_integrity(&mut problems).and_then(|()| self.check_foreign_keys(&mut problems)) {
            problems.push(format!("the file cannot be read: {error}"));
        }
        problems
    }

    fn check_integrity(&self, problems: &mut Vec<String>) -> rusqlite::Result<()> {
        let connection = &self.session.connection;
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let line: String = row.get(0)?;
            // An answer may have several lines, of which the first only names the database.
            let lines = line.lines().filter(|line| *line != "ok" && !line.starts_with("*** in database"));
            problems.extend(lines.map(|line| format!("integrity_check: {line}")));
        }
        Ok(())
    }

    /// Reports each row that refers to a missing one.
    fn check_foreign_keys(&self, problems: &mut Vec<String>) -> rusqlite::Result<()> {
        let connection = &self.session.connection;
        let mut broken =
            connection.prepare("SELECT DISTINCT [table], parent, fkid FROM pragma_foreign_key_check ORDER BY 1, 3")?;
        let broken = broken.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        for key in broken.collect::<rusqlite::Result<Vec<(String, String, i64)>>>()? {
            let (table, parent, number) = key;
            let mut columns = connection
                .prepare("SELECT [from], [to] FROM pragma_foreign_key_list($1) WHERE id = $2 ORDER BY seq")?;
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
                problems.push(format!("{table}[{key}]: {column} refers to {parent}[{target}], which is not there"));
            }
        }
        Ok(())
    }

    /// The number of rows of each table.
    ///
    /// # Errors
    /// One sentence if the rows cannot be counted.
    pub fn tables(&self) -> Result<BTreeMap<String, u64>, String> {
        let connection = &self.session.connection;
        let message = |error: rusqlite::Error| format!("the rows cannot be counted: {error}");
        let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut names = connection.prepare(list).map_err(message)?;
        let names = names.query_map([], |row| row.get::<_, String>(0)).map_err(message)?;
        let count = |name: rusqlite::Result<String>| {
            let name = name?;
            let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM [{name}]"), [], |row| row.get(0))?;
            Ok((name, rows.unsigned_abs()))
        };
        names.map(count).collect::<rusqlite::Result<_>>().map_err(message)
    }
}

impl DatabaseView for SqliteView {
    fn session(&mut self) -> &mut dyn Session {
        self.session()
    }

    fn damage(&mut self) -> Vec<String> {
        self.check()
    }

    fn tables(&mut self) -> Result<BTreeMap<String, u64>, String> {
        Self::tables(self)
    }

    fn now(&mut self) -> Result<Option<i64>, String> {
        Ok(None)
    }

    fn is_disturbed(&self) -> bool {
        self.at_rest.as_deref().is_some_and(has_log)
    }
}

/// Whether part of the database is in the log, or a program has it open. An empty log alone does not count: it can be
/// left over from a start that failed.
fn has_log(path: &Path) -> bool {
    sidecar_path(path, "-wal").metadata().is_ok_and(|log| log.len() > 0 || sidecar_path(path, "-shm").exists())
}

/// The path as a URI, to which parameters can be added.
fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => uri.push(byte.into()),
            _ => _ = write!(uri, "%{byte:02x}"),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_uri_that_names_it_alone() {
        assert_eq!(uri(Path::new("/a b/x?y#z%.db")), "file:/a%20b/x%3fy%23z%25.db");
    }
}
