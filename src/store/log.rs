//! SQLite's write-ahead log, and how it is kept short.
//!
//! SQLite itself begins its log anew when it happens that nobody reads from it. Where somebody reads at every moment, that
//! never comes, and the log grows without end: 230 MiB after a minute of saves beside lists of a hundred. Here a thread of
//! its own copies what stands in the log into the database, which holds nobody up. Then whoever begins to read needs the
//! log no more, and the thread waits a moment for those who began before.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::connection::Connection;
use super::engine::{Manager, apart};
use super::error::{Result, StoreError};

/// The bytes from which on the log is emptied. Less often is faster: a page that is saved many times is copied once.
pub const LOG_EMPTIED: u64 = 64 << 20;
/// How much longer the log is when that is tried again.
const STEP: u64 = 16 << 20;
/// How long those who read are waited for, which holds saves up. Nearly all reads are done by then.
const PATIENCE: Duration = Duration::from_millis(50);
/// The bytes from which on they are waited for longer.
const LONG: u64 = 4 * LOG_EMPTIED;
/// How long then.
const MORE_PATIENCE: Duration = Duration::from_millis(500);

/// A database's log.
pub(super) struct Log {
    file: PathBuf,
    /// The bytes from which on it is to be emptied.
    next: Arc<AtomicU64>,
    due: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Looks after a database's log; `None` where a server does.
    pub(super) fn start(manager: &Manager) -> Result<Option<Self>> {
        let Some(file) = manager.database.log() else { return Ok(None) };
        let connection = apart(|| manager.open())?;
        let next = Arc::new(AtomicU64::new(LOG_EMPTIED));
        // One is enough: what is due is found out by whoever takes it.
        let (due, dues) = bounded(1);
        let (log, at) = (file.clone(), Arc::clone(&next));
        let thread = thread::Builder::new().name("log".into()).spawn(move || empty(connection, &log, &at, &dues));
        let thread = thread.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Some(Self { file, next, due: Some(due), thread: Some(thread) }))
    }

    /// How many bytes it has.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&self.file)
    }

    /// Sees to it after a commit.
    pub(super) fn look(&self) {
        if let Some(due) = self.due.as_ref().filter(|_| self.bytes() >= self.next.load(Ordering::Relaxed)) {
            // Where one waits already the thread will come to it.
            let _ = due.try_send(());
        }
    }
}

fn bytes(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

fn empty(mut connection: Box<dyn Connection>, file: &Path, next: &AtomicU64, dues: &Receiver<()>) {
    for () in dues {
        let length = bytes(file);
        if length < next.load(Ordering::Relaxed) {
            continue;
        }
        let patience = if length < LONG { PATIENCE } else { MORE_PATIENCE };
        let is_empty = connection.empty_log(patience).unwrap_or_else(|error| {
            tracing::warn!(%error, "the log of the database could not be emptied");
            false
        });
        next.store(if is_empty { LOG_EMPTIED } else { bytes(file) + STEP }, Ordering::Relaxed);
    }
}

impl Drop for Log {
    /// Waits until its connection is closed.
    fn drop(&mut self) {
        drop(self.due.take());
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "reads overlap for a time, and savers come at intervals")]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::domain::Stopwatch;
    use crate::store::engine::Database;

    const SAVE: &str = "INSERT INTO t VALUES (randomblob(1000000))";
    const READ: &str = "SELECT count(*) FROM t";

    /// A database with a table, and who writes a megabyte to it at a time.
    fn start(folder: &Path) -> (Manager, Log, impl FnMut()) {
        let database = Database::Sqlite(folder.join("log.db"));
        let manager = Manager { database, readonly: false, statements: Arc::default() };
        let mut writer = manager.open().unwrap();
        writer.batch("CREATE TABLE t (a)").unwrap();
        let log = Log::start(&manager).unwrap().unwrap();
        let save = move || {
            writer.begin_write().unwrap();
            writer.session().execute(SAVE, &[]).unwrap();
            writer.commit().unwrap();
        };
        (manager, log, save)
    }

    fn read(connection: &mut dyn Connection) {
        connection.begin_read().unwrap();
        connection.session().first(READ, &[]).unwrap();
    }

    #[test]
    fn the_log_is_emptied_although_somebody_reads_at_every_moment() {
        let folder = tempfile::tempdir().unwrap();
        let (manager, log, mut save) = start(folder.path());
        let ends = AtomicBool::new(false);
        let mut readers = [manager.open().unwrap(), manager.open().unwrap()];
        thread::scope(|scope| {
            scope.spawn(|| {
                read(&mut *readers[1]);
                while !ends.load(Ordering::SeqCst) {
                    for turn in [0, 1] {
                        read(&mut *readers[turn]);
                        thread::sleep(Duration::from_millis(2));
                        readers[1 - turn].rollback();
                    }
                }
            });
            let mut lengths = Vec::new();
            for _ in 0..300 {
                save();
                log.look();
                lengths.push(log.bytes() / 1_000_000);
                thread::sleep(Duration::from_millis(2));
            }
            ends.store(true, Ordering::SeqCst);
            // Where it is not emptied it has 300.
            assert!(lengths.iter().all(|length| *length < 200) && !lengths.is_sorted(), "MB: {lengths:?}");
        });
    }

    #[test]
    fn who_reads_long_holds_saves_up_for_a_moment_only() {
        let folder = tempfile::tempdir().unwrap();
        let (manager, log, mut save) = start(folder.path());
        let mut reader = manager.open().unwrap();
        read(&mut *reader);
        let mut longest = Duration::ZERO;
        for _ in 0..100 {
            let begun = Stopwatch::start();
            save();
            longest = longest.max(begun.elapsed());
            log.look();
        }
        assert!(longest < Duration::from_secs(3), "{longest:?}");
        assert!(log.bytes() > LOG_EMPTIED, "somebody needs it: {}", log.bytes());
        reader.rollback();
        let begun = Stopwatch::start();
        while log.bytes() > LOG_EMPTIED {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", log.bytes());
            save();
            log.look();
            thread::sleep(Duration::from_millis(20));
        }
    }
}
