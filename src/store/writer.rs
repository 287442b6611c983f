//! Writing: one thread, one connection, group commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crossbeam_channel::{Receiver, Sender};
use tokio::sync::oneshot;

use super::error::{Result, StoreError};
use super::session::Session;
use super::sqlite::{Manager, SqliteSession};

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

/// A queued job: runs inside a savepoint, is answered after the commit.
trait Job: Send {
    /// Runs the job and says whether to keep what it wrote.
    fn run(&mut self, session: &mut dyn Session) -> bool;
    /// Answers, once it is known whether the group is on disk.
    fn answer(self: Box<Self>, commit: &Result<()>);
}

struct Work<T, F> {
    work: F,
    outcome: Option<Result<Outcome<T>>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send,
    F: Fn(&mut dyn Session) -> Result<Outcome<T>> + Send,
{
    fn run(&mut self, session: &mut dyn Session) -> bool {
        // One job's panic must not take the other jobs of its group with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(session)));
        let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Bug("a write panicked".into())));
        let keep = matches!(outcome, Ok(Outcome::Commit(_)));
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, commit: &Result<()>) {
        let answer = match (self.outcome, commit) {
            (Some(Ok(Outcome::Commit(value))), Ok(())) | (Some(Ok(Outcome::Rollback(value))), _) => Ok(value),
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.clone()),
            (None, Ok(())) => Err(StoreError::Bug("a write was not run".into())),
        };
        // Who asked may be gone; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// The queue to the writer's thread. The thread ends when the last handle is dropped and the queue is empty.
pub(super) struct Writer {
    jobs: Option<Sender<Box<dyn Job>>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(manager: &Manager, statements: Arc<AtomicU64>) -> Result<Self> {
        let connection = manager.open()?;
        let (jobs, queue) = crossbeam_channel::unbounded();
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || serve(&queue, &mut SqliteSession::new(&connection, &statements)))
            .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    pub(super) async fn submit<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let stopped = || StoreError::Unavailable("the writer has stopped".into());
        let jobs = self.jobs.as_ref().ok_or_else(stopped)?;
        jobs.send(Box::new(Work { work, outcome: None, reply })).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    /// Waits until everything that was queued is on disk.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(queue: &Receiver<Box<dyn Job>>, session: &mut SqliteSession<'_>) {
    while let Ok(first) = queue.recv() {
        let mut group = vec![first];
        group.extend(queue.try_iter().take(GROUP - 1));
        let commit = run(&mut group, session);
        if commit.is_err() {
            // After a failed commit SQLite may or may not have ended the transaction itself.
            let _ = session.batch("ROLLBACK");
        }
        group.into_iter().for_each(|job| job.answer(&commit));
    }
}

fn run(group: &mut [Box<dyn Job>], session: &mut SqliteSession<'_>) -> Result<()> {
    session.batch("BEGIN IMMEDIATE")?;
    for job in group {
        session.batch("SAVEPOINT job")?;
        if !job.run(session) {
            session.batch("ROLLBACK TO job")?;
        }
        session.batch("RELEASE job")?;
    }
    session.batch("COMMIT")
}
