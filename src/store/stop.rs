//! How reads stop that nobody waits for any more: the deadline has passed, or the client has gone.
//!
//! A read looks whether it is given up before each statement, or before those that are run together, and at each row. The
//! statement that runs meanwhile is interrupted from a thread of its own, again and again until the read has stopped:
//! between two statements an interruption meets nothing. A connection is in the list only while the request's own reads run on it, so that no
//! interruption meets the next request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::error::{Result, StoreError};
use super::session::{Each, EachOf, Session};
use crate::domain::Value;

/// Ends the statement that a connection is running, if there is one. It may take as long as a connection to be made.
pub(super) type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// How long an interruption has until it is repeated.
const AGAIN: Duration = Duration::from_millis(20);

/// Whether a request's reads go on.
#[derive(Default)]
pub(super) struct Stop {
    given_up: AtomicBool,
    /// Set while reads run.
    running: Mutex<Option<Interrupt>>,
}

impl Stop {
    /// A poisoned lock only means that another thread panicked.
    fn running(&self) -> MutexGuard<'_, Option<Interrupt>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs reads on a connection that `interrupt` interrupts.
    pub(super) fn watch<T>(&self, interrupt: Interrupt, reads: impl FnOnce() -> T) -> T {
        struct Watched<'a>(&'a Stop);
        impl Drop for Watched<'_> {
            fn drop(&mut self) {
                self.0.running().take();
            }
        }
        // Before the first look at `given_up`: who gives up after that look finds it here.
        *self.running() = Some(interrupt);
        let _watched = Watched(self);
        reads()
    }

    /// An error when the reads are given up.
    pub(super) fn check(&self) -> Result<()> {
        match self.given_up.load(Ordering::SeqCst) {
            true => Err(StoreError::Busy("the read was given up".into())),
            false => Ok(()),
        }
    }

    /// Gives the reads up; `stops` interrupts those that run.
    pub(super) fn give_up(self: &Arc<Self>, stops: &Sender<Arc<Self>>) {
        if !self.given_up.swap(true, Ordering::SeqCst) && self.running().is_some() {
            // The thread lives as long as this sender.
            let _ = stops.send(Arc::clone(self));
        }
    }

    /// Interrupts what runs; `false` when nothing does. The reads cannot end meanwhile.
    fn interrupt(&self) -> bool {
        let running = self.running();
        if let Some(interrupt) = &*running {
            interrupt();
        }
        running.is_some()
    }
}

/// Interrupts what arrives until it has stopped.
pub(super) fn serve(arriving: &Receiver<Arc<Stop>>) {
    let mut stops: Vec<Arc<Stop>> = Vec::new();
    loop {
        let next = match stops.is_empty() {
            true => arriving.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => arriving.recv_timeout(AGAIN),
        };
        match next {
            Ok(stop) => stops.push(stop),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        stops.retain(|stop| stop.interrupt());
    }
}

/// A session whose statements end when the reads are given up.
pub(super) struct Stoppable<'a> {
    pub(super) session: &'a mut dyn Session,
    pub(super) stop: &'a Stop,
}

impl Session for Stoppable<'_> {
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        self.stop.check()?;
        self.session.scan(sql, params, &mut |columns| {
            self.stop.check()?;
            each(columns)
        })
    }

    fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        self.stop.check()?;
        self.session.scan_all(asks, &mut |at, columns| {
            self.stop.check()?;
            each(at, columns)
        })
    }

    fn is_remote(&self) -> bool {
        self.session.is_remote()
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.stop.check()?;
        self.session.execute(sql, params)
    }
}
