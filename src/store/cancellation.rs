//! Stops reads that nobody waits for any more, because their deadline has passed or the client has gone.
//!
//! A read checks whether it is cancelled before each statement, or before each group of statements that run together,
//! and at each row. A separate thread interrupts the running statement, and repeats this until the read has stopped,
//! because an interruption between two statements has no effect. A connection can only be interrupted while the
//! request's own reads run on it, so that an interruption never hits the next request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::error::{Result, StoreError};
use super::session::{RowVisitor, Session, StatementRowVisitor};
use crate::domain::Value;

/// Interrupts the running statement of a connection, if there is one. It may take as long as opening a connection.
pub(super) type Interrupt = Arc<dyn Fn() + Send + Sync>;

/// The interval between repeated interruptions.
const REPEAT_INTERVAL: Duration = Duration::from_millis(20);

/// Tells whether the reads of a request are cancelled.
#[derive(Default)]
pub(super) struct Cancellation {
    cancelled: AtomicBool,
    /// `Some` while reads run.
    running: Mutex<Option<Interrupt>>,
}

impl Cancellation {
    /// A poisoned lock only means that another thread panicked.
    fn running(&self) -> MutexGuard<'_, Option<Interrupt>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs reads on a connection; `interrupt` interrupts its statement.
    pub(super) fn run_reads<T>(&self, interrupt: Interrupt, reads: impl FnOnce() -> T) -> T {
        struct Running<'a>(&'a Cancellation);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.running().take();
            }
        }
        // This must happen before the first check of `cancelled`: a cancellation after that check then finds it here.
        *self.running() = Some(interrupt);
        let _running = Running(self);
        reads()
    }

    /// An error if the reads are cancelled.
    pub(super) fn check(&self) -> Result<()> {
        match self.cancelled.load(Ordering::SeqCst) {
            true => Err(StoreError::Busy("the read was cancelled".into())),
            false => Ok(()),
        }
    }

    /// Cancels the reads. Those that run are sent to the interrupter thread.
    pub(super) fn cancel(self: &Arc<Self>, cancellations: &Sender<Arc<Self>>) {
        if !self.cancelled.swap(true, Ordering::SeqCst) && self.running().is_some() {
            // The interrupter thread lives as long as this sender.
            let _ = cancellations.send(Arc::clone(self));
        }
    }

    /// Interrupts the running reads; `false` if none run. The lock keeps them from ending meanwhile.
    fn interrupt(&self) -> bool {
        let running = self.running();
        if let Some(interrupt) = &*running {
            interrupt();
        }
        running.is_some()
    }
}

/// The interrupter thread: interrupts the reads that it receives until they have stopped.
pub(super) fn interrupt_cancelled_reads(cancelled_reads: &Receiver<Arc<Cancellation>>) {
    let mut cancellations: Vec<Arc<Cancellation>> = Vec::new();
    loop {
        let next = match cancellations.is_empty() {
            true => cancelled_reads.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => cancelled_reads.recv_timeout(REPEAT_INTERVAL),
        };
        match next {
            Ok(cancellation) => cancellations.push(cancellation),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        cancellations.retain(|cancellation| cancellation.interrupt());
    }
}

/// A session whose statements end when the reads are cancelled.
pub(super) struct CancellableSession<'a> {
    pub(super) session: &'a mut dyn Session,
    pub(super) cancellation: &'a Cancellation,
}

impl Session for CancellableSession<'_> {
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        self.cancellation.check()?;
        self.session.visit_rows(sql, params, &mut |columns| {
            self.cancellation.check()?;
            each(columns)
        })
    }

    fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        self.cancellation.check()?;
        self.session.visit_all_rows(queries, &mut |at, columns| {
            self.cancellation.check()?;
            each(at, columns)
        })
    }

    fn is_remote(&self) -> bool {
        self.session.is_remote()
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.cancellation.check()?;
        self.session.execute(sql, params)
    }
}
