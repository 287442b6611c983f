//! Writing with group commit, and with retries if nothing was written.
//!
//! Saves queue up while a thread works. It then takes all waiting saves, runs each in a savepoint, commits once and
//! answers all of them. SQLite has one writer thread, whose groups take jobs from the tenants in turn, so that a tenant
//! with many saves only delays itself. With PostgreSQL, a group belongs to one tenant, whose row it locks, and several
//! threads write different tenants, so that no thread waits for a lock of its own process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use tokio::sync::oneshot;

use super::connection::Connection;
use super::deadline::Deadline;
use super::engine::{ConnectionManager, on_own_thread};
use super::error::{Result, StoreError};
use super::job::{Client, Outcome, Verdict, Work, WriteJob};
use super::metrics::Metrics;
use super::queue::{Queue, QueueKey};
use super::session::Session;
use super::write_ahead_log::WriteAheadLog;
use super::write_health::WriteHealth;
use crate::domain::Stopwatch;

/// The maximum number of times that a group runs.
const TRIES: usize = 10;
/// How long a client waits for its save. A PostgreSQL primary that has lost its synchronous standby can block a commit
/// for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// The queue of the writer threads. They end when this is dropped and the queue is empty.
pub(super) struct Writer {
    queue: Arc<Queue>,
    log: Option<Arc<WriteAheadLog>>,
    health: Arc<WriteHealth>,
    /// Never receives anything; it is disconnected when the last thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(manager: &ConnectionManager, metrics: &Arc<Metrics>) -> Result<Self> {
        let writers = manager.database.writers();
        let queue = Arc::new(Queue::new(writers.by_tenant));
        let log = WriteAheadLog::start(manager)?.map(Arc::new);
        let health = Arc::new(WriteHealth::new(&manager.database));
        let (running, ended) = crossbeam_channel::bounded(0);
        for i in 0..writers.threads {
            // The first thread connects now, to find out whether the database is writable. The others connect on
            // demand.
            let mut held = if i == 0 { Some(on_own_thread(|| manager.open())?) } else { None };
            let (queue, manager, running) = (Arc::clone(&queue), manager.clone(), running.clone());
            let (metrics, log, health) = (Arc::clone(metrics), log.clone(), Arc::clone(&health));
            let serve = move || {
                serve(&queue, &mut held, &manager, (&metrics, log.as_deref(), &health));
                drop((held, log, running));
            };
            let thread = std::thread::Builder::new().name(format!("writer-{i}")).spawn(serve);
            thread.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        Ok(Self { queue, log, health, ended })
    }

    /// Queues a job and waits for its answer. `committed` is called by the writer's thread once the job is on disk, also when
    /// nobody waits any more.
    pub(super) async fn submit<T: Send + 'static>(
        &self,
        key: QueueKey,
        deadline: Option<Deadline>,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let taken = Arc::<AtomicBool>::default();
        let client = Client { taken: Arc::clone(&taken), in_time: deadline.is_some() };
        let queued = Stopwatch::start();
        let job = Work { work, outcome: None, committed, reply, taken, queued };
        self.queue.push(key, Box::new(job))?;
        let patience = deadline.map_or(PATIENCE, |deadline| deadline.remaining().min(PATIENCE));
        let answered = tokio::time::timeout(patience, answer).await;
        match (answered, deadline.filter(Deadline::is_over)) {
            (Ok(answer), _) => answer.map_err(|_| StoreError::Bug("the writer has stopped".into()))?,
            (Err(_), _) if client.gives_up_too_late() => {
                Err(StoreError::Unknown(format!("no answer within {} ms", patience.as_millis())))
            }
            (Err(_), Some(deadline)) => Err(deadline.error()),
            (Err(_), None) => Err(StoreError::Busy(format!("not begun within {} s", PATIENCE.as_secs()))),
        }
    }

    /// The size of the write-ahead log in bytes; 0 for a server.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.bytes())
    }

    /// The number of saves that wait for a thread.
    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    /// What is known of whether saves reach the disk.
    pub(super) fn health(&self) -> &WriteHealth {
        &self.health
    }

    /// Whether saves are processed: there are threads, and none has worked on one group for longer than a client waits.
    pub(super) fn works(&self) -> bool {
        self.works_within(PATIENCE)
    }

    fn works_within(&self, patience: Duration) -> bool {
        let ended = matches!(self.ended.try_recv(), Err(TryRecvError::Disconnected));
        !ended && self.queue.works_within(patience)
    }
}

