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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Value;
    use std::path::{Path, PathBuf};

    const INSERT: &str = "INSERT INTO t VALUES ($1)";
    const COUNT: &str = "SELECT count(*) FROM t";

    fn writer(folder: &tempfile::TempDir) -> (Writer, PathBuf) {
        let path = folder.path().join("w.db");
        let manager = Manager::new(&path, false);
        manager.open().unwrap().execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY)").unwrap();
        (Writer::start(&manager, Arc::default()).unwrap(), path)
    }

    fn insert(n: i64) -> impl Fn(&mut dyn Session) -> Result<Outcome<i64>> + Send + 'static {
        move |session| session.execute(INSERT, &[n.into()]).map(|_| Outcome::Commit(n))
    }

    /// What another connection sees: only what is committed.
    fn committed(path: &Path) -> Option<Value> {
        let connection = Manager::new(path, true).open().unwrap();
        let statements = Arc::default();
        let session: &mut dyn Session = &mut SqliteSession::new(&connection, &statements);
        session.first(COUNT, &[]).unwrap().unwrap().pop()
    }

    /// While one job is at work others queue up; they share one commit, and each stands or falls alone.
    #[tokio::test]
    async fn jobs_share_a_commit_and_fail_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, path) = writer(&folder);
        let (go, wait) = crossbeam_channel::bounded::<()>(0);
        let first = writer.submit(move |_| {
            wait.recv().unwrap();
            Ok(Outcome::Commit(0))
        });
        let look = path.clone();
        let others = async {
            futures_util::join!(
                writer.submit(insert(1)),
                writer.submit(insert(1)),
                writer.submit::<i64>(|session| {
                    session.execute(INSERT, &[2.into()])?;
                    panic!("a job that panics")
                }),
                writer.submit(|session| session.execute(INSERT, &[3.into()]).map(|_| Outcome::Rollback(3))),
                writer.submit(insert(4)),
                // The group is not committed before its last job has run.
                writer.submit(move |_| Ok(Outcome::Commit(committed(&look)))),
            )
        };
        let (first, others, ()) = futures_util::join!(first, others, async { go.send(()).unwrap() });
        let (one, twice, panicked, rolled_back, four, seen) = others;
        assert_eq!((first.unwrap(), one.unwrap(), rolled_back.unwrap(), four.unwrap()), (0, 1, 3, 4));
        assert!(matches!(twice, Err(StoreError::Conflict { .. })), "{twice:?}");
        assert!(matches!(panicked, Err(StoreError::Bug(_))), "{panicked:?}");
        assert_eq!(seen.unwrap(), Some(Value::Int(0)));
        assert_eq!(committed(&path), Some(Value::Int(2)));
    }

    #[tokio::test]
    async fn what_was_queued_is_written_before_the_writer_goes() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, path) = writer(&folder);
        for n in 0..50 {
            // Nobody waits for the answer.
            let _ = futures_util::poll!(Box::pin(writer.submit(insert(n))));
        }
        drop(writer);
        assert_eq!(committed(&path), Some(Value::Int(50)));
    }
}
