//! What an engine has to give: connections that begin and end transactions.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::error::Result;
use super::session::Session;
use super::stop::Interrupt;

/// What to do about a file that is damaged.
pub(super) const BRING_BACK: &str = "bring it back from a backup with `vext restore FILE --force`";

/// What is in a database, looked at before anything is written to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DatabaseState {
    /// Nothing: a file that does not exist, or a database without tables.
    Nothing,
    /// A database of this program.
    Ours,
}

/// A connection of either engine. What begins a transaction ends it too; a [`Session`] only works inside one.
pub(super) trait Connection: Session + Send {
    /// Begins a transaction that sees one state of the database and changes nothing.
    fn begin_read(&mut self) -> Result<()>;

    /// Begins a transaction that writes.
    fn begin_write(&mut self) -> Result<()>;

    /// Makes what was written last.
    ///
    /// # Errors
    /// [`Unknown`](super::error::StoreError::Unknown) when the connection was lost meanwhile: it may have been done or not.
    fn commit(&mut self) -> Result<()>;

    /// Undoes what was written since the transaction began, if it is still there.
    fn rollback(&mut self);

    /// What is wrong with the whole file, if anything; a server looks after its own.
    fn damage(&mut self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Runs statements that take no parameters and give no rows, as migrations have them.
    fn batch(&mut self, sql: &str) -> Result<()>;

    /// Runs one such statement that is run often: one of a transaction or a savepoint.
    fn plain(&mut self, sql: &'static str) -> Result<()> {
        self.batch(sql)
    }

    /// Runs what waits, see [`Session::later`].
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Marks the database as ours, once its first migrations are applied.
    fn claim(&mut self) -> Result<()>;

    /// A number that another one follows as soon as any other connection, of whichever process, has committed; `None`
    /// where only the server could tell.
    ///
    /// # Errors
    /// What the engine answers, at once: it waits for nobody.
    fn data_version(&mut self) -> Result<Option<u32>> {
        Ok(None)
    }

    /// Brings what stands in the log beside the file into the file, and empties the log. Only the latter holds up saves, as
    /// long as others still read from the log, and no longer than `patience`; `false` when they do even then.
    ///
    /// # Errors
    /// What the engine answers.
    fn empty_log(&mut self, _patience: Duration) -> Result<bool> {
        Ok(true)
    }

    /// Whether the connection is of no use any more.
    fn is_broken(&self) -> bool;

    /// What interrupts a statement of this connection, from any other thread. The connection may count as broken then.
    fn interrupt(&self) -> Interrupt;

    /// The same as an object without this trait.
    fn session(&mut self) -> &mut dyn Session;
}

/// What the connections of a store have been asked.
#[derive(Debug, Default)]
pub(super) struct StatementLog {
    run: AtomicU64,
    texts: Mutex<BTreeSet<&'static str>>,
}

impl StatementLog {
    /// Counts a statement.
    pub(super) fn count(&self) {
        self.run.fetch_add(1, Ordering::Relaxed);
    }

    /// Remembers the text of a statement that a connection sees for the first time.
    pub(super) fn note(&self, sql: &'static str) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).insert(sql);
    }

    /// How many have been run, without those that begin and end transactions.
    pub(super) fn run(&self) -> u64 {
        self.run.load(Ordering::Relaxed)
    }

    /// The texts, in alphabetical order.
    pub(super) fn texts(&self) -> Vec<&'static str> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}
