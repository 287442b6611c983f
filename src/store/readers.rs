//! Reading: dedicated threads, and a read transaction per request.
//!
//! A request's connection stays with the request, so that all its reads see one state; the threads only lend their
//! time. There are more connections than threads, because a request keeps its connection while it computes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, oneshot};

use super::error::{Result, StoreError};
use super::session::{Query, Session};
use super::sqlite::{Manager, SqliteSession};
use crate::domain::TenantId;

type Job = Box<dyn FnOnce() + Send>;

/// How many requests can read at the same time, for each thread.
const CONNECTIONS_PER_THREAD: usize = 8;
/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The threads and their pool of connections.
pub(super) struct Readers {
    jobs: Sender<Job>,
    pool: r2d2::Pool<Manager>,
    /// As many permits as connections: who has one never waits inside the pool, which would block a thread.
    free: Arc<Semaphore>,
    statements: Arc<AtomicU64>,
}

impl Readers {
    pub(super) fn start(manager: Manager, threads: usize, statements: Arc<AtomicU64>) -> Result<Self> {
        let (jobs, queue) = crossbeam_channel::unbounded::<Job>();
        for i in 0..threads.max(1) {
            let queue = queue.clone();
            std::thread::Builder::new()
                .name(format!("reader-{i}"))
                // A read that panics is answered by the loss of its channel; the thread has others to serve.
                .spawn(move || queue.into_iter().for_each(|job| drop(catch_unwind(AssertUnwindSafe(job)))))
                .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        let connections = threads.max(1) * CONNECTIONS_PER_THREAD;
        let pool = r2d2::Pool::builder()
            .max_size(connections as u32)
            .min_idle(Some(1))
            // A local file needs no ping: it would cost a tenth of a read.
            .test_on_check_out(false)
            .connection_timeout(PATIENCE)
            .build(manager)
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Self { jobs, pool, free: Arc::new(Semaphore::new(connections)), statements })
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move || drop(reply.send(job())));
        self.jobs.send(job).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }
}

fn stopped() -> StoreError {
    StoreError::Bug("a reader stopped while it worked".into())
}

/// A connection inside a read transaction.
struct Reading {
    connection: r2d2::PooledConnection<Manager>,
    _permit: OwnedSemaphorePermit,
}

impl Reading {
    fn begin(pool: &r2d2::Pool<Manager>, permit: OwnedSemaphorePermit, statements: &Arc<AtomicU64>) -> Result<Self> {
        let connection = pool.get().map_err(|_| StoreError::Busy)?;
        SqliteSession::new(&connection, statements).batch("BEGIN")?;
        Ok(Self { connection, _permit: permit })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Nothing was written, so there is nothing to lose; a connection that cannot even do this fails its next user.
        let _ = SqliteSession::new(&self.connection, &Arc::default()).batch("ROLLBACK");
    }
}

/// Hands a read's result to who asked for it.
type Delivery = Box<dyn FnOnce() + Send>;
/// A read, on a connection or told why there is none.
type Read = Box<dyn FnOnce(Result<&mut dyn Session>) -> Delivery + Send>;

/// One request's view of the database. All reads see the same state, from the first read until [`Snapshot::renew`].
///
/// A read is carried out at once, or, between [`Snapshot::gather`] and the end, together with all others that wait
/// when [`Snapshot::flush`] is called: one trip to a thread for all of them, and all answers at the same moment.
pub struct Snapshot {
    readers: Arc<Readers>,
    reading: Mutex<Option<Reading>>,
    waiting: std::sync::Mutex<Vec<Read>>,
    gathering: AtomicBool,
}

impl Snapshot {
    pub(super) fn new(readers: Arc<Readers>) -> Self {
        Self {
            readers,
            reading: Mutex::default(),
            waiting: std::sync::Mutex::default(),
            gathering: AtomicBool::default(),
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
        self.waiting().push(read);
        if !self.gathering.load(Ordering::Relaxed) {
            self.flush().await;
        }
        answer.await.map_err(|_| stopped())?
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
        let (reading, pool, statements) =
            (held.take(), self.readers.pool.clone(), Arc::clone(&self.readers.statements));
        let permit = if reading.is_some() { Ok(None) } else { self.permit().await.map(Some) };
        let done = self.readers.run(move || {
            let reading = match (reading, permit) {
                (Some(reading), _) => Ok(reading),
                (None, Ok(Some(permit))) => Reading::begin(&pool, permit, &statements),
                (None, Ok(None)) => Err(stopped()),
                (None, Err(error)) => Err(error),
            };
            let one = |read: Read| match &reading {
                Ok(reading) => read(Ok(&mut SqliteSession::new(&reading.connection, &statements))),
                Err(error) => read(Err(error.clone())),
            };
            let deliveries: Vec<Delivery> = reads.into_iter().map(one).collect();
            (reading.ok(), deliveries)
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
            Ok(Err(_)) | Err(_) => Err(StoreError::Busy),
        }
    }

    /// Lets the next read see what has been committed meanwhile.
    pub async fn renew(&self) {
        let reading = self.reading.lock().await.take();
        self.finish(reading);
    }

    /// Ends a transaction on a reader's thread, where pools may be touched.
    fn finish(&self, reading: Option<Reading>) {
        if reading.is_some() {
            // Without readers the connection is dropped with the message.
            let _ = self.readers.jobs.send(Box::new(move || drop(reading)));
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        let reading = self.reading.get_mut().take();
        self.finish(reading);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_read_that_panics_takes_no_thread_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let manager = Manager::new(&folder.path().join("r.db"), false);
        let readers = Arc::new(Readers::start(manager, 1, Arc::default()).unwrap());
        for _ in 0..3 {
            let panicked =
                Snapshot::new(Arc::clone(&readers)).read_system(|_| -> Result<()> { panic!("a read") }).await;
            assert!(matches!(panicked, Err(StoreError::Bug(_))), "{panicked:?}");
            let row = Snapshot::new(Arc::clone(&readers)).read_system(|session| session.first("SELECT 1", &[])).await;
            assert!(row.unwrap().is_some());
        }
    }
}
