//! Writing: group commit, with retries where nothing was written.
//!
//! Saves queue up while a thread is at work; the next one takes all that wait, runs each in a savepoint, commits once
//! and then answers all. SQLite has one thread for everything, and its groups take from the tenants in turn, so that
//! whoever saves much waits for itself. Over PostgreSQL a group is of one tenant, whose row it holds, and several
//! threads write several tenants; no thread waits for a lock that its own process holds.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use tokio::sync::oneshot;

use super::deadline::Deadline;
use super::engine::{Connection, Manager, apart};
use super::error::{Result, StoreError};
use super::log::Log;
use super::metrics::Metrics;
use super::session::Session;
use crate::domain::{Stopwatch, TenantId};

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
/// The most jobs of one tenant that wait. Requests hold a place of the server while they save, of which there are far
/// fewer; this bounds what clients leave behind that do not wait for their answer.
const WAITING: usize = 1024;
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
    /// How long the job has been there.
    fn age(&self) -> Duration;
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
    queued: Stopwatch,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: Fn(&mut dyn Session) -> Result<Outcome<T>> + Send,
{
    fn begin(&self) -> bool {
        !self.taken.swap(true, Ordering::SeqCst)
    }

    fn age(&self) -> Duration {
        self.queued.elapsed()
    }

    fn run(&mut self, connection: &mut dyn Connection) -> Verdict {
        // One job's panic must not take the other jobs of its group with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection.session())));
        let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Bug("a write panicked".into())));
        // What waits may fail, and that is this job's failure.
        let outcome = match outcome {
            Ok(Outcome::Commit(value)) => connection.flush().map(|()| Outcome::Commit(value)),
            other => other,
        };
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

/// The jobs of one commit, and whose they are.
type Group = (Vec<Key>, Vec<Box<dyn Job>>);

/// The jobs that wait, by key. A key is in the hands of one thread at a time, so that its jobs keep their order.
#[derive(Default)]
struct Waiting {
    jobs: HashMap<Key, VecDeque<Box<dyn Job>>>,
    /// Keys that have jobs and no thread.
    ready: VecDeque<Key>,
    /// Keys in the hands of a thread, and for how long.
    busy: HashMap<Key, Stopwatch>,
    closed: bool,
}

impl Waiting {
    /// The next group, empty when nothing waits, with the keys whose it is. A group of one tenant takes what it has; one
    /// of all tenants takes a job of each in turn.
    fn group(&mut self, by_tenant: bool) -> Group {
        let (mut keys, mut group) = (Vec::new(), Vec::new());
        while group.len() < GROUP
            && let Some(key) = self.ready.pop_front()
        {
            let jobs = self.jobs.entry(key).or_default();
            group.extend(jobs.drain(..jobs.len().min(if by_tenant { GROUP } else { 1 })));
            if let Entry::Vacant(free) = self.busy.entry(key) {
                free.insert(Stopwatch::start());
                keys.push(key);
            }
            if by_tenant {
                break;
            }
            if !jobs.is_empty() {
                self.ready.push_back(key);
            }
        }
        (keys, group)
    }

    /// Gives a key back; whether it has jobs left.
    fn done(&mut self, key: Key) -> bool {
        self.busy.remove(&key);
        let more = self.jobs.get(&key).is_some_and(|jobs| !jobs.is_empty());
        if !more {
            self.jobs.remove(&key);
        } else if !self.ready.contains(&key) {
            self.ready.push_back(key);
        }
        more
    }
}

