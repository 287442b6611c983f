//! The database engines: the one place that lists them.
//!
//! How to add one: a folder beside `sqlite` with its [`Connection`], a variant of [`Database`] with its match arms
//! here, a folder of migrations, and a module in the `on_each_engine!` macro of the tests.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{Connection, DatabaseState, StatementStats};
use super::error::{Result, StoreError};
use super::migrations::Migration;
use super::view::DatabaseView;
use super::{postgres, sqlite};

/// The location of the data: an engine and what it needs to find its database.
#[derive(Clone)]
pub enum Database {
    /// A SQLite file, which is created if it does not exist.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server, or of one that speaks its protocol.
    Postgres(postgres::PostgresServer),
}

impl fmt::Display for Database {
    /// The path, or the names of the servers; never a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite(path) => path.display().fmt(f),
            Database::Postgres(server) => server.fmt(f),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Database {
    /// Checks whether the database can be used.
    ///
    /// # Errors
    /// One sentence that says why not: it belongs to another program, is damaged, cannot be reached or does not sort by
    /// bytes.
    pub fn inspect(&self) -> std::result::Result<DatabaseState, String> {
        on_own_thread(|| match self {
            Database::Sqlite(path) => sqlite::inspect(path),
            Database::Postgres(server) => postgres::inspect(server),
        })
    }

    /// Whether another program has the database file open, or was killed while it had. Always false for a server.
    pub fn is_left_open(&self) -> bool {
        self.file().is_some_and(sqlite::is_left_open)
    }

    /// Opens one state of the database read-only, even while servers write to it. Changes and creates nothing.
    ///
    /// # Errors
    /// One sentence that says why it cannot be read.
    pub fn open_view(&self) -> std::result::Result<Box<dyn DatabaseView>, String> {
        Ok(match self {
            Database::Sqlite(path) => Box::new(sqlite::SqliteView::open_in_use(path)?),
            Database::Postgres(server) => {
                Box::new(postgres::open_view(server).map_err(|error| format!("{server}: {error}"))?)
            }
        })
    }

    /// The path of the database file; `None` for a server.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Database::Sqlite(path) => Some(path),
            Database::Postgres(_) => None,
        }
    }

    /// The path of SQLite's write-ahead log; `None` for a server, which manages its own.
    pub(super) fn log(&self) -> Option<PathBuf> {
        self.file().map(|file| sqlite::sidecar_path(file, "-wal"))
    }

    /// The migrations of the engine, in order.
    pub(super) fn migrations(&self) -> &'static [Migration] {
        match self {
            Database::Sqlite(_) => Migration::SQLITE,
            Database::Postgres(_) => Migration::POSTGRES,
        }
    }

    /// The number of the newest migration, which is that of the schema.
    pub fn schema(&self) -> usize {
        self.migrations().len()
    }

    /// The number of threads for each core that may read. A file keeps a thread busy; with a server, it mostly waits.
    pub(super) fn threads_per_reader(&self) -> usize {
        match self {
            Database::Sqlite(_) => 1,
            Database::Postgres(_) => super::readers::CONNECTIONS_PER_READER,
        }
    }

    /// How many groups of saves are written at the same time, each for one tenant. SQLite has one writer for all
    /// tenants.
    pub(super) fn writers(&self) -> WriterThreads {
        match self {
            Database::Sqlite(_) => WriterThreads { threads: 1, by_tenant: false },
            Database::Postgres(_) => WriterThreads { threads: 8, by_tenant: true },
        }
    }
}

/// Runs work that touches a connection on a new thread and waits for it, because the caller's thread may run async
/// tasks.
pub(super) fn on_own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// The writer threads of an engine.
#[derive(Clone, Copy, Debug)]
pub(super) struct WriterThreads {
    /// The number of threads, each with its own connection.
    pub threads: usize,
    /// Whether saves of different tenants are written in parallel.
    pub by_tenant: bool,
}

/// Opens connections to one database. Readers cannot write, because their connections or transactions are read-only: a
/// statement that should go through the writer fails in its first test.
#[derive(Clone)]
pub(super) struct ConnectionManager {
    pub(super) database: Database,
    pub(super) readonly: bool,
    pub(super) statements: Arc<StatementStats>,
}

impl ConnectionManager {
    pub(super) fn open(&self) -> Result<Box<dyn Connection>> {
        let statements = Arc::clone(&self.statements);
        Ok(match &self.database {
            Database::Sqlite(path) => Box::new(sqlite::SqliteConnection::open(path, self.readonly, statements)?),
            Database::Postgres(server) => Box::new(postgres::PostgresConnection::open(server, statements)?),
        })
    }
}

impl ConnectionManager {
    /// Opens a connection that is only used for [`Connection::data_version`]; `None` if the engine does not support
    /// that.
    pub(super) fn open_for_data_version(&self) -> Result<Option<Box<dyn Connection>>> {
        Ok(match &self.database {
            Database::Sqlite(path) => {
                Some(Box::new(sqlite::SqliteConnection::open_for_data_version(path, Arc::clone(&self.statements))?))
            }
            Database::Postgres(_) => None,
        })
    }
}

impl r2d2::ManageConnection for ConnectionManager {
    type Connection = Box<dyn Connection>;
    type Error = StoreError;

    fn connect(&self) -> Result<Self::Connection> {
        self.open()
    }

    /// Sends no query: a lost connection is noticed by the first statement, which is then repeated on a new connection.
    fn is_valid(&self, connection: &mut Self::Connection) -> Result<()> {
        if connection.is_broken() { Err(StoreError::Unavailable("the connection is lost".into())) } else { Ok(()) }
    }

    fn has_broken(&self, connection: &mut Self::Connection) -> bool {
        connection.is_broken()
    }
}
