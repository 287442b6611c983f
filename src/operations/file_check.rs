//! Checks all tables of a database file while the server runs, so that the start does not wait for it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::{self, Database, FileIntegrityCheck};

/// How often the thread is interrupted until it ends: an interrupt between two statements has no effect.
const INTERRUPT_EVERY: Duration = Duration::from_millis(20);

/// The thread that reads a file, and its result. Dropping this value stops the thread.
pub struct FileCheck {
    damage: watch::Receiver<Option<String>>,
    stopped: Arc<AtomicBool>,
    interrupt: Box<dyn Fn() + Send>,
    /// Never receives a message; the sender is dropped when the thread ends.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl FileCheck {
    /// Starts to read the database's file. Returns `None` if there is nothing to check: the database is on a server, or
    /// the start has already read all of the file (see [`Database::is_left_open`], which must be called before that).
    ///
    /// # Errors
    /// One sentence if the file cannot be opened.
    pub fn start(database: &Database, is_left_open: bool) -> Result<Option<Self>, String> {
        let Some(file) = database.file().filter(|_| !is_left_open) else { return Ok(None) };
        let reading = FileIntegrityCheck::open(file)?;
        let ((report, damage), (end, ended)) = (watch::channel(None), channel());
        let stopped = Arc::new(AtomicBool::new(false));
        let (interrupt, is_stopped) = (reading.interrupt(), Arc::clone(&stopped));
        let work = move || {
            let _end = end;
            store::lower_thread_priority();
            match reading.read(&|| is_stopped.load(Ordering::SeqCst)) {
                Ok(None) => {}
                Ok(Some(why)) => drop(report.send(Some(why))),
                Err(_) if is_stopped.load(Ordering::SeqCst) => {}
                Err(why) => tracing::error!("the file could not be checked completely: {why}"),
            }
        };
        let thread = std::thread::Builder::new().name("file-check".into()).spawn(work);
        let thread = thread.map_err(|e| format!("the thread that checks the file cannot be started: {e}"))?;
        Ok(Some(Self { damage, stopped, interrupt, ended, thread: Some(thread) }))
    }

    /// Completes when the file turns out to be damaged, and never if it is sound.
    pub fn until_damaged(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut damage = self.damage.clone();
        async move {
            if damage.wait_for(Option::is_some).await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// The result so far.
    ///
    /// # Errors
    /// One sentence if the file is damaged.
    pub fn result(&self) -> Result<(), String> {
        self.damage.borrow().clone().map_or(Ok(()), Err)
    }
}

impl Drop for FileCheck {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        (self.interrupt)();
        while self.ended.recv_timeout(INTERRUPT_EVERY) == Err(RecvTimeoutError::Timeout) {
            (self.interrupt)();
        }
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}
