//! What an engine has to provide: connections that begin and end transactions.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::cancellation::Interrupt;
use super::error::Result;
use super::session::Session;

/// Tells the operator what to do about a damaged file.
pub(super) const RESTORE_HINT: &str = "restore it from a backup with `vext restore FILE --force`";

/// The content of a database, checked before anything is written to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DatabaseState {
    /// No tables, or a file that does not exist.
    Empty,
    /// A database of this program.
    Ours,
}

/// A connection of any engine. Its owner begins and ends transactions; a [`Session`] only works inside one.
pub(super) trait Connection: Session + Send {
    /// Begins a read-only transaction that sees one state of the database.
    fn begin_read(&mut self) -> Result<()>;

    /// Begins a transaction that writes.
    fn begin_write(&mut self) -> Result<()>;

    /// Commits the transaction.
    ///
    /// # Errors
    /// [`Unknown`](super::error::StoreError::Unknown) if the connection was lost meanwhile: it may or may not be
    /// committed.
    fn commit(&mut self) -> Result<()>;

    /// Rolls the transaction back, if there is one.
    fn rollback(&mut self);

    /// Checks the whole file for damage. A server checks its own files.
    fn damage(&mut self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Runs statements without parameters and without result rows, such as those of a migration.
    fn batch(&mut self, sql: &str) -> Result<()>;

    /// Runs one such statement that controls a transaction or a savepoint. Some engines cache or queue it.
    fn control(&mut self, sql: &'static str) -> Result<()> {
        self.batch(sql)
    }

    /// Runs the queued statements, see [`Session::execute_later`].
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Marks the database as one of vext, after its first migrations.
    fn mark_as_ours(&mut self) -> Result<()>;

    /// A number that changes as soon as any other connection of any process commits; `None` if only a server could
    /// tell.
    ///
    /// # Errors
    /// An engine error. It returns at once and never waits for a lock.
    fn data_version(&mut self) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Copies the log into the database file and then empties the log. Only the second step blocks saves: it waits at
    /// most `patience` for those that still read from the log. `false` if they still do then.
    ///
    /// # Errors
    /// An engine error.
    fn empty_log(&mut self, _patience: Duration) -> Result<bool> {
        Ok(true)
    }

    /// Whether the connection can no longer be used.
    fn is_broken(&self) -> bool;

    /// A function that interrupts a statement of this connection from another thread. The connection may count as
    /// broken afterwards.
    fn interrupt(&self) -> Interrupt;

    /// This connection as a [`Session`].
    fn session(&mut self) -> &mut dyn Session;
}

/// Counts the statements of all connections of a store, and remembers their texts.
#[derive(Debug, Default)]
pub(super) struct StatementStats {
    run_count: AtomicU64,
    texts: Mutex<BTreeSet<&'static str>>,
}

impl StatementStats {
    /// Counts a statement.
    pub(super) fn count_run(&self) {
        self.run_count.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers the text of a statement when a connection first runs it.
    pub(super) fn record_text(&self, sql: &'static str) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
    }

    /// The number of statements run, without those that begin and end transactions.
    pub(super) fn run_count(&self) -> u64 {
        self.run_count.load(Ordering::Relaxed)
    }

    /// The texts, in alphabetical order.
    pub(super) fn texts(&self) -> Vec<&'static str> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
