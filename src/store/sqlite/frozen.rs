//! A look at a file that changes neither it nor what is beside it: at one that nobody uses, or at one state of one that
//! servers are writing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, fcntl_lock};

use super::super::look::Look;
use super::super::session::Session;
use super::file::beside;
use super::file::refusal;
use super::{APPLICATION_ID, SqliteConnection, configure};

/// Nobody changes the file: SQLite takes no locks and looks for no log.
const AT_REST: &str = "?immutable=1";
/// Somebody may be writing the file: SQLite reads the log too, and makes and changes no file. Where it cannot use the
/// index of the log, since who made it has been killed, it works one out for itself.
const IN_USE: &str = "?readonly_shm=1";

/// One state of a database file, opened so that neither it nor its folder changes.
pub struct Frozen {
    session: SqliteConnection,
    /// The file, when nobody must begin to use it.
    at_rest: Option<PathBuf>,
    /// Closed last: with it this process loses its locks on the file.
    _file: Option<File>,
}

impl Frozen {
    /// Opens a file that nobody uses, without locks and without files beside it.
    ///
    /// # Errors
    /// One sentence: it is no database of vext, or one that is in use or was not closed.
    pub fn open(path: &Path) -> Result<Self, String> {
        let log = ["-wal", "-journal"].map(|ending| beside(path, ending));
        if let Some(log) = log.iter().find(|log| log.exists()) {
            return Err(format!(
                "{} is in use or was not closed, since there is {}; take a copy with `vext backup` and look at that",
                path.display(),
                log.display()
            ));
        }
        Self::with(path, AT_REST, None, None)
    }

    /// Opens a file that others may be writing: it shows the state of now, whatever they write meanwhile. They are kept
    /// from nothing but emptying the log.
    ///
    /// # Errors
    /// One sentence: it is no database of vext, or it cannot be read without changing anything.
    pub fn beside_others(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        // As long as it is locked, nobody takes the log away. SQLite would make a new one.
        fcntl_lock(&file, FlockOperation::NonBlockingLockShared)
            .map_err(|_| format!("{} is locked by another program", path.display()))?;
        if !has_log(path) {
            return Self::with(path, AT_REST, Some(path.to_owned()), Some(file));
        }
        let index = beside(path, "-shm");
        if !index.exists() {
            let (path, index) = (path.display(), index.display());
            return Err(format!(
                "{path} was not closed, and {index} is gone: start the server once, which makes it anew"
            ));
        }
        Self::with(path, IN_USE, None, Some(file))
    }

    #[expect(clippy::disallowed_methods, reason = "the store opens files as connections that serve them, not to look")]
    fn with(path: &Path, how: &str, at_rest: Option<PathBuf>, file: Option<File>) -> Result<Self, String> {
        let said = |error| refusal(path, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri(path) + how, flags).map_err(said)?;
        configure(&connection, true).map_err(said)?;
        // All that is read is of one state.
        connection.execute_batch("BEGIN").map_err(said)?;
        let id: i64 = connection
            .query_row("SELECT application_id FROM pragma_application_id", [], |row| row.get(0))
            .map_err(said)?;
        if id != APPLICATION_ID {
            return Err(format!("{} is a SQLite database, but not one of vext", path.display()));
        }
        let session = SqliteConnection { connection, statements: Default::default(), native: Default::default() };
        Ok(Self { session, at_rest, _file: file })
    }

    /// A session for the rows.
    pub fn session(&mut self) -> &mut dyn Session {
        &mut self.session
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
        let connection = &self.session.connection;
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
                found.push(format!("{table}[{key}]: {column} refers to {parent}[{target}], which is not there"));
            }
        }
        Ok(())
    }

    /// How many rows each table has.
    ///
    /// # Errors
    /// One sentence when that cannot be counted.
    pub fn tables(&self) -> Result<BTreeMap<String, u64>, String> {
        let connection = &self.session.connection;
        let said = |error: rusqlite::Error| format!("the rows cannot be counted: {error}");
        let list = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let mut names = connection.prepare(list).map_err(said)?;
        let names = names.query_map([], |row| row.get::<_, String>(0)).map_err(said)?;
        let count = |name: rusqlite::Result<String>| {
            let name = name?;
            let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM [{name}]"), [], |row| row.get(0))?;
            Ok((name, rows.unsigned_abs()))
        };
        names.map(count).collect::<rusqlite::Result<_>>().map_err(said)
    }
}

impl Look for Frozen {
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

/// Whether part of the database stands in a log, or somebody has opened it. An empty log alone is left of a start that
/// came to nothing.
fn has_log(path: &Path) -> bool {
    beside(path, "-wal").metadata().is_ok_and(|log| log.len() > 0 || beside(path, "-shm").exists())
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
