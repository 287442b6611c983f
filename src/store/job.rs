//! The jobs in the writer's queue.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::oneshot;

use super::connection::Connection;
use super::error::{Result, StoreError};
use super::session::Session;
use crate::domain::Stopwatch;

/// How a job ends if nothing failed.
#[derive(Debug)]
pub enum Outcome<T> {
    /// Commit what was written.
    Commit(T),
    /// Undo what was written, and answer this.
    Rollback(T),
}

/// What to do with the changes of a job.
pub(super) enum Verdict {
    Keep,
    Undo,
    /// Give up the transaction of the whole group.
    Abandon(StoreError),
}

/// A queued job. It runs inside a savepoint and is answered after the commit.
pub(super) trait WriteJob: Send {
    /// Marks the job as begun; `false` if its client has already given up.
    fn begin(&self) -> bool;
    /// The time since the job was queued.
    fn age(&self) -> Duration;
    /// Runs the job, perhaps not for the first time.
    fn run(&mut self, connection: &mut dyn Connection) -> Verdict;
    /// Answers the caller, once it is known whether the group is committed.
    fn answer(self: Box<Self>, commit: &Result<()>);
}

/// A job whose caller waits for an answer.
pub(super) struct Work<T, F, C> {
    pub(super) work: F,
    pub(super) outcome: Option<Result<Outcome<T>>>,
    /// Told what the job answers, once that is on disk.
    pub(super) committed: C,
    pub(super) reply: oneshot::Sender<Result<T>>,
    /// Set by the writer when it begins the job, or by the client when it gives up, whichever is first.
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
        // A panic of one job must not affect the other jobs of its group.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(connection.session())));
        let outcome = outcome.unwrap_or_else(|_| Err(StoreError::Bug("a write panicked".into())));
        // Queued statements may fail, which is a failure of this job.
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
            // Even a refusal is not valid: it may be based on changes of another job of the group, which are undone.
            (Err(error), _) => Err(error.clone()),
            (Ok(()), Some(Ok(Outcome::Commit(value)))) => {
                (self.committed)(&value);
                Ok(value)
            }
            (Ok(()), Some(Ok(Outcome::Rollback(value)))) => Ok(value),
            (Ok(()), Some(Err(error))) => Err(error),
            (Ok(()), None) => Err(StoreError::Bug("a write was not run".into())),
        };
        // The caller may be gone; the write is committed all the same.
        let _ = self.reply.send(answer);
    }
}

/// The client that waits for a job.
pub(super) struct Client {
    pub(super) taken: Arc<AtomicBool>,
    /// Whether the job belongs to a request. If it has not begun when the request ends, it never begins.
    pub(super) in_time: bool,
}

impl Client {
    /// Gives up the job; `true` if it has already begun.
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
