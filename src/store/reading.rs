//! A request's read transaction, and the reads that are carried out in it.

use crossbeam_channel::Sender;
use tokio::sync::OwnedSemaphorePermit;

use super::engine::Manager;
use super::error::{Result, StoreError};
use super::session::Session;
use super::stop::{Stop, Stoppable};
use super::tally::{Tallied, Tally};

pub(super) type Pool = r2d2::Pool<Manager>;
/// Work for a thread, which has the pool: connections are opened, used and dropped there and nowhere else.
pub(super) type Job = Box<dyn FnOnce(&Pool) + Send>;

/// Hands a read's result to who asked for it.
pub(super) type Delivery = Box<dyn FnOnce() + Send>;
/// A read, on a connection or told why there is none.
pub(super) type Read = Box<dyn FnOnce(Result<&mut dyn Session>) -> Delivery + Send>;

/// Tells reads why they are not carried out.
pub(super) fn refuse(reads: Vec<Read>, error: &StoreError) -> Vec<Delivery> {
    reads.into_iter().map(|read| read(Err(error.clone()))).collect()
}

/// Why a read is not answered whose thread is gone.
pub(super) fn stopped() -> StoreError {
    StoreError::Bug("a reader stopped while it worked".into())
}

/// A connection inside a read transaction. Wherever it is dropped, an async task that was given up included, the
/// transaction ends on a reader's thread, where connections may be touched.
pub(super) struct Reading {
    /// Taken out when it is dropped.
    held: Option<(r2d2::PooledConnection<Manager>, OwnedSemaphorePermit)>,
    jobs: Sender<Job>,
}

impl Reading {
    pub(super) fn begin(pool: &Pool, permit: OwnedSemaphorePermit, jobs: Sender<Job>) -> Result<Self> {
        let mut connection = pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        connection.begin_read()?;
        Ok(Self { held: Some((connection, permit)), jobs })
    }

    /// Carries out reads, which stop when they are given up, and counts their statements.
    pub(super) fn carry_out(&mut self, reads: Vec<Read>, stop: &Stop, tally: Option<&Tally>) -> Vec<Delivery> {
        let Some((connection, _)) = &mut self.held else { return refuse(reads, &stopped()) };
        stop.watch(connection.interrupt(), || {
            let mut session = Stoppable { session: connection.session(), stop };
            let one = |read: Read| match tally {
                Some(tally) => read(Ok(&mut Tallied { session: &mut session, tally })),
                None => read(Ok(&mut session)),
            };
            reads.into_iter().map(one).collect()
        })
    }

    /// Ends the transaction, on a reader's thread.
    pub(super) fn end(&mut self) {
        if let Some((mut connection, _permit)) = self.held.take() {
            connection.rollback();
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some((mut connection, permit)) = self.held.take() {
            // The threads live as long as this sender.
            let _ = self.jobs.send(Box::new(move |_| {
                connection.rollback();
                drop(connection);
                drop(permit);
            }));
        }
    }
}
