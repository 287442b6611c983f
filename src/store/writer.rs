//! Writing: group commit, with retries where nothing was written.
//!
//! Saves queue up while a thread is at work; the next one takes all that wait, runs each in a savepoint, commits once
//! and then answers all. SQLite has one thread for everything. Over PostgreSQL a group is of one tenant, whose row it
//! holds, and several threads write several tenants; no thread waits for a lock that its own process holds.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::Receiver;
use tokio::sync::oneshot;

use super::engine::{Connection, Manager, apart};
use super::error::{Result, StoreError};
use super::session::Session;
use crate::domain::TenantId;

/// How a job ends when nothing failed.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Keep what was written.
    Commit(T),
    /// Keep nothing, and answer this.
    Rollback(T),
}

/// The most jobs in one commit, so that the first does not wait for ever.
const GROUP: usize = 256;
/// How often a group is run at most.
const TRIES: usize = 10;
/// How long a client waits for its save; a primary whose standby is gone can keep a commit waiting for ever.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to happen with what a job wrote.
enum Verdict {
    Keep,
    Undo,
    /// The transaction of the whole group is lost.
    Abandon(StoreError),
}

/// A queued job: runs inside a savepoint, is answered after the commit.
trait Job: Send {
    /// Whether nobody has been told that it was given up. After that it counts as begun.
    fn begin(&self) -> bool;
    /// Runs the job, perhaps not for the first time.
    fn run(&mut self, connection: &mut dyn Connection) -> Verdict;
    /// Answers, once it is known whether the group is on disk.
    fn answer(self: Box<Self>, commit: &Result<()>);
}

