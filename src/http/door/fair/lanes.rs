//! Two lanes: requests that are cheap never stand behind those that are expensive.
//!
//! An expensive request computes for tens of milliseconds at a stretch, and a handful of them would have all threads.
//! So they go through a narrow gate of their own, run on threads of their own, and read with others than the cheap
//! ones; these threads have a low priority. When cheap requests need the processor, the operating system takes it
//! from the expensive ones at any moment, which no yielding of ours could do; when it is idle, they have all of it.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;

use super::address::Network;
use super::options::FairUse;
use crate::graphql::Estimate;
use crate::service::{App, Gate, GateSlot, Overloaded};
use crate::store;

/// Slots for each thread that reads: twice as many as there are connections to read with, so that saves, which wait for
/// the disk, do not keep reads out.
const SLOTS_PER_READER: usize = 16;

/// The bytes of stack of a thread that executes requests: several times what the deepest selection takes.
pub const STACK: usize = 8 * 1024 * 1024;

/// Whose line a request waits in. A token that has not been found valid from its address counts as that address, so
/// that made-up tokens are no way to more turns.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::http) enum QueueOwner {
    /// A token, by its fingerprint.
    Token(u64),
    /// Whoever comes from there; `None` in a test of the router.
    Address(Option<Network>),
}

/// The gates of both lanes, and the threads of the expensive one.
pub(super) struct Lanes {
    cheap: Arc<Gate<QueueOwner>>,
    expensive: Arc<Gate<QueueOwner>>,
    /// Requests that cost this much are expensive, as are those that may take long.
    from: u64,
    threads: usize,
    /// Made for the first expensive request; `None` when the system gives no more threads.
    runtime: OnceLock<Option<Runtime>>,
}

impl Lanes {
    pub(super) fn new(app: &App, options: &FairUse) -> Self {
        let slots = options.max_concurrent.map_or(SLOTS_PER_READER * app.readers(), NonZeroUsize::get);
        let threads = app.expensive_readers();
        Self {
            cheap: Gate::new(slots, options.max_waiting, options.max_wait),
            expensive: Gate::new(threads, options.max_waiting, options.max_wait),
            from: options.heavy_cost,
            threads,
            runtime: OnceLock::new(),
        }
    }

    /// Whether a request that would take this stands apart.
    pub(super) fn is_expensive(&self, estimate: Estimate) -> bool {
        estimate.cost >= self.from || estimate.may_take_long
    }

    /// Waits for a place in the lane of a request that would take this.
    pub(super) async fn enter(&self, line: QueueOwner, estimate: Estimate) -> Result<ExecutionPermit, Overloaded> {
        if !self.is_expensive(estimate) {
            return Ok(ExecutionPermit { slot: self.cheap.enter(line).await?, apart: None, expensive: false });
        }
        let slot = self.expensive.enter(line).await?;
        let apart = self.runtime.get_or_init(|| runtime(self.threads)).as_ref().map(|runtime| runtime.handle().clone());
        Ok(ExecutionPermit { slot, apart, expensive: true })
    }
}

impl Drop for Lanes {
    /// An async task may drop the last router, and may not wait for threads.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take().flatten() {
            runtime.shutdown_background();
        }
    }
}

fn runtime(threads: usize) -> Option<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(threads)
        .thread_stack_size(STACK)
        .thread_name("expensive")
        .on_thread_start(store::step_back)
        .enable_all();
    builder.build().inspect_err(|error| tracing::warn!(%error, "expensive requests get no threads of their own")).ok()
}

/// The right to execute one request.
pub(in crate::http) struct ExecutionPermit {
    slot: GateSlot<QueueOwner>,
    apart: Option<Handle>,
    expensive: bool,
}

impl ExecutionPermit {
    /// Whether the request is to read with the threads that have a low priority.
    pub(in crate::http) fn is_expensive(&self) -> bool {
        self.expensive
    }

    /// Does the request's work where it belongs. Given up with the future that is returned, wherever it runs.
    pub(in crate::http) async fn run<T: Send + 'static>(self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Self { slot, apart, .. } = self;
        let Some(handle) = apart else {
            let done = work.await;
            drop(slot);
            return done;
        };
        let mut tasks = JoinSet::new();
        tasks.spawn_on(
            async move {
                let done = work.await;
                drop(slot);
                done
            },
            &handle,
        );
        match tasks.join_next().await {
            Some(Ok(done)) => done,
            Some(Err(failed)) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            // Only while the whole server ends: nobody reads the answer any more.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}
