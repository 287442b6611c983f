//! A request's view of the database.
//!
//! A request's connection stays with the request, so that all its reads see one state; the threads only lend their time.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, OwnedSemaphorePermit, oneshot};

use super::deadline::Deadline;
use super::error::{Result, StoreError};
use super::metrics::Metrics;
use super::readers::Readers;
use super::reading::{Delivery, Pool, Read, Reading, refuse, stopped};
use super::session::{Query, Session};
use super::stop::Stop;
use super::tally::Tally;
use crate::domain::{Stopwatch, TenantId};

/// How long a request waits for one of the connections that others use.
const PATIENCE: Duration = Duration::from_secs(5);
/// No tenant has been read.
const NOTHING: i64 = 0;
/// More than one tenant has been read, or what belongs to none.
const MORE: i64 = -1;

/// What comes of a request's transaction after its reads.
#[derive(Clone, Copy)]
enum Then {
    GoesOn,
    Ends,
}

/// A request that waits for a connection, as long as the value lives: it may give up.
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
/// A read is carried out at once, or, between [`Snapshot::gather`] and the end, together with all others that wait
/// when [`Snapshot::flush`] is called: one trip to a thread for all of them, and all answers at the same moment. Reads
/// that nobody waits for any more, because the snapshot is dropped or its time is over, are interrupted.
pub struct Snapshot {
    reading: Mutex<Option<Reading>>,
    waiting: std::sync::Mutex<Vec<Read>>,
    gathering: AtomicBool,
    /// The tenant that has been read since reads are gathered, or [`NOTHING`] or [`MORE`].
    depends: AtomicI64,
    tally: Option<Arc<Tally>>,
    deadline: Option<Deadline>,
    stop: Arc<Stop>,
    /// Dropped last: the threads end when nobody needs them, and then wait for nothing that is left here.
    readers: Arc<Readers>,
}

impl Snapshot {
    pub(super) fn new(readers: Arc<Readers>, tally: Option<Arc<Tally>>) -> Self {
        Self {
            reading: Mutex::default(),
            waiting: std::sync::Mutex::default(),
            gathering: AtomicBool::default(),
            depends: AtomicI64::new(NOTHING),
            tally,
            deadline: None,
            stop: Arc::default(),
            readers,
        }
    }

    /// With reads, and writes of the same request, that wait only so long from now.
    #[must_use]
    pub fn until(mut self, limit: Duration) -> Self {
        self.deadline = Some(Deadline::within(limit));
        self
    }

    /// When the request has to be done.
    pub fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    fn give_up(&self) {
        if let Some(stops) = &self.readers.stops {
            self.stop.give_up(stops);
        }
    }

    /// Where the request's statements are counted.
    pub fn tally(&self) -> Option<Arc<Tally>> {
        self.tally.clone()
    }

    /// Counts a batch of look-ups: what is looked up, one of the program's own names, and how many keys.
    pub fn batch(&self, of: &'static str, keys: usize) {
        self.readers.metrics.batch(of, keys);
        if let Some(tally) = &self.tally {
            tally.batch(of, keys);
        }
    }

    /// From now on reads wait for [`Snapshot::flush`], and what they depend on is noted.
    pub fn gather(&self) {
        self.gathering.store(true, Ordering::Relaxed);
        self.depends.store(NOTHING, Ordering::Relaxed);
    }

    /// Whether nothing but this tenant has been read since [`Snapshot::gather`], so that as long as it stays at its
    /// revision the same reads give the same.
    pub fn depends_only_on(&self, tenant: TenantId) -> bool {
        [NOTHING, tenant.0].contains(&self.depends.load(Ordering::Relaxed))
    }

    /// Notes that the answer depends on something else than one tenant's rows: on the time, say.
    pub fn depends_on_more(&self) {
        self.depends.store(MORE, Ordering::Relaxed);
    }

