//! Keeps SQLite's write-ahead log short.
//!
//! SQLite itself only restarts its log at a moment when nothing reads from it. With constant reads, that moment never
//! comes, and the log grows without limit: to 230 MiB after one minute of saves together with reads of lists of 100
//! objects. Here, a separate thread copies the log into the database, which blocks nobody. After that, new reads no
//! longer need the log, and the thread waits briefly for the older ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::connection::Connection;
use super::engine::{ConnectionManager, on_own_thread};
use super::error::{Result, StoreError};

/// The size in bytes from which the log is emptied. A larger one is faster, because a page that is saved many times is
/// copied only once.
pub const LOG_THRESHOLD: u64 = 64 << 20;
/// How many bytes the log grows before the next attempt.
const STEP: u64 = 16 << 20;
/// How long to wait for reads, which blocks saves. Nearly all reads take less time.
const PATIENCE: Duration = Duration::from_millis(50);
/// The size in bytes from which to wait longer.
const LONG: u64 = 4 * LOG_THRESHOLD;
/// How long to wait for reads when the log is that long.
const MORE_PATIENCE: Duration = Duration::from_millis(500);

/// The write-ahead log of a SQLite database, with the thread that empties it.
pub(super) struct WriteAheadLog {
    file: PathBuf,
    /// The size in bytes from which to empty it next.
    next: Arc<AtomicU64>,
    due: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl WriteAheadLog {
    /// Starts the thread for a database's log; `None` for a server.
    pub(super) fn start(manager: &ConnectionManager) -> Result<Option<Self>> {
        let Some(file) = manager.database.log() else { return Ok(None) };
        let connection = on_own_thread(|| manager.open())?;
        let next = Arc::new(AtomicU64::new(LOG_THRESHOLD));
        // One place is enough, because the thread checks the size itself.
        let (due, dues) = bounded(1);
        let (log, at) = (file.clone(), Arc::clone(&next));
        let thread = thread::Builder::new().name("log".into()).spawn(move || serve(connection, &log, &at, &dues));
        let thread = thread.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        Ok(Some(Self { file, next, due: Some(due), thread: Some(thread) }))
    }

    /// Its size in bytes.
    pub(super) fn bytes(&self) -> u64 {
        bytes(&self.file)
    }

    /// Wakes the thread if the log is long enough to be emptied. Called after each commit.
    pub(super) fn check_size(&self) {
        if let Some(due) = self.due.as_ref().filter(|_| self.bytes() >= self.next.load(Ordering::Relaxed)) {
            // If a message is waiting already, the thread will handle it.
            let _ = due.try_send(());
        }
    }
}

fn bytes(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

fn serve(mut connection: Box<dyn Connection>, file: &Path, next: &AtomicU64, dues: &Receiver<()>) {
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
        next.store(if is_empty { LOG_THRESHOLD } else { bytes(file) + STEP }, Ordering::Relaxed);
    }
}

impl Drop for WriteAheadLog {
    /// Waits until the connection of the thread is closed.
    fn drop(&mut self) {
        drop(self.due.take());
        self.thread.take().into_iter().for_each(|thread| drop(thread.join()));
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "reads must overlap, and saves must come at intervals")]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::domain::Stopwatch;
    use crate::store::engine::Database;

    const SAVE: &str = "INSERT INTO t VALUES (randomblob(1000000))";
    const READ: &str = "SELECT count(*) FROM t";

    /// A database with a table, and a function that saves one megabyte to it.
    fn start(folder: &Path) -> (ConnectionManager, WriteAheadLog, impl FnMut()) {
        let database = Database::Sqlite(folder.join("log.db"));
        let manager = ConnectionManager { database, readonly: false, statements: Arc::default() };
        let mut writer = manager.open().unwrap();
        writer.batch("CREATE TABLE t (a)").unwrap();
        let log = WriteAheadLog::start(&manager).unwrap().unwrap();
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
    fn the_log_is_emptied_in_spite_of_constant_reads() {
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
                log.check_size();
                lengths.push(log.bytes() / 1_000_000);
                thread::sleep(Duration::from_millis(2));
            }
            ends.store(true, Ordering::SeqCst);
            // It would have 300 MB if it were never emptied.
            assert!(lengths.iter().all(|length| *length < 200) && !lengths.is_sorted(), "MB: {lengths:?}");
        });
    }

    #[test]
    fn a_long_read_blocks_saves_only_briefly() {
        let folder = tempfile::tempdir().unwrap();
        let (manager, log, mut save) = start(folder.path());
        let mut reader = manager.open().unwrap();
        read(&mut *reader);
        let mut longest = Duration::ZERO;
        for _ in 0..100 {
            let begun = Stopwatch::start();
            save();
            longest = longest.max(begun.elapsed());
            log.check_size();
        }
        assert!(longest < Duration::from_secs(3), "{longest:?}");
        assert!(log.bytes() > LOG_THRESHOLD, "somebody needs it: {}", log.bytes());
        reader.rollback();
        let begun = Stopwatch::start();
        while log.bytes() > LOG_THRESHOLD {
            assert!(begun.elapsed() < Duration::from_secs(30), "{}", log.bytes());
            save();
            log.check_size();
            thread::sleep(Duration::from_millis(20));
        }
    }
}
