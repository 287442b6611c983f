//! Reads all tables of a database file while it is served, so that a start need not.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::store::{self, Database, FileIntegrityCheck};

/// How often a thread that has to end is told so: between two statements it hears nothing.
const AGAIN: Duration = Duration::from_millis(20);

/// The thread that reads a file, and what it has found. The thread ends with this value.
pub struct FileCheck {
    damage: watch::Receiver<Option<String>>,
    stopped: Arc<AtomicBool>,
    interrupt: Box<dyn Fn() + Send>,
    /// Nothing comes; its other end is dropped with the thread.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl FileCheck {
    /// Begins to read the database's file. There is nothing to read, and `None`, where the database is a server's, and
    /// where a start has read all of it: see [`Database::is_left_open`], which has to be asked before.
    ///
    /// # Errors
    /// One sentence when the file cannot be opened.
    pub fn begin(database: &Database, is_left_open: bool) -> Result<Option<Self>, String> {
        let Some(file) = database.file().filter(|_| !is_left_open) else { return Ok(None) };
        let reading = FileIntegrityCheck::open(file)?;
        let ((tell, damage), (end, ended)) = (watch::channel(None), channel());
        let stopped = Arc::new(AtomicBool::new(false));
        let (interrupt, is_stopped) = (reading.interrupt(), Arc::clone(&stopped));
        let work = move || {
            let _end = end;
            store::lower_thread_priority();
            match reading.read(&|| is_stopped.load(Ordering::SeqCst)) {
                Ok(None) => {}
                Ok(Some(why)) => drop(tell.send(Some(why))),
                Err(_) if is_stopped.load(Ordering::SeqCst) => {}
                Err(why) => tracing::error!("the file was not read to its end: {why}"),
            }
        };
        let thread = std::thread::Builder::new().name("file-check".into()).spawn(work);
        let thread = thread.map_err(|e| format!("no thread for the check of the file can be started: {e}"))?;
        Ok(Some(Self { damage, stopped, interrupt, ended, thread: Some(thread) }))
    }

    /// Ends when the file turns out to be damaged, and never when it is sound.
    pub fn until_damaged(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut damage = self.damage.clone();
        async move {
            if damage.wait_for(Option::is_some).await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// What has been found until now.
    ///
    /// # Errors
    /// One sentence when the file is damaged.
    pub fn verdict(&self) -> Result<(), String> {
        self.damage.borrow().clone().map_or(Ok(()), Err)
    }
}

impl Drop for FileCheck {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        (self.interrupt)();
        while self.ended.recv_timeout(AGAIN) == Err(RecvTimeoutError::Timeout) {
            (self.interrupt)();
        }
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}
