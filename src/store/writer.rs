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

use super::deadline::Deadline;
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

/// Whoever waits for a job.
struct Client {
    taken: Arc<AtomicBool>,
    /// Whether it waits for a request: a job that has not begun when the request ends is then not begun.
    in_time: bool,
}

impl Client {
    /// Gives the job up; `true` when it has begun.
    fn gives_up_too_late(&self) -> bool {
        self.taken.swap(true, Ordering::SeqCst)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.in_time {
            self.gives_up_too_late();
        }
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
        deadline: Option<Deadline>,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let taken = Arc::<AtomicBool>::default();
        let client = Client { taken: Arc::clone(&taken), in_time: deadline.is_some() };
        let job = Work { work, outcome: None, reply, taken };
        self.queue.push(key.filter(|_| self.by_tenant), Box::new(job));
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
