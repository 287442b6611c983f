//! A request's view of the database.
//!
//! A request keeps its connection, so that all its reads see one state. Any reader thread can run its next reads.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, oneshot};

use super::cancellation::Cancellation;
use super::deadline::Deadline;
use super::error::{Result, StoreError};
use super::metrics::Metrics;
use super::read_transaction::{Delivery, Pool, Read, ReadTransaction, fail_all, reader_stopped};
use super::readers::Readers;
use super::session::{Query, Session};
use super::tally::Tally;
use crate::domain::{Stopwatch, TenantId};

/// How long a request waits until another one returns a connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// No tenant has been read.
const NO_TENANT: i64 = 0;
/// More than one tenant has been read, or data that belongs to no tenant.
const MORE_THAN_ONE: i64 = -1;

/// What happens to a request's transaction after its reads.
#[derive(Clone, Copy)]
enum AfterReads {
    KeepTransaction,
    EndTransaction,
}

/// Counts a request as waiting for a connection. The count goes down on drop, also when the request is cancelled.
struct PoolWaitGuard<'a>(&'a Metrics);

impl<'a> PoolWaitGuard<'a> {
    fn begin(metrics: &'a Metrics) -> Self {
        metrics.pool_waiting.inc();
        Self(metrics)
    }
}

impl Drop for PoolWaitGuard<'_> {
    fn drop(&mut self) {
        self.0.pool_waiting.dec();
    }
}

/// One request's view of the database. All reads see the same state, from the first read until [`Snapshot::renew`].
///
/// A read normally runs at once. After [`Snapshot::gather`], reads wait until [`Snapshot::flush`] runs all of them: in
/// one trip to a thread, with all answers at the same moment. Reads are interrupted when the snapshot is dropped or its
/// deadline has passed.
pub struct Snapshot {
    transaction: Mutex<Option<ReadTransaction>>,
    waiting: std::sync::Mutex<Vec<Read>>,
    gathering: AtomicBool,
    /// The tenant that has been read since the last [`Snapshot::gather`], or [`NO_TENANT`] or [`MORE_THAN_ONE`].
    depends: AtomicI64,
    tally: Option<Arc<Tally>>,
    deadline: Option<Deadline>,
    cancellation: Arc<Cancellation>,
    /// Dropped last: dropping the last reference waits for the threads, which only end when no other field holds a
    /// sender to them.
    readers: Arc<Readers>,
}

impl Snapshot {
    pub(super) fn new(readers: Arc<Readers>, tally: Option<Arc<Tally>>) -> Self {
        Self {
            transaction: Mutex::default(),
            waiting: std::sync::Mutex::default(),
            gathering: AtomicBool::default(),
            depends: AtomicI64::new(NO_TENANT),
            tally,
            deadline: None,
            cancellation: Arc::default(),
            readers,
        }
    }