struct Queue {
    /// Whether a group is of one tenant alone.
    by_tenant: bool,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    /// A poisoned lock only means that another thread panicked; the lists are whole.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, key: Key, job: Box<dyn Job>) -> Result<()> {
        let mut waiting = self.lock();
        let jobs = waiting.jobs.entry(key).or_default();
        if jobs.len() >= WAITING {
            return Err(StoreError::Busy(format!("{WAITING} saves of the tenant wait already")));
        }
        jobs.push_back(job);
        if jobs.len() == 1 && !waiting.busy.contains_key(&key) {
            waiting.ready.push_back(key);
            self.changed.notify_one();
        }
        Ok(())
    }

    /// The next group and its keys, or `None` when the queue is closed and nothing is left for this thread.
    fn take(&self) -> Option<Group> {
        let mut waiting = self.lock();
        loop {
            let (keys, group) = waiting.group(self.by_tenant);
            if !group.is_empty() {
                return Some((keys, group));
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Gives keys back.
    fn done(&self, keys: Vec<Key>) {
        let mut waiting = self.lock();
        for key in keys {
            if waiting.done(key) {
                self.changed.notify_one();
            }
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
    log: Option<Arc<Log>>,
    /// Never gets anything; disconnects when the last thread has ended.
    ended: Receiver<()>,
}

impl Writer {
    pub(super) fn start(manager: &Manager, metrics: &Arc<Metrics>) -> Result<Self> {
        let writers = manager.database.writers();
        let (by_tenant, waiting, changed) = (writers.by_tenant, Mutex::default(), Condvar::new());
        let queue = Arc::new(Queue { by_tenant, waiting, changed });
        let log = Log::start(manager)?.map(Arc::new);
        let (running, ended) = crossbeam_channel::bounded(0);
        for i in 0..writers.threads {
            // The first shows whether the database can be written at all; the others connect when they are needed.
            let mut held = if i == 0 { Some(apart(|| manager.open())?) } else { None };
            let (queue, manager, running) = (Arc::clone(&queue), manager.clone(), running.clone());
            let (metrics, log) = (Arc::clone(metrics), log.clone());
            let serve = move || {
                serve(&queue, &mut held, &manager, (&metrics, log.as_deref()));
                drop((held, log, running));
            };
            let thread = std::thread::Builder::new().name(format!("writer-{i}")).spawn(serve);
            thread.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        Ok(Self { queue, log, ended })
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
        let queued = Stopwatch::start();
        let job = Work { work, outcome: None, reply, taken, queued };
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

    /// How many bytes stand in the database's log; none where a server has it.
    pub(super) fn log_bytes(&self) -> u64 {
        self.log.as_ref().map_or(0, |log| log.bytes())
    }

    /// How many saves wait for a thread.
    pub(super) fn queued(&self) -> usize {
        self.queue.lock().jobs.values().map(VecDeque::len).sum()
    }

    /// Whether saves are carried out: there are threads, and none has been at one group for longer than a client waits.
    pub(super) fn works(&self) -> bool {
        self.works_within(PATIENCE)
    }

    fn works_within(&self, patience: Duration) -> bool {
        let ended = matches!(self.ended.try_recv(), Err(TryRecvError::Disconnected));
        !ended && self.queue.lock().busy.values().all(|at_work| at_work.elapsed() <= patience)
    }
}

impl Drop for Writer {
    /// Waits until everything that was queued is on disk, but not for ever for a server that does not answer.
    fn drop(&mut self) {
        self.queue.close();
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

fn serve(
    queue: &Queue,
    held: &mut Option<Box<dyn Connection>>,
    manager: &Manager,
    (metrics, log): (&Metrics, Option<&Log>),
) {
    while let Some((keys, mut group)) = queue.take() {
        group.retain(|job| job.begin());
        group.iter().for_each(|job| metrics.writer_wait.observe(job.age().as_secs_f64()));
        let commit = if group.is_empty() { Ok(()) } else { attempt(&mut group, held, manager, metrics) };
        group.into_iter().for_each(|job| job.answer(&commit));
        queue.done(keys);
        if let Some(log) = log {
            log.look();
        }
    }
}

/// Runs a group until it is committed or cannot be: as long as surely nothing of it is there, it may be run again.
fn attempt(
    group: &mut [Box<dyn Job>],
    held: &mut Option<Box<dyn Connection>>,
    manager: &Manager,
    metrics: &Metrics,
) -> Result<()> {
    let (mut tries, begun) = (0, Stopwatch::start());
    loop {
        let connection = match held {
            Some(connection) if !connection.is_broken() => connection,
            _ => held.insert(manager.open()?),
        };
        let Err(error) = run(group, &mut **connection, metrics) else {
            metrics.group.observe(begun.elapsed().as_secs_f64());
            return Ok(());
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

fn run(group: &mut [Box<dyn Job>], connection: &mut dyn Connection, metrics: &Metrics) -> Result<()> {
    connection.begin_write()?;
    // Who is alone needs no savepoint: its transaction is one.
    let saves = group.len();
    let alone = saves == 1;
    for job in group {
        if !alone {
            connection.plain("SAVEPOINT job")?;
        }
        match job.run(connection) {
            Verdict::Keep => {}
            Verdict::Undo if alone => {
                connection.rollback();
                return Ok(());
            }
            Verdict::Undo => connection.plain("ROLLBACK TO job")?,
            Verdict::Abandon(error) => return Err(error),
        }
        if !alone {
            connection.plain("RELEASE job")?;
        }
    }
    let begun = Stopwatch::start();
    connection.commit()?;
    metrics.commit.observe(begun.elapsed().as_secs_f64());
    metrics.group_saves.observe(saves as f64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::engine::Database;

    /// A job that is known by its name.
    struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl Job for Named {
        fn begin(&self) -> bool {
            true
        }

        fn run(&mut self, _: &mut dyn Connection) -> Verdict {
            Verdict::Keep
        }

        fn age(&self) -> Duration {
            Duration::ZERO
        }

        fn answer(self: Box<Self>, _: &Result<()>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn queue(by_tenant: bool) -> Queue {
        Queue { by_tenant, waiting: Mutex::default(), changed: Condvar::new() }
    }

    /// Answers the next group and gives its keys back; how many they are.
    fn group(queue: &Queue) -> usize {
        let (keys, jobs) = queue.take().unwrap();
        jobs.into_iter().for_each(|job| job.answer(&Ok(())));
        let count = keys.len();
        queue.done(keys);
        count
    }

    #[test]
    fn tenants_take_turns_in_a_group_and_keep_their_order() {
        let (queue, said) = (queue(false), Arc::<Mutex<Vec<_>>>::default());
        let push = |tenant, name| {
            queue.push(Some(TenantId(tenant)), Box::new(Named(name, Arc::clone(&said)))).unwrap();
        };
        (0..GROUP).for_each(|_| push(1, "flood"));
        ["first", "second"].into_iter().for_each(|name| push(2, name));
        group(&queue);
        let order = std::mem::take(&mut *said.lock().unwrap());
        assert_eq!(order.len(), GROUP);
        assert_eq!(order[..5], ["flood", "first", "flood", "second", "flood"]);
        group(&queue);
        assert_eq!(said.lock().unwrap().len(), 2, "the rest of the flood");
        let waiting = queue.lock();
        assert!(waiting.jobs.is_empty() && waiting.ready.is_empty() && waiting.busy.is_empty());
    }

    #[test]
    fn a_flood_fills_its_own_tenants_places() {
        for by_tenant in [false, true] {
            let (queue, said) = (queue(by_tenant), Arc::<Mutex<Vec<_>>>::default());
            let push = |tenant| queue.push(Some(TenantId(tenant)), Box::new(Named("x", Arc::clone(&said))));
            (0..WAITING).for_each(|_| push(1).unwrap());
            assert!(matches!(push(1), Err(StoreError::Busy(_))));
            push(2).unwrap();
            assert_eq!(group(&queue), if by_tenant { 1 } else { 2 }, "tenants of a group");
            push(1).unwrap();
        }
    }

    #[tokio::test]
    async fn a_writer_that_does_not_come_back_shows() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(folder.path().join("w.db"));
        let writer =
            Writer::start(&Manager { database, readonly: false, statements: Arc::default() }, &Arc::default()).unwrap();
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
        futures_util::future::join(writer.submit(None, None, work), watched).await.0.unwrap();
        writer.queue.close();
        writer.ended.recv().unwrap_err();
        assert!(!writer.works(), "its threads have ended");
    }
}
