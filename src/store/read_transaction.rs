//! A request's read transaction, and the reads that run in it.

use crossbeam_channel::Sender;
use tokio::sync::OwnedSemaphorePermit;

use super::cancellation::{CancellableSession, Cancellation};
use super::engine::ConnectionManager;
use super::error::{Result, StoreError};
use super::session::Session;
use super::tally::{CountingSession, Tally};

pub(super) type Pool = r2d2::Pool<ConnectionManager>;
/// Work for a reader thread. Connections are opened, used and dropped only there.
pub(super) type Job = Box<dyn FnOnce(&Pool) + Send>;

/// Sends the result of a read to its caller.
pub(super) type Delivery = Box<dyn FnOnce() + Send>;
/// A read. It gets a connection, or the reason why there is none.
pub(super) type Read = Box<dyn FnOnce(Result<&mut dyn Session>) -> Delivery + Send>;

/// Answers all reads with the same error.
pub(super) fn fail_all(reads: Vec<Read>, error: &StoreError) -> Vec<Delivery> {
    reads.into_iter().map(|read| read(Err(error.clone()))).collect()
}

/// The error of a read whose thread has ended.
pub(super) fn reader_stopped() -> StoreError {
    StoreError::Bug("a reader stopped while it worked".into())
}

/// A connection inside a read transaction. Wherever it is dropped, even in a cancelled async task, the transaction ends
/// on a reader thread, the only place where connections may be touched.
pub(super) struct ReadTransaction {
    /// `None` once the transaction has ended.
    held: Option<(r2d2::PooledConnection<ConnectionManager>, OwnedSemaphorePermit)>,
    jobs: Sender<Job>,
}

impl ReadTransaction {
    pub(super) fn begin(pool: &Pool, permit: OwnedSemaphorePermit, jobs: Sender<Job>) -> Result<Self> {
        let mut connection = pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        connection.begin_read()?;
        Ok(Self { held: Some((connection, permit)), jobs })
    }

    /// Runs reads until they are cancelled, and counts their statements.
    pub(super) fn run_reads(
        &mut self,
        reads: Vec<Read>,
        cancellation: &Cancellation,
        tally: Option<&Tally>,
    ) -> Vec<Delivery> {
        let Some((connection, _)) = &mut self.held else { return fail_all(reads, &reader_stopped()) };
        cancellation.run_reads(connection.interrupt(), || {
            let mut session = CancellableSession { session: connection.session(), cancellation };
            let one = |read: Read| match tally {
                Some(tally) => read(Ok(&mut CountingSession { session: &mut session, tally })),
                None => read(Ok(&mut session)),
            };
            reads.into_iter().map(one).collect()
        })
    }

    /// Ends the transaction. Must be called on a reader thread.
    pub(super) fn end(&mut self) {
        if let Some((mut connection, _permit)) = self.held.take() {
            connection.rollback();
        }
    }
}

impl Drop for ReadTransaction {
    fn drop(&mut self) {
        if let Some((mut connection, permit)) = self.held.take() {
            // The reader threads live as long as this sender.
            let _ = self.jobs.send(Box::new(move |_| {
                connection.rollback();
                drop(connection);
                drop(permit);
            }));
        }
    }
}
