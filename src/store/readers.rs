//! Reading: dedicated threads, and a read transaction per request.
//!
//! A request's connection stays with the request, so that all its reads see one state; the threads only lend their
//! time. There are more connections than threads, because a request keeps its connection while it computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use super::deadline::Deadline;
use super::engine::Manager;
use super::error::{Result, StoreError};
use super::metrics::Metrics;
use super::session::{Query, Session};
use super::stop::{self, Stop, Stoppable};
use super::tally::{Tallied, Tally};
use crate::domain::{Stopwatch, TenantId};

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
    /// How many cores they may keep busy.
    pub(super) readers: usize,
    connections: usize,
    metrics: Arc<Metrics>,
}

/// Threads and their connections, as they are started.
struct Crew {
    /// The threads' names begin with it.
    name: &'static str,
    readers: usize,
    threads: usize,
    connections: usize,
    /// How many connections are made at once, so that a database that cannot be read is found out.
    idle: u32,
    /// What each thread does first.
    begin: fn(),
}

/// Lowers the priority of the thread that calls this: whoever else needs the processor gets it first, and when nobody
/// does it is as fast as ever. Linux alone has priorities of threads; elsewhere this does nothing.
pub fn step_back() {
    // The least: of 1024 parts of the processor that a thread has, 15 are left (kernel/sched/core.c,
    // sched_prio_to_weight). With 10, of which there are 110, others waited longer when they woke.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "a thread keeps its priority");
    }
}

impl Readers {
    /// Threads and connections for all ordinary requests.
    pub(super) fn start(manager: Manager, readers: usize, metrics: &Arc<Metrics>) -> Result<Self> {
        let readers = readers.max(1);
        let threads = readers * manager.database.threads_per_reader();
        let connections = readers * CONNECTIONS_PER_READER;
        let crew = Crew { name: "reader", readers, threads, connections, idle: 1, begin: || () };
        Self::run_threads(manager, crew, metrics)
    }

    /// Fewer of them, which [`step_back`], for expensive requests. They connect when they are needed.
    pub(super) fn start_apart(manager: Manager, readers: usize, metrics: &Arc<Metrics>) -> Result<Self> {
        let readers = (readers / 2).max(1);
        // A connection on its way back leaves another to whoever is next.
        let (name, threads, connections) = ("reader-apart", readers, 2 * readers);
        Self::run_threads(manager, Crew { name, readers, threads, connections, idle: 0, begin: step_back }, metrics)
    }

    fn run_threads(manager: Manager, crew: Crew, metrics: &Arc<Metrics>) -> Result<Self> {
        let Crew { name, readers, threads, connections, idle, begin } = crew;
        let pool = Pool::builder()
            .max_size(connections as u32)
            .min_idle(Some(idle))
            // A ping would cost a tenth of a read. A connection that is lost is replaced by the first statement of a read.
            .test_on_check_out(false)
            .connection_timeout(CONNECTING)
            .error_handler(Box::new(Refused))
            .build(manager)
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        let thread = |i| {
            let (queue, pool) = (queue.clone(), pool.clone());
            let serve = move || {
                begin();
                for job in queue {
                    // A read that panics is answered by the loss of its channel; the thread has others to serve.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&pool)));
                }
            };
            std::thread::Builder::new()
                .name(format!("{name}-{i}"))
                .spawn(serve)
                .map_err(|e| StoreError::Unavailable(e.to_string()))
        };
        let mut threads = (0..threads).map(thread).collect::<Result<Vec<_>>>()?;
        let (stops, given_up) = crossbeam_channel::unbounded();
        let interrupter = std::thread::Builder::new().name("interrupter".into()).spawn(move || stop::serve(&given_up));
        threads.push(interrupter.map_err(|e| StoreError::Unavailable(e.to_string()))?);
        let free = Arc::new(Semaphore::new(connections));
        let (jobs, stops, metrics) = (Some(jobs), Some(stops), Arc::clone(metrics));
        Ok(Self { jobs, stops, threads, free, readers, connections, metrics })
    }

    /// How many connections there may be, and how many requests have one.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.connections, self.connections.saturating_sub(self.free.available_permits()))
    }

    /// How many threads read.
    pub(super) fn threads(&self) -> usize {
        // One of them interrupts the others.
        self.threads.len() - 1
    }

    /// How many reads wait for a thread.
    pub(super) fn queued(&self) -> usize {
        self.jobs.as_ref().map_or(0, Sender::len)
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
    fn begin(pool: &Pool, permit: OwnedSemaphorePermit, jobs: Sender<Job>) -> Result<Self> {
        let mut connection = pool.get().map_err(|e| StoreError::Unavailable(e.to_string()))?;
        connection.begin_read()?;
        Ok(Self { held: Some((connection, permit)), jobs })
    }

    /// Carries out reads, which stop when they are given up, and counts their statements.
    fn carry_out(&mut self, reads: Vec<Read>, stop: &Stop, tally: Option<&Tally>) -> Vec<Delivery> {
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
}

/// What comes of a request's transaction after its reads.
#[derive(Clone, Copy)]
enum Then {
    GoesOn,
    Ends,
}

impl Reading {
    /// Ends the transaction, on a reader's thread.
    fn end(&mut self) {
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

/// A request that waits for a connection, as long as the value lives: it may give up.
struct Waiting<'a>(&'a Metrics);

impl<'a> Waiting<'a> {
    fn begin(metrics: &'a Metrics) -> Self {
        metrics.pool_waiting.inc();
        Self(metrics)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.pool_waiting.dec();
    }
}

/// Hands a read's result to who asked for it.
type Delivery = Box<dyn FnOnce() + Send>;
/// A read, on a connection or told why there is none.
type Read = Box<dyn FnOnce(Result<&mut dyn Session>) -> Delivery + Send>;

/// No tenant has been read.
const NOTHING: i64 = 0;
/// More than one tenant has been read, or what belongs to none.
const MORE: i64 = -1;

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
        let (begun, waiting) = (Stopwatch::start(), Waiting::begin(&self.readers.metrics));
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