struct Work<T, F> {
    work: F,
    outcome: Option<Result<Outcome<T>>>,
    reply: oneshot::Sender<Result<T>>,
    /// Set by whoever is first: the writer that begins the job, or the client that gives up.
    taken: Arc<AtomicBool>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: Fn(&mut dyn Session) -> Result<Outcome<T>> + Send,
{
    fn begin(&self) -> bool {
        !self.taken.swap(true, Ordering::SeqCst)
    }

    fn run(&mut self, connection: &mut dyn Connection) -> Verdict {
        // One job's panic must not take the other jobs of its group with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection.session())));
        let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Bug("a write panicked".into())));
        let verdict = match &outcome {
            Ok(Outcome::Commit(_)) => Verdict::Keep,
            Err(error @ (StoreError::Stale(_) | StoreError::Unavailable(_))) => Verdict::Abandon(error.clone()),
            Err(error) if connection.is_broken() => Verdict::Abandon(error.clone()),
            Ok(Outcome::Rollback(_)) | Err(_) => Verdict::Undo,
        };
        self.outcome = Some(outcome);
        verdict
    }

    fn answer(self: Box<Self>, commit: &Result<()>) {
        let answer = match (commit, self.outcome) {
            // Even a refusal may have been caused by what another job of the group wrote, and that is gone.
            (Err(error), _) => Err(error.clone()),
            (Ok(()), Some(Ok(Outcome::Commit(value) | Outcome::Rollback(value)))) => Ok(value),
            (Ok(()), Some(Err(error))) => Err(error),
            (Ok(()), None) => Err(StoreError::Bug("a write was not run".into())),
        };
        // Who asked may be gone; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// Whose row a group of jobs holds: a tenant's, or none for what stands above tenants.
type Key = Option<TenantId>;

/// The jobs that wait, by key. A key is in the hands of one thread at a time, so that its jobs keep their order.
#[derive(Default)]
struct Waiting {
    jobs: HashMap<Key, VecDeque<Box<dyn Job>>>,
    /// Keys that have jobs and no thread.
    ready: VecDeque<Key>,
    busy: HashSet<Key>,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// A poisoned lock only means that another thread panicked; the lists are whole.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, key: Key, job: Box<dyn Job>) {
        let mut waiting = self.lock();
        let jobs = waiting.jobs.entry(key).or_default();
        jobs.push_back(job);
        if jobs.len() == 1 && !waiting.busy.contains(&key) {
            waiting.ready.push_back(key);
            self.changed.notify_one();
        }
    }

    /// The next group, or `None` when the queue is closed and nothing is left for this thread.
    fn take(&self) -> Option<(Key, Vec<Box<dyn Job>>)> {
        let mut waiting = self.lock();
        loop {
            if let Some(key) = waiting.ready.pop_front() {
                waiting.busy.insert(key);
                let jobs = waiting.jobs.entry(key).or_default();
                let group = jobs.drain(..jobs.len().min(GROUP)).collect();
                return Some((key, group));
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives a key back.
    fn done(&self, key: Key) {
        let mut waiting = self.lock();
        waiting.busy.remove(&key);
        if waiting.jobs.get(&key).is_some_and(|jobs| !jobs.is_empty()) {
            waiting.ready.push_back(key);
            self.changed.notify_one();
        } else {
            waiting.jobs.remove(&key);
        }
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// The queue to the writers' threads. They end when this is dropped and the queue is empty.
pub(super) struct Writer {
    queue: Arc<Queue>,
    by_tenant: bool,
    /// Never gets anything; disconnects when the last thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(manager: &Manager) -> Result<Self> {
        let writers = manager.database.writers();
        let queue = Arc::<Queue>::default();
        let (running, ended) = crossbeam_channel::bounded(0);
        for i in 0..writers.threads {
            // The first shows whether the database can be written at all; the others connect when they are needed.
            let mut held = if i == 0 { Some(apart(|| manager.open())?) } else { None };
            let (queue, manager, running) = (Arc::clone(&queue), manager.clone(), running.clone());
            let serve = move || {
                serve(&queue, &mut held, &manager);
                drop((held, running));
            };
            let thread = std::thread::Builder::new().name(format!("writer-{i}")).spawn(serve);
            thread.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        Ok(Self { queue, by_tenant: writers.by_tenant, ended })
    }

    pub(super) async fn submit<T: Send + 'static>(
        &self,
        key: Key,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let taken = Arc::<AtomicBool>::default();
        let job = Work { work, outcome: None, reply, taken: Arc::clone(&taken) };
        self.queue.push(key.filter(|_| self.by_tenant), Box::new(job));
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(answer) => answer.map_err(|_| StoreError::Bug("the writer has stopped".into()))?,
            Err(_) if taken.swap(true, Ordering::SeqCst) => {
                Err(StoreError::Unknown(format!("no answer within {} s", PATIENCE.as_secs())))
            }
            Err(_) => Err(StoreError::Busy(format!("not begun within {} s", PATIENCE.as_secs()))),
        }
    }
}

impl Drop for Writer {
    /// Waits until everything that was queued is on disk, but not for ever for a server that does not answer.
    fn drop(&mut self) {
        self.queue.close();
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

fn serve(queue: &Queue, held: &mut Option<Box<dyn Connection>>, manager: &Manager) {
    while let Some((key, mut group)) = queue.take() {
        group.retain(|job| job.begin());
        let commit = if group.is_empty() { Ok(()) } else { attempt(&mut group, held, manager) };
        group.into_iter().for_each(|job| job.answer(&commit));
        queue.done(key);
    }
}

/// Runs a group until it is committed or cannot be: as long as surely nothing of it is there, it may be run again.
fn attempt(group: &mut [Box<dyn Job>], held: &mut Option<Box<dyn Connection>>, manager: &Manager) -> Result<()> {
    let mut tries = 0;
    loop {
        let connection = match held {
            Some(connection) if !connection.is_broken() => connection,
            _ => held.insert(manager.open()?),
        };
        let Err(error) = run(group, &mut **connection) else { return Ok(()) };
        connection.rollback();
        let lost = connection.is_broken() && !matches!(error, StoreError::Unknown(_));
        tries += 1;
        if tries == TRIES || !(lost || matches!(error, StoreError::Stale(_))) {
            return Err(error);
        }
        tracing::debug!(%error, tries, "a group of saves is run again");
    }
}

fn run(group: &mut [Box<dyn Job>], connection: &mut dyn Connection) -> Result<()> {
    connection.begin_write()?;
    // Who is alone needs no savepoint: its transaction is one.
    let alone = group.len() == 1;
    for job in group {
        if !alone {
            connection.batch("SAVEPOINT job")?;
        }
        match job.run(connection) {
            Verdict::Keep => {}
            Verdict::Undo if alone => {
                connection.rollback();
                return Ok(());
            }
            Verdict::Undo => connection.batch("ROLLBACK TO job")?,
            Verdict::Abandon(error) => return Err(error),
        }
        if !alone {
            connection.batch("RELEASE job")?;
        }
    }
    connection.commit()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Value;
    use crate::store::Database;

    const INSERT: &str = "INSERT INTO t VALUES ($1)";
    const COUNT: &str = "SELECT count(*) FROM t";

    fn writer(folder: &tempfile::TempDir) -> (Writer, Manager) {
        let database = Database::Sqlite(folder.path().join("w.db"));
        let manager = Manager { database, readonly: false, statements: Arc::default() };
        manager.open().unwrap().batch("CREATE TABLE t (a INTEGER PRIMARY KEY)").unwrap();
        (Writer::start(&manager).unwrap(), manager)
    }

    fn insert(n: i64) -> impl Fn(&mut dyn Session) -> Result<Outcome<i64>> + Send + 'static {
        move |session| session.execute(INSERT, &[n.into()]).map(|_| Outcome::Commit(n))
    }

    /// What another connection sees: only what is committed.
    fn committed(manager: &Manager) -> Option<Value> {
        manager.open().unwrap().session().first(COUNT, &[]).unwrap().unwrap().pop()
    }

    /// While one job is at work others queue up; they share one commit, and each stands or falls alone.
    #[tokio::test]
    async fn jobs_share_a_commit_and_fail_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, manager) = writer(&folder);
        let (go, wait) = crossbeam_channel::bounded::<()>(0);
        let first = writer.submit(None, move |_| {
            wait.recv().unwrap();
            Ok(Outcome::Commit(0))
        });
        let look = manager.clone();
        let others = async {
            futures_util::join!(
                writer.submit(None, insert(1)),
                writer.submit(None, insert(1)),
                writer.submit::<i64>(None, |session| {
                    session.execute(INSERT, &[2.into()])?;
                    panic!("a job that panics")
                }),
                writer.submit(None, |session| session.execute(INSERT, &[3.into()]).map(|_| Outcome::Rollback(3))),
                writer.submit(None, insert(4)),
                // The group is not committed before its last job has run.
                writer.submit(None, move |_| Ok(Outcome::Commit(committed(&look)))),
            )
        };
        let (first, others, ()) = futures_util::join!(first, others, async { go.send(()).unwrap() });
        let (one, twice, panicked, rolled_back, four, seen) = others;
        assert_eq!((first.unwrap(), one.unwrap(), rolled_back.unwrap(), four.unwrap()), (0, 1, 3, 4));
        assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
        assert!(matches!(panicked, Err(StoreError::Bug(_))), "{panicked:?}");
        assert_eq!(seen.unwrap(), Some(Value::Int(0)));
        assert_eq!(committed(&manager), Some(Value::Int(2)));
    }

    #[tokio::test]
    async fn what_was_queued_is_written_before_the_writer_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, manager) = writer(&folder);
        for n in 0..50 {
            // Nobody waits for the answer.
            let _ = futures_util::poll!(Box::pin(writer.submit(None, insert(n))));
        }
        drop(writer);
        assert_eq!(committed(&manager), Some(Value::Int(50)));
    }
}
