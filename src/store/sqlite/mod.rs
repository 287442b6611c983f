//! The SQLite engine: the only folder that uses `rusqlite`.

mod backup;
mod errors;
mod inspect;
mod values;
mod view;

use std::borrow::Cow;
use std::collections::HashMap;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, OpenFlags};

use super::cancellation::Interrupt;
use super::connection::{Connection, StatementStats};
use super::error::Result;
use super::session::{RowVisitor, Session};
use crate::domain::Value;
pub use backup::{ExclusiveFile, copy_database};
use errors::store_error;
pub use inspect::{FileIntegrityCheck, sidecar_path};
pub(super) use inspect::{inspect, is_left_open};
use values::{ANY, SqliteRow, bind, is_list};
pub use view::SqliteView;

/// `vext` in ASCII: marks a file as a database of vext.
const APPLICATION_ID: i64 = 0x7665_7874;
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Enough for every statement of the program, so that none is prepared twice.
const CACHED_STATEMENTS: usize = 256;

/// A connection to a SQLite file.
pub(super) struct SqliteConnection {
    connection: rusqlite::Connection,
    statements: Arc<StatementStats>,
    /// The translation of each statement that has been run on this connection.
    native: HashMap<&'static str, NativeSql>,
}

impl SqliteConnection {
    /// Opens a file, or creates it. A `readonly` connection refuses to write.
    #[expect(clippy::disallowed_methods, reason = "the one place that opens databases")]
    pub(super) fn open(path: &Path, readonly: bool, statements: Arc<StatementStats>) -> Result<Self> {
        // SQLite would create a file with all permissions that the umask allows, and its log gets the mode of the file.
        // If this fails, SQLite reports why.
        let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let connection = rusqlite::Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(store_error)?;
        configure(&connection, readonly).map_err(store_error)?;
        Ok(Self { connection, statements, native: HashMap::new() })
    }

    /// Opens a file for [`Connection::data_version`] alone.
    pub(super) fn open_for_data_version(path: &Path, statements: Arc<StatementStats>) -> Result<Self> {
        let opened = Self::open(path, true, statements)?;
        opened.connection.busy_timeout(Duration::ZERO).map_err(store_error)?;
        Ok(opened)
    }

    fn prepare(&mut self, sql: &'static str, params: &[Value]) -> Result<CachedStatement<'_>> {
        self.statements.count_run();
        let native = self.native.entry(sql).or_insert_with(|| {
            self.statements.record_text(sql);
            NativeSql::translate(sql)
        });
        let for_single = native.for_single.as_ref().filter(|_| !params.iter().any(is_list));
        let text = for_single.map_or(&*native.for_list, String::as_str);
        let mut statement = self.connection.prepare_cached(text).map_err(store_error)?;
        bind(&mut statement, params, for_single.is_some())?;
        Ok(statement)
    }
}

fn configure(connection: &rusqlite::Connection, readonly: bool) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Without this, the bundled build plans statements for their values and prepares cached ones again on every use.
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
    // `store/write_ahead_log.rs` does that.
    connection.pragma_update(None, "wal_autocheckpoint", 0)
}

impl Connection for SqliteConnection {
    fn begin_read(&mut self) -> Result<()> {
        self.control("BEGIN")
    }

    fn begin_write(&mut self) -> Result<()> {
        self.control("BEGIN IMMEDIATE")
    }

    fn commit(&mut self) -> Result<()> {
        self.control("COMMIT")
    }

    fn rollback(&mut self) {
        // A full disk and some other errors end the transaction by themselves.
        if !self.connection.is_autocommit() {
            let _ = self.control("ROLLBACK");
        }
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(store_error)
    }

    fn control(&mut self, sql: &'static str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(store_error)?;
        statement.raw_execute().map(drop).map_err(store_error)
    }

    fn mark_as_ours(&mut self) -> Result<()> {
        self.connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(store_error)
    }

    fn damage(&mut self) -> Result<Option<String>> {
        inspect::failed_check(&self.connection, "PRAGMA quick_check(1)").map_err(store_error)
    }

    /// SQLite's `data_version` (www.sqlite.org/pragma.html#pragma_data_version). Takes some microseconds.
    fn data_version(&mut self) -> Result<Option<u32>> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version").map_err(store_error)?;
        statement.query_row([], |row| row.get(0)).map(Some).map_err(store_error)
    }

    fn empty_log(&mut self, patience: Duration) -> Result<bool> {
        let copy = |how| self.connection.query_row(how, [], |row| row.get(0)).map_err(store_error);
        // The second checkpoint blocks saves, but only has to copy what was saved during the first.
        let _: bool = copy("PRAGMA wal_checkpoint(PASSIVE)")?;
        self.connection.busy_timeout(patience).map_err(store_error)?;
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

/// A statement translated for SQLite. SQLite has no arrays, so a list is bound to the table-valued function `rarray`,
/// which SQLite copies to a temporary index at each use. A list of one value is bound as a plain value, which avoids
/// that.
struct NativeSql {
    for_list: Cow<'static, str>,
    for_single: Option<String>,
}

impl NativeSql {
    fn translate(sql: &'static str) -> Self {
        if sql.contains(ANY) {
            Self { for_list: Cow::Owned(sql.replace(ANY, "IN rarray(")), for_single: Some(sql.replace(ANY, "= (")) }
        } else {
            Self { for_list: Cow::Borrowed(sql), for_single: None }
        }
    }
}

impl Session for SqliteConnection {
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        let mut statement = self.prepare(sql, params)?;
        let count = statement.column_count();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(store_error)? {
            each(&SqliteRow { row, count })?;
        }
        Ok(())
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let changed = self.prepare(sql, params)?.raw_execute().map_err(store_error)?;
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
