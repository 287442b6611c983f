//! The SQLite engine: the only folder that says `rusqlite`.

mod answer;
mod backup;
mod file;
mod frozen;
mod values;

use std::borrow::Cow;
use std::collections::HashMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, OpenFlags};

use super::connection::{Connection, StatementLog};
use super::error::Result;
use super::session::{Each, Session};
use super::stop::Interrupt;
use crate::domain::Value;
use answer::answer;
pub use backup::{Exclusive, copy_database};
pub use file::{FileReading, beside};
pub(super) use file::{inspect, is_left_open};
pub use frozen::Frozen;
use values::{ANY, SqliteRow, bind, is_many};

/// `vext` in ASCII: marks a file as ours.
const APPLICATION_ID: i64 = 0x7665_7874;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for every statement of the program, so that none is prepared twice.
const CACHED_STATEMENTS: usize = 256;

/// A connection to a file.
pub(super) struct SqliteConnection {
    connection: rusqlite::Connection,
    statements: Arc<StatementLog>,
    /// What SQLite understands for each statement that was run here.
    native: HashMap<&'static str, Native>,
}

impl SqliteConnection {
    /// Opens a file, or makes it. A `readonly` connection refuses to write.
    #[expect(clippy::disallowed_methods, reason = "the one place that opens databases")]
    pub(super) fn open(path: &Path, readonly: bool, statements: Arc<StatementLog>) -> Result<Self> {
        // What SQLite makes is as open as the umask lets it be, and its log takes the file's mode. Where this does not
        // work, SQLite says why.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let connection = rusqlite::Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(answer)?;
        configure(&connection, readonly).map_err(answer)?;
        Ok(Self { connection, statements, native: HashMap::new() })
    }

    /// Opens a file for [`Connection::data_version`] alone.
    pub(super) fn open_watching(path: &Path, statements: Arc<StatementLog>) -> Result<Self> {
        let opened = Self::open(path, true, statements)?;
        opened.connection.busy_timeout(Duration::ZERO).map_err(answer)?;
        Ok(opened)
    }

    fn prepare(&mut self, sql: &'static str, params: &[Value]) -> Result<CachedStatement<'_>> {
        self.statements.count();
        let native = self.native.entry(sql).or_insert_with(|| {
            self.statements.note(sql);
            Native::of(sql)
        });
        let of_one = native.of_one.as_ref().filter(|_| !params.iter().any(is_many));
        let text = of_one.map_or(&*native.of_many, String::as_str);
        let mut statement = self.connection.prepare_cached(text).map_err(answer)?;
        bind(&mut statement, params, of_one.is_some())?;
        Ok(statement)
    }
}

fn configure(connection: &rusqlite::Connection, readonly: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Without it the bundled build prepares cached statements anew on every use: they were planned for values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    rusqlite::vtab::array::load_module(connection)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    if readonly {
        return connection.pragma_update(None, "query_only", true);
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // `store/log.rs` does.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

impl Connection for SqliteConnection {
    fn begin_read(&mut self) -> Result<()> {
        self.plain("BEGIN")
    }

    fn begin_write(&mut self) -> Result<()> {
        self.plain("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<()> {
        self.plain("COMMIT")
    }

    fn rollback(&mut self) {
        // A full disk and other errors end the transaction themselves.
        if !self.connection.is_autocommit() {
            let _ = self.plain("ROLLBACK");
        }
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(answer)
    }

    fn plain(&mut self, sql: &'static str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(answer)?;
        statement.raw_execute().map(drop).map_err(answer)
    }

    fn claim(&mut self) -> Result<()> {
        self.connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(answer)
    }

    fn damage(&mut self) -> Result<Option<String>> {
        file::verdict(&self.connection, "PRAGMA quick_check(1)").map_err(answer)
    }

    /// SQLite's `data_version` (www.sqlite.org/pragma.html#pragma_data_version): some microseconds.
    fn data_version(&mut self) -> Result<Option<u32>> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version").map_err(answer)?;
        statement.query_row([], |row| row.get(0)).map(Some).map_err(answer)
    }

    fn empty_log(&mut self, patience: Duration) -> Result<bool> {
        let copy = |how| self.connection.query_row(how, [], |row| row.get(0)).map_err(answer);
        // What is left for the second, which keeps savers out, is what was saved meanwhile.
        let _: bool = copy("PRAGMA wal_checkpoint(PASSIVE)")?;
        self.connection.busy_timeout(patience).map_err(answer)?;
        let is_busy: bool = copy("PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(!is_busy)
    }

    fn is_broken(&self) -> bool {
        false
    }

    fn interrupt(&self) -> Interrupt {
        let handle = self.connection.get_interrupt_handle();
        Arc::new(move || handle.interrupt())
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }
}

/// A statement as SQLite understands it. It has no arrays: a list of ids is bound to the table-valued function `rarray`,
/// which is copied to an index of its own at each use. A list of one is no list, and spares that.
struct Native {
    of_many: Cow<'static, str>,
    of_one: Option<String>,
}

impl Native {
    fn of(sql: &'static str) -> Self {
        if sql.contains(ANY) {
            Self { of_many: Cow::Owned(sql.replace(ANY, "IN rarray(")), of_one: Some(sql.replace(ANY, "= (")) }
        } else {
            Self { of_many: Cow::Borrowed(sql), of_one: None }
        }
    }
}

impl Session for SqliteConnection {
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        let mut statement = self.prepare(sql, params)?;
        let count = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(answer)? {
            each(&SqliteRow { row, count })?;
        }
        Ok(())
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let changed = self.prepare(sql, params)?.raw_execute().map_err(answer)?;
        Ok(changed as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;

    fn open(path: &Path, readonly: bool) -> SqliteConnection {
        SqliteConnection::open(path, readonly, Arc::default()).unwrap()
    }

    #[test]
    fn placeholders_are_bound_by_number_not_by_appearance() {
        let folder = tempfile::tempdir().unwrap();
        let session: &mut dyn Session = &mut open(&folder.path().join("p.db"), false);
        let row = session.first("SELECT $2, $1, $2", &["one".into(), "two".into()]).unwrap().unwrap();
        assert_eq!(row, ["two".into(), "one".into(), "two".into()]);
        assert!(matches!(session.first("SELECT $3", &[Value::Null]), Err(StoreError::Bug(_))));
    }

    #[test]
    fn a_list_of_ids_is_one_parameter() {
        let folder = tempfile::tempdir().unwrap();
        let mut connection = open(&folder.path().join("l.db"), false);
        connection.batch("CREATE TABLE t (a INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)").unwrap();
        let rows = connection
            .session()
            .rows("SELECT a FROM t WHERE a = ANY($1) ORDER BY a", &[[3, 1, 9].into_iter().collect()])
            .unwrap();
        assert_eq!(rows, [vec![Value::Int(1)], vec![Value::Int(3)]]);
    }

    #[test]
    fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.db");
        open(&path, false).batch("CREATE TABLE t (a)").unwrap();
        let error = open(&path, true).execute("INSERT INTO t VALUES ($1)", &[1.into()]).unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    }
}