    /// Limits the time for reads, and for writes of the same request, from now on.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.deadline = Some(Deadline::within(limit));
        self
    }

    /// The deadline of the request.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    fn cancel(&self) {
        if let Some(cancellations) = &self.readers.cancellations {
            self.cancellation.cancel(cancellations);
        }
    }

    /// The counter of the request's statements.
    pub fn tally(&self) -> Option<Arc<Tally>> {
        self.tally.clone()
    }

    /// Counts one batch of a loader with its number of keys. `of` is the loader's name, one of the program's own.
    pub fn count_batch(&self, of: &'static str, keys: usize) {
        self.readers.metrics.count_batch(of, keys);
        if let Some(tally) = &self.tally {
            tally.count_batch(of, keys);
        }
    }

    /// From now on, reads wait for [`Snapshot::flush`], and the snapshot records which tenant they depend on.
    pub fn gather(&self) {
        self.gathering.store(true, Ordering::Relaxed);
        self.depends.store(NO_TENANT, Ordering::Relaxed);
    }

    /// Whether nothing but this tenant has been read since [`Snapshot::gather`]. If so, the same reads give the same
    /// results as long as the tenant's revision stays the same.
    pub fn depends_only_on(&self, tenant: TenantId) -> bool {
        [NO_TENANT, tenant.0].contains(&self.depends.load(Ordering::Relaxed))
    }

    /// Records that the answer depends on more than the rows of one tenant, for example on the time.
    pub fn depends_on_more(&self) {
        self.depends.store(MORE_THAN_ONE, Ordering::Relaxed);
    }

    /// Reads the data of one tenant.
    ///
    /// # Errors
    /// The error of the closure, or why the database cannot be read.
    pub async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&mut Query<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_session(Some(tenant), move |session| work(&mut Query::new(session, tenant))).await
    }

    /// Reads anything. `depends` is the only tenant that the result depends on, if there is one.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_session<T: Send + 'static>(
        &self,
        depends: Option<TenantId>,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let before = depends.map(|tenant| {
            let before = self.depends.compare_exchange(NO_TENANT, tenant.0, Ordering::Relaxed, Ordering::Relaxed);
            before.is_ok() || before == Err(tenant.0)
        });
        if before != Some(true) {
            self.depends_on_more();
        }
        self.submit(work, AfterReads::KeepTransaction).await
    }

    /// Reads data that belongs to no tenant: the tenants themselves, and tokens.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_system<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_session(None, work).await
    }

    /// Runs all reads of a request in one trip to a thread, and ends the transaction: later reads see another state.
    /// `depends` is the only tenant that the result depends on, if there is one.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_in_one_trip<T: Send + 'static>(
        &self,
        depends: Option<TenantId>,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.gathering.store(false, Ordering::Relaxed);
        self.depends.store(depends.map_or(MORE_THAN_ONE, |tenant| tenant.0), Ordering::Relaxed);
        self.submit(work, AfterReads::EndTransaction).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
        then: AfterReads,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |session| {
            let result = session.and_then(work);
            // The caller may be gone.
            Box::new(move || drop(reply.send(result)))
        });
        let answered = async {
            self.waiting().push(read);
            if !self.gathering.load(Ordering::Relaxed) {
                self.run_reads(then).await;
            }
            answer.await.map_err(|_| reader_stopped())?
        };
        match self.deadline {
            None => answered.await,
            Some(deadline) if deadline.is_over() => Err(deadline.error()),
            Some(deadline) => tokio::time::timeout_at(deadline.at, answered).await.unwrap_or_else(|_| {
                self.cancel();
                Err(deadline.error())
            }),
        }
    }

    /// The waiting reads. A poisoned lock only means that another thread panicked; the list is intact.
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Read>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are waiting reads.
    pub fn is_waiting(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// Runs all waiting reads in order, and then answers all of them.
    pub async fn flush(&self) {
        self.run_reads(AfterReads::KeepTransaction).await;
    }

    async fn run_reads(&self, then: AfterReads) {
        let mut current = self.transaction.lock().await;
        let reads = std::mem::take(&mut *self.waiting());
        let transaction = current.take();
        let permit = if transaction.is_some() { Ok(None) } else { self.permit().await.map(Some) };
        let Some(jobs) = self.readers.jobs.clone() else { return };
        let tally = self.tally.clone();
        let cancellation = Arc::clone(&self.cancellation);
        let work = move |pool: &Pool| {
            let transaction = cancellation.check().and_then(|()| match (transaction, permit) {
                (Some(transaction), _) => Ok(transaction),
                (None, Ok(Some(permit))) => ReadTransaction::begin(pool, permit, jobs),
                (None, Ok(None)) => Err(reader_stopped()),
                (None, Err(error)) => Err(error),
            });
            match transaction {
                Ok(mut transaction) => {
                    let deliveries = transaction.run_reads(reads, &cancellation, tally.as_deref());
                    (Some(transaction), deliveries)
                }
                Err(error) => (None, fail_all(reads, &error)),
            }
        };
        let deliver = |deliveries: Vec<Delivery>| deliveries.into_iter().for_each(|deliver| deliver());
        // Without an answer, the deliveries and their senders are dropped, which every caller notices.
        match then {
            AfterReads::KeepTransaction => {
                if let Ok((transaction, deliveries)) = self.readers.run(work).await {
                    *current = transaction;
                    deliver(deliveries);
                }
            }
            // Answer before the transaction ends, because ending it takes another round trip over a network.
            AfterReads::EndTransaction => {
                let _ = self.readers.send(Box::new(move |pool| {
                    let (transaction, deliveries) = work(pool);
                    deliver(deliveries);
                    transaction.into_iter().for_each(|mut transaction| transaction.end());
                }));
            }
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.readers.free_connections).acquire_owned();
        let (begun, waiting) = (Stopwatch::start(), PoolWaitGuard::begin(&self.readers.metrics));
        let found = tokio::time::timeout(PATIENCE, free).await;
        drop(waiting);
        self.readers.metrics.pool_wait.observe(begun.elapsed().as_secs_f64());
        match found {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(StoreError::Busy("all connections are in use".into())),
        }
    }

    /// Ends the transaction, so that the next read sees everything committed since.
    pub async fn renew(&self) {
        drop(self.transaction.lock().await.take());
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.cancel();
    }
}