    /// Reads of one tenant.
    ///
    /// # Errors
    /// What the closure answers, or why the database cannot be read.
    pub async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&mut Query<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_session(Some(tenant), move |session| work(&mut Query::new(session, tenant))).await
    }

    /// Reads of which `depends` is the tenant that alone they depend on, if there is one.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_session<T: Send + 'static>(
        &self,
        depends: Option<TenantId>,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let before = depends.map(|tenant| {
            let before = self.depends.compare_exchange(NOTHING, tenant.0, Ordering::Relaxed, Ordering::Relaxed);
            before.is_ok() || before == Err(tenant.0)
        });
        if before != Some(true) {
            self.depends_on_more();
        }
        self.submit(work, Then::GoesOn).await
    }

    /// Reads of what belongs to no tenant: tenants themselves and tokens.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_system<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read_session(None, work).await
    }

    /// All that a request reads, in one trip to a thread: what it reads later sees another state. `depends` is the tenant
    /// that alone it depends on, if there is one.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_at_once<T: Send + 'static>(
        &self,
        depends: Option<TenantId>,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.gathering.store(false, Ordering::Relaxed);
        self.depends.store(depends.map_or(MORE, |tenant| tenant.0), Ordering::Relaxed);
        self.submit(work, Then::Ends).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
        then: Then,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |session| {
            let result = session.and_then(work);
            // Who asked may be gone.
            Box::new(move || drop(reply.send(result)))
        });
        let answered = async {
            self.waiting().push(read);
            if !self.gathering.load(Ordering::Relaxed) {
                self.carry_out(then).await;
            }
            answer.await.map_err(|_| stopped())?
        };
        match self.deadline {
            None => answered.await,
            Some(deadline) if deadline.is_over() => Err(deadline.error()),
            Some(deadline) => tokio::time::timeout_at(deadline.at, answered).await.unwrap_or_else(|_| {
                self.give_up();
                Err(deadline.error())
            }),
        }
    }

    /// The reads that wait. A poisoned lock only means that another thread panicked; the list is whole.
    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Read>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether reads wait.
    pub fn is_waiting(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// Carries out all reads that wait, in their order, and then answers all of them.
    pub async fn flush(&self) {
        self.carry_out(Then::GoesOn).await;
    }

    async fn carry_out(&self, then: Then) {
        let mut held = self.reading.lock().await;
        let reads = std::mem::take(&mut *self.waiting());
        let reading = held.take();
        let permit = if reading.is_some() { Ok(None) } else { self.permit().await.map(Some) };
        let Some(jobs) = self.readers.jobs.clone() else { return };
        let tally = self.tally.clone();
        let stop = Arc::clone(&self.stop);
        let work = move |pool: &Pool| {
            let reading = stop.check().and_then(|()| match (reading, permit) {
                (Some(reading), _) => Ok(reading),
                (None, Ok(Some(permit))) => Reading::begin(pool, permit, jobs),
                (None, Ok(None)) => Err(stopped()),
                (None, Err(error)) => Err(error),
            });
            match reading {
                Ok(mut reading) => {
                    let deliveries = reading.carry_out(reads, &stop, tally.as_deref());
                    (Some(reading), deliveries)
                }
                Err(error) => (None, refuse(reads, &error)),
            }
        };
        let deliver = |deliveries: Vec<Delivery>| deliveries.into_iter().for_each(|deliver| deliver());
        // Without an answer the deliveries are gone, and with them the senders: every reader hears of it.
        match then {
            Then::GoesOn => {
                if let Ok((reading, deliveries)) = self.readers.run(work).await {
                    *held = reading;
                    deliver(deliveries);
                }
            }
            // Nobody waits for the end of the transaction, which over a network is another trip.
            Then::Ends => {
                let _ = self.readers.send(Box::new(move |pool| {
                    let (reading, deliveries) = work(pool);
                    deliver(deliveries);
                    reading.into_iter().for_each(|mut reading| reading.end());
                }));
            }
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.readers.free).acquire_owned();
        let (begun, waiting) = (Stopwatch::start(), PoolWaitGuard::begin(&self.readers.metrics));
        let found = tokio::time::timeout(PATIENCE, free).await;
        drop(waiting);
        self.readers.metrics.pool_wait.observe(begun.elapsed().as_secs_f64());
        match found {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(StoreError::Busy("all connections are in use".into())),
        }
    }

    /// Lets the next read see what has been committed meanwhile.
    pub async fn renew(&self) {
        drop(self.reading.lock().await.take());
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.give_up();
    }
}