impl Drop for Writer {
    /// Waits until all queued jobs are committed, with a time limit in case the server does not answer.
    fn drop(&mut self) {
        self.queue.close();
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

fn serve(
    queue: &Queue,
    held: &mut Option<Box<dyn Connection>>,
    manager: &ConnectionManager,
    (metrics, log, health): (&Metrics, Option<&WriteAheadLog>, &WriteHealth),
) {
    while let Some((keys, mut group)) = queue.take() {
        group.retain(|job| job.begin());
        group.iter().for_each(|job| metrics.writer_wait.observe(job.age().as_secs_f64()));
        let commit = match group.as_mut_slice() {
            [] => Ok(false),
            group => health.check_file().and_then(|()| attempt(group, held, manager, metrics)),
        };
        health.ended(&commit);
        let commit = commit.map(drop);
        group.into_iter().for_each(|job| job.answer(&commit));
        queue.release(keys);
        if let Some(log) = log {
            log.check_size();
        }
    }
}

/// Runs a group until it is committed or fails. It may only run again while it is certain that nothing was committed. Returns
/// whether anything was committed.
fn attempt(
    group: &mut [Box<dyn WriteJob>],
    held: &mut Option<Box<dyn Connection>>,
    manager: &ConnectionManager,
    metrics: &Metrics,
) -> Result<bool> {
    let (mut tries, begun) = (0, Stopwatch::start());
    loop {
        let connection = match held {
            Some(connection) if !connection.is_broken() => connection,
            _ => held.insert(manager.open()?),
        };
        let error = match run(group, &mut **connection, metrics) {
            Ok(committed) => {
                metrics.group.observe(begun.elapsed().as_secs_f64());
                return Ok(committed);
            }
            Err(error) => error,
        };
        connection.rollback();
        let lost = connection.is_broken() && !matches!(error, StoreError::Unknown(_));
        tries += 1;
        if tries == TRIES || !(lost || matches!(error, StoreError::Stale(_))) {
            return Err(error);
        }
        metrics.retries.inc();
        tracing::debug!(%error, tries, "a group of saves is run again");
    }
}

fn run(group: &mut [Box<dyn WriteJob>], connection: &mut dyn Connection, metrics: &Metrics) -> Result<bool> {
    connection.begin_write()?;
    // A single job needs no savepoint, because it has the transaction to itself.
    let saves = group.len();
    let alone = saves == 1;
    for job in group {
        if !alone {
            connection.control("SAVEPOINT job")?;
        }
        match job.run(connection) {
            Verdict::Keep => {}
            Verdict::Undo if alone => {
                connection.rollback();
                return Ok(false);
            }
            Verdict::Undo => connection.control("ROLLBACK TO job")?,
            Verdict::Abandon(error) => return Err(error),
        }
        if !alone {
            connection.control("RELEASE job")?;
        }
    }
    let begun = Stopwatch::start();
    connection.commit()?;
    metrics.commit.observe(begun.elapsed().as_secs_f64());
    metrics.group_saves.observe(saves as f64);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Database;

    #[tokio::test]
    async fn a_writer_that_hangs_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("w.db"));
        let writer = Writer::start(
            &ConnectionManager { database, readonly: false, statements: Arc::default() },
            &Arc::default(),
        )
        .unwrap();
        assert!(writer.works_within(Duration::ZERO), "nothing is at work");
        let ((begun, begins), (go_on, goes_on)) = (crossbeam_channel::bounded(1), crossbeam_channel::bounded::<()>(1));
        let work = move |_: &mut dyn Session| {
            begun.send(()).unwrap();
            goes_on.recv().unwrap();
            Ok(Outcome::Rollback(()))
        };
        let watched = async {
            while begins.is_empty() {
                tokio::task::yield_now().await;
            }
            assert!(!writer.works_within(Duration::ZERO) && writer.works());
            go_on.send(()).unwrap();
        };
        futures_util::future::join(writer.submit(None, None, work, |()| ()), watched).await.0.unwrap();
        writer.queue.close();
        writer.ended.recv().unwrap_err();
        assert!(!writer.works(), "its threads have ended");
    }
}
