//! The threads that read, and their connections.
//!
//! There are more connections than threads, because a request keeps its connection while it computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{Semaphore, oneshot};

use super::engine::Manager;
use super::error::{Result, StoreError};
use super::metrics::Metrics;
use super::reading::{Job, Pool, stopped};
use super::stop::{self, Stop};

/// How many requests can read at the same time, for each core that reads.
pub(super) const CONNECTIONS_PER_READER: usize = 8;
/// How long a request waits for a connection to be made: a database that is gone is told soon.
const CONNECTING: Duration = Duration::from_secs(2);

/// The threads and their pool of connections.
pub(super) struct Readers {
    pub(super) jobs: Option<Sender<Job>>,
    /// Reads that have to be interrupted.
    pub(super) stops: Option<Sender<Arc<Stop>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// As many permits as connections: who has one never waits inside the pool, which would block a thread.
    pub(super) free: Arc<Semaphore>,
    /// How many cores they may keep busy.
    pub(super) readers: usize,
    connections: usize,
    pub(super) metrics: Arc<Metrics>,
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

    pub(super) fn send(&self, job: Job) -> Result<()> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(stopped)
    }

    pub(super) async fn run<T: Send + 'static>(&self, job: impl FnOnce(&Pool) -> T + Send + 'static) -> Result<T> {
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
