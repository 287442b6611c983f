//! Reading: dedicated threads, and a read transaction per request.
//!
//! A request's connection stays with the request, so that all its reads see one state; the threads only lend their
//! time. There are more connections than threads, because a request keeps its connection while it computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use super::deadline::Deadline;
use super::engine::Manager;
use super::error::{Result, StoreError};
use super::session::{Query, Session};
use super::stop::{self, Stop, Stoppable};
use crate::domain::TenantId;

type Pool = r2d2::Pool<Manager>;
/// Work for a thread, which has the pool: connections are opened, used and dropped there and nowhere else.
type Job = Box<dyn FnOnce(&Pool) + Send>;

/// How many requests can read at the same time, for each core that reads.
pub(super) const CONNECTIONS_PER_READER: usize = 8;
/// How long a request waits for one of the connections that others use.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a request waits for a connection to be made: a database that is gone is told soon.
const CONNECTING: Duration = Duration::from_secs(2);

/// The threads and their pool of connections.
pub(super) struct Readers {
    jobs: Option<Sender<Job>>,
    /// Reads that have to be interrupted.
    stops: Option<Sender<Arc<Stop>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// As many permits as connections: who has one never waits inside the pool, which would block a thread.
    free: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn start(manager: Manager, readers: usize) -> Result<Self> {
        let threads = readers.max(1) * manager.database.threads_per_reader();
        let connections = readers.max(1) * CONNECTIONS_PER_READER;
        let pool = Pool::builder()
            .max_size(connections as u32)
            .min_idle(Some(1))
            // A ping would cost a tenth of a read. A connection that is lost shows it at once, see `Reading::begin`.
            .test_on_check_out(false)
            .connection_timeout(CONNECTING)
            .error_handler(Box::new(Refused))
            .build(manager)
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        let thread = |i| {
            let (queue, pool) = (queue.clone(), pool.clone());
            let serve = move || {
                for job in queue {
                    // A read that panics is answered by the loss of its channel; the thread has others to serve.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&pool)));
                }
            };
            std::thread::Builder::new()
                .name(format!("reader-{i}"))
                .spawn(serve)
                .map_err(|e| StoreError::Unavailable(e.to_string()))
        };
        let mut threads = (0..threads).map(thread).collect::<Result<Vec<_>>>()?;
        let (stops, given_up) = crossbeam_channel::unbounded();
        let interrupter = std::thread::Builder::new().name("interrupter".into()).spawn(move || stop::serve(&given_up));
        threads.push(interrupter.map_err(|e| StoreError::Unavailable(e.to_string()))?);
        Ok(Self { jobs: Some(jobs), stops: Some(stops), threads, free: Arc::new(Semaphore::new(connections)) })
    }

    fn send(&self, job: Job) -> Result<()> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(stopped)
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce(&Pool) -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(move |pool| drop(reply.send(job(pool)))))?;
        answer.await.map_err(|_| stopped())
    }
}

impl Drop for Readers {
    /// Waits until all connections are closed.
    fn drop(&mut self) {
        drop((self.jobs.take(), self.stops.take()));
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Logs why there is no connection; whoever waits for one is told by the time that passes.
#[derive(Debug)]
struct Refused;

impl r2d2::HandleError<StoreError> for Refused {
    fn handle_error(&self, error: StoreError) {
        tracing::warn!(%error, "no connection to the database");
    }
}

fn stopped() -> StoreError {
    StoreError::Bug("a reader stopped while it worked".into())
}

/// A connection inside a read transaction. Wherever it is dropped, an async task that was given up included, the
/// transaction ends on a reader's thread, where connections may be touched.
struct Reading {
    /// Taken out when it is dropped.
    held: Option<(r2d2::PooledConnection<Manager>, OwnedSemaphorePermit)>,
    jobs: Sender<Job>,
}

impl Reading {
    /// Takes a connection that works. Those that were lost while nobody used them are thrown away: beginning a
    /// transaction has no effect that could happen twice.
    fn begin(pool: &Pool, permit: OwnedSemaphorePermit, jobs: Sender<Job>) -> Result<Self> {
        for _ in 0..=pool.max_size() {
            let mut connection = pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))?;
            match connection.begin_read() {
                Ok(()) => return Ok(Self { held: Some((connection, permit)), jobs }),
                Err(_) if connection.is_broken() => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Unavailable("all connections are lost".into()))
    }

    /// Carries out reads, which stop when they are given up.
    fn carry_out(&mut self, reads: Vec<Read>, stop: &Stop) -> Vec<Delivery> {
        let Some((connection, _)) = &mut self.held else { return refuse(reads, &stopped()) };
        stop.watch(connection.interrupt(), || {
            let mut session = Stoppable { session: connection.session(), stop };
            reads.into_iter().map(|read| read(Ok(&mut session))).collect()
        })
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

/// Hands a read's result to who asked for it.
type Delivery = Box<dyn FnOnce() + Send>;
/// A read, on a connection or told why there is none.
type Read = Box<dyn FnOnce(Result<&mut dyn Session>) -> Delivery + Send>;

/// Tells reads why they are not carried out.
fn refuse(reads: Vec<Read>, error: &StoreError) -> Vec<Delivery> {
    reads.into_iter().map(|read| read(Err(error.clone()))).collect()
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
    deadline: Option<Deadline>,
    stop: Arc<Stop>,
    /// Dropped last: the threads end when nobody needs them, and then wait for nothing that is left here.
    readers: Arc<Readers>,
}

impl Snapshot {
    pub(super) fn new(readers: Arc<Readers>) -> Self {
        Self {
            reading: Mutex::default(),
            waiting: std::sync::Mutex::default(),
            gathering: AtomicBool::default(),
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

    /// From now on reads wait for [`Snapshot::flush`].
    pub fn gather(&self) {
        self.gathering.store(true, Ordering::Relaxed);
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
        self.read_system(move |session| work(&mut Query::new(session, tenant))).await
    }

    /// Reads of what belongs to no tenant: tenants themselves and tokens.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub async fn read_system<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Session) -> Result<T> + Send + 'static,
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
                self.flush().await;
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
        let mut held = self.reading.lock().await;
        let reads = std::mem::take(&mut *self.waiting());
        let reading = held.take();
        let permit = if reading.is_some() { Ok(None) } else { self.permit().await.map(Some) };
        let Some(jobs) = self.readers.jobs.clone() else { return };
        let stop = Arc::clone(&self.stop);
        let done = self.readers.run(move |pool| {
            let reading = stop.check().and_then(|()| match (reading, permit) {
                (Some(reading), _) => Ok(reading),
                (None, Ok(Some(permit))) => Reading::begin(pool, permit, jobs),
                (None, Ok(None)) => Err(stopped()),
                (None, Err(error)) => Err(error),
            });
            match reading {
                Ok(mut reading) => {
                    let deliveries = reading.carry_out(reads, &stop);
                    (Some(reading), deliveries)
                }
                Err(error) => (None, refuse(reads, &error)),
            }
        });
        // Without an answer the deliveries are gone, and with them the senders: every reader hears of it.
        if let Ok((reading, deliveries)) = done.await {
            *held = reading;
            deliveries.into_iter().for_each(|deliver| deliver());
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.readers.free).acquire_owned();
        match tokio::time::timeout(PATIENCE, free).await {
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
