//! What is queued for the writer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::error::{Result, StoreError};
use super::session::Session;
use crate::domain::Stopwatch;

/// How a job ends when nothing failed.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Keep what was written.
    Commit(T),
    /// Keep nothing, and answer this.
    Rollback(T),
}

/// What is to happen with what a job wrote.
pub(super) enum Verdict {
    Keep,
    Undo,
    /// The transaction of the whole group is lost.
    Abandon(StoreError),
}

/// A queued job: runs inside a savepoint, is answered after the commit.
pub(super) trait WriteJob: Send {
    /// Whether nobody has been told that it was given up. After that it counts as begun.
    fn begin(&self) -> bool;
    /// How long the job has been there.
    fn age(&self) -> Duration;
    /// Runs the job, perhaps not for the first time.
    fn run(&mut self, connection: &mut dyn Connection) -> Verdict;
    /// Answers, once it is known whether the group is on disk.
    fn answer(self: Box<Self>, commit: &Result<()>);
}

/// A job whose caller waits for an answer.
pub(super) struct Work<T, F, C> {
    pub(super) work: F,
    pub(super) outcome: Option<Result<Outcome<T>>>,
    /// Told what the job answers, once that is on disk.
    pub(super) committed: C,
    pub(super) reply: oneshot::Sender<Result<T>>,
    /// Set by whoever is first: the writer that begins the job, or the client that gives up.
    pub(super) taken: Arc<AtomicBool>,
    pub(super) queued: Stopwatch,
}

impl<T, F, C> WriteJob for Work<T, F, C>
where
    T: Send,
    F: Fn(&mut dyn Session) -> Result<Outcome<T>> + Send,
    C: FnOnce(&T) + Send,
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
            (Ok(()), Some(Ok(Outcome::Commit(value)))) => {
                (self.committed)(&value);
                Ok(value)
            }
            (Ok(()), Some(Ok(Outcome::Rollback(value)))) => Ok(value),
            (Ok(()), Some(Err(error))) => Err(error),
            (Ok(()), None) => Err(StoreError::Bug("a write was not run".into())),
        };
        // Who asked may be gone; the write stands all the same.
        let _ = self.reply.send(answer);
    }
}

/// Whoever waits for a job.
pub(super) struct Client {
    pub(super) taken: Arc<AtomicBool>,
    /// Whether it waits for a request: a job that has not begun when the request ends is then not begun.
    pub(super) in_time: bool,
}

impl Client {
    /// Gives the job up; `true` when it has begun.
    pub(super) fn gives_up_too_late(&self) -> bool {
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
