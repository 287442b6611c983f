//! The engines: the one place that knows which there are.
//!
//! How to add one more: a folder beside `sqlite` with its [`Connection`], a variant of [`Database`] with its arms here,
//! a folder of migrations, and its module in the tests' `on_each_engine!`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::connection::{Connection, DatabaseState, StatementLog};
use super::error::{Result, StoreError};
use super::look::Look;
use super::migrations::Migration;
use super::{postgres, sqlite};

/// Where the data is: an engine and what it needs to find its database.
#[derive(Clone)]
pub enum Database {
    /// A SQLite file; made when it does not exist.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server, or of one that speaks its protocol.
    Postgres(postgres::PostgresServer),
}

impl fmt::Display for Database {
    /// The path, or the servers' names: never a password.
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
    /// Looks whether the database can be used.
    ///
    /// # Errors
    /// One sentence on why not: it is another program's, damaged, cannot be reached or does not sort by bytes.
    pub fn inspect(&self) -> std::result::Result<DatabaseState, String> {
        apart(|| match self {
            Database::Sqlite(path) => sqlite::inspect(path),
            Database::Postgres(server) => postgres::inspect(server),
        })
    }

    /// Whether another program has the database's file open, or one was killed that had; never for a server's.
    pub fn is_left_open(&self) -> bool {
        self.file().is_some_and(sqlite::is_left_open)
    }

    /// One state of the database, also while servers write to it. Nothing is changed or made.
    ///
    /// # Errors
    /// One sentence on why it cannot be read.
    pub fn look(&self) -> std::result::Result<Box<dyn Look>, String> {
        Ok(match self {
            Database::Sqlite(path) => Box::new(sqlite::Frozen::beside_others(path)?),
            Database::Postgres(server) => {
                Box::new(postgres::look(server).map_err(|error| format!("{server}: {error}"))?)
            }
        })
    }

    /// The file that the database is; `None` when it is a server's.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Database::Sqlite(path) => Some(path),
            Database::Postgres(_) => None,
        }
    }

    /// The log beside the file; `None` where a server has its own.
    pub(super) fn log(&self) -> Option<PathBuf> {
        self.file().map(|file| sqlite::beside(file, "-wal"))
    }

    /// The engine's own files of migrations, in order.
    pub(super) fn migrations(&self) -> &'static [Migration] {
        match self {
            Database::Sqlite(_) => Migration::SQLITE,
            Database::Postgres(_) => Migration::POSTGRES,
        }
    }

    /// How many threads work for each core that may read. A file keeps a thread busy, a server lets it wait.
    pub(super) fn threads_per_reader(&self) -> usize {
        match self {
            Database::Sqlite(_) => 1,
            Database::Postgres(_) => super::readers::CONNECTIONS_PER_READER,
        }
    }

    /// How many groups of saves are written at the same time, each of one tenant. SQLite has one writer for all.
    pub(super) fn writers(&self) -> Writers {
        match self {
            Database::Sqlite(_) => Writers { threads: 1, by_tenant: false },
            Database::Postgres(_) => Writers { threads: 8, by_tenant: true },
        }
    }
}

/// Does what touches a connection on a thread of its own and waits for it: the caller's may drive async tasks.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

/// How an engine writes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writers {
    /// The threads, each with a connection of its own.
    pub threads: usize,
    /// Whether saves of several tenants are written beside each other.
    pub by_tenant: bool,
}

/// Opens connections to one database. Readers cannot write: their connections, or their transactions, are read-only,
/// so that a statement that should have gone through the writer fails in the first test.
#[derive(Clone)]
pub(super) struct Manager {
    pub(super) database: Database,
    pub(super) readonly: bool,
    pub(super) statements: Arc<StatementLog>,
}

impl Manager {
    pub(super) fn open(&self) -> Result<Box<dyn Connection>> {
        let statements = Arc::clone(&self.statements);
        Ok(match &self.database {
            Database::Sqlite(path) => Box::new(sqlite::SqliteConnection::open(path, self.readonly, statements)?),
            Database::Postgres(server) => Box::new(postgres::PostgresConnection::open(server, statements)?),
        })
    }
}

impl Manager {
    /// A connection that only tells its [`Connection::data_version`]; `None` where it cannot.
    pub(super) fn open_watching(&self) -> Result<Option<Box<dyn Connection>>> {
        Ok(match &self.database {
            Database::Sqlite(path) => {
                Some(Box::new(sqlite::SqliteConnection::open_watching(path, Arc::clone(&self.statements))?))
            }
            Database::Postgres(_) => None,
        })
    }
}

impl r2d2::ManageConnection for Manager {
    type Connection = Box<dyn Connection>;
    type Error = StoreError;

    fn connect(&self) -> Result<Self::Connection> {
        self.open()
    }

    /// Asks nothing: a lost connection shows itself in the first statement, which is then repeated on a new one.
    fn is_valid(&self, connection: &mut Self::Connection) -> Result<()> {
        if connection.is_broken() { Err(StoreError::Unavailable("the connection is lost".into())) } else { Ok(()) }
    }

    fn has_broken(&self, connection: &mut Self::Connection) -> bool {
        connection.is_broken()
    }
}
