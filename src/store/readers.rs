//! The reader threads and their connections.
//!
//! There are more connections than threads, because a request keeps its connection while it computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{Semaphore, oneshot};

use super::cancellation::{self, Cancellation};
use super::engine::ConnectionManager;
use super::error::{Result, StoreError};
use super::metrics::Metrics;
use super::read_transaction::{Job, Pool, reader_stopped};

/// How many requests can have a connection at the same time, for each core that reads.
pub(super) const CONNECTIONS_PER_READER: usize = 8;
/// How long a request waits for a new connection. It is short, so that a missing database is reported soon.
const CONNECTING: Duration = Duration::from_secs(2);

/// The threads and their connection pool.
pub(super) struct Readers {
    pub(super) jobs: Option<Sender<Job>>,
    /// Receives the reads to interrupt.
    pub(super) cancellations: Option<Sender<Arc<Cancellation>>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// As many permits as connections. With a permit, a thread never blocks inside the pool.
    pub(super) free_connections: Arc<Semaphore>,
    /// The number of cores that they may keep busy.
    pub(super) readers: usize,
    connections: usize,
    pub(super) metrics: Arc<Metrics>,
}

/// How to start the threads.
struct ReaderSettings {
    /// The prefix of the thread names.
    name: &'static str,
    readers: usize,
    threads: usize,
    connections: usize,
    /// How many connections are opened at the start, so that an unreadable database is noticed then.
    idle: u32,
    /// Runs first on each thread.
    on_start: fn(),
}

/// Lowers the priority of the calling thread: all others get the processor first. The thread runs at full speed when no
/// other thread needs the processor. Only Linux has priorities of single threads; elsewhere this does nothing.
pub fn lower_thread_priority() {
    // The lowest priority has a weight of 15, where a normal thread has 1024 (sched_prio_to_weight in
    // kernel/sched/core.c). With priority 10 (weight 110), other threads waited longer after they woke up.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "the priority of a thread could not be lowered");
    }
}

impl Readers {
    /// Starts the threads for ordinary requests.
    pub(super) fn start(manager: ConnectionManager, readers: usize, metrics: &Arc<Metrics>) -> Result<Self> {
        let readers = readers.max(1);
        let threads = readers * manager.database.threads_per_reader();
        let connections = readers * CONNECTIONS_PER_READER;
        let crew = ReaderSettings { name: "reader", readers, threads, connections, idle: 1, on_start: || () };
        Self::run_threads(manager, crew, metrics)
    }

    /// Starts the threads for expensive requests: fewer, and with a low priority. They connect when they are needed.
    pub(super) fn start_expensive(manager: ConnectionManager, readers: usize, metrics: &Arc<Metrics>) -> Result<Self> {
        let readers = (readers / 2).max(1);
        // Twice as many connections as threads: one can be on its way back to the pool while the next request reads.
        let (name, threads, connections) = ("expensive-rd", readers, 2 * readers);
        Self::run_threads(
            manager,
            ReaderSettings { name, readers, threads, connections, idle: 0, on_start: lower_thread_priority },
            metrics,
        )
    }

    fn run_threads(manager: ConnectionManager, crew: ReaderSettings, metrics: &Arc<Metrics>) -> Result<Self> {
        let ReaderSettings { name, readers, threads, connections, idle, on_start } = crew;
        let pool = Pool::builder()
            .max_size(connections as u32)
            .min_idle(Some(idle))
            // A ping would cost a tenth of a read. The first statement of a read replaces a lost connection.
            .test_on_check_out(false)
            .connection_timeout(CONNECTING)
            .error_handler(Box::new(ConnectionErrorLog))
            .build(manager)
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        let thread = |i| {
            let (queue, pool) = (queue.clone(), pool.clone());
            let serve = move || {
                on_start();
                for job in queue {
                    // If a read panics, its caller sees a closed channel; the thread goes on with other reads.
                    let _ = catch_unwind(AssertUnwindSafe(|| job(&pool)));
                }
            };
            std::thread::Builder::new()
                .name(format!("{name}-{i}"))
                .spawn(serve)
                .map_err(|e| StoreError::Unavailable(e.to_string()))
        };
        let mut threads = (0..threads).map(thread).collect::<Result<Vec<_>>>()?;
        let (cancellations, cancelled_reads) = crossbeam_channel::unbounded();
        let interrupter = std::thread::Builder::new()
            .name("interrupter".into())
            .spawn(move || cancellation::interrupt_cancelled_reads(&cancelled_reads));
        threads.push(interrupter.map_err(|e| StoreError::Unavailable(e.to_string()))?);
        let free_connections = Arc::new(Semaphore::new(connections));
        let (jobs, cancellations, metrics) = (Some(jobs), Some(cancellations), Arc::clone(metrics));
        Ok(Self { jobs, cancellations, threads, free_connections, readers, connections, metrics })
    }

    /// The maximum number of connections, and how many are in use.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.connections, self.connections.saturating_sub(self.free_connections.available_permits()))
    }

    /// The number of reader threads.
    pub(super) fn threads(&self) -> usize {
        // The interrupter does not read.
        self.threads.len() - 1
    }

    /// The number of reads that wait for a thread.
    pub(super) fn queued(&self) -> usize {
        self.jobs.as_ref().map_or(0, Sender::len)
    }

    pub(super) fn send(&self, job: Job) -> Result<()> {
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(reader_stopped)
    }

    pub(super) async fn run<T: Send + 'static>(&self, job: impl FnOnce(&Pool) -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.send(Box::new(move |pool| drop(reply.send(job(pool)))))?;
        answer.await.map_err(|_| reader_stopped())
    }
}

impl Drop for Readers {
    /// Waits until all threads have ended and all connections are closed.
    fn drop(&mut self) {
        drop((self.jobs.take(), self.cancellations.take()));
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Logs why a connection could not be opened. The request that waits for it gets a timeout.
#[derive(Debug)]
struct ConnectionErrorLog;

impl r2d2::HandleError<StoreError> for ConnectionErrorLog {
    fn handle_error(&self, error: StoreError) {
        tracing::warn!(%error, "no connection to the database");
    }
}
