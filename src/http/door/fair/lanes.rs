//! Two lanes: cheap requests never wait behind expensive ones.
//!
//! An expensive request computes for tens of milliseconds at a stretch, and a handful of them would occupy all threads.
//! So expensive requests go through a narrow gate of their own, and run and read on threads of their own, which have a
//! low priority. When cheap requests need the processor, the operating system takes it from the expensive ones at any
//! moment, which we could not do by yielding. When it is idle, the expensive ones use all of it.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinSet;

use super::address::Network;
use super::options::FairUse;
use crate::graphql::Estimate;
use crate::service::{App, Gate, GateSlot, Overloaded};
use crate::store;

/// Slots per reader thread: twice as many as there are connections to read with, so that saves, which wait for the disk,
/// do not block reads.
const SLOTS_PER_READER: usize = 16;

/// The stack size in bytes of a thread that executes requests: several times what the deepest selection needs.
pub const STACK: usize = 8 * 1024 * 1024;

/// The owner of the queue in which a request waits. A token that has not yet been valid from its address counts as that
/// address, so that invented tokens do not get more turns.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(in crate::http) enum QueueOwner {
    /// A token, by its fingerprint.
    Token(u64),
    /// An address; `None` in a test of the router.
    Address(Option<Network>),
}

/// The gates of both lanes, and the threads of the expensive lane.
pub(super) struct Lanes {
    cheap: Arc<Gate<QueueOwner>>,
    expensive: Arc<Gate<QueueOwner>>,
    /// Requests that cost at least this are expensive; see also [`Estimate::expensive`].
    expensive_cost: u64,
    threads: usize,
    /// Started with the first expensive request; `None` if the system has no more threads.
    runtime: OnceLock<Option<Runtime>>,
}

impl Lanes {
    pub(super) fn new(app: &App, options: &FairUse) -> Self {
        let slots = options.max_concurrent.map_or(SLOTS_PER_READER * app.readers(), NonZeroUsize::get);
        let threads = app.expensive_readers();
        Self {
            cheap: Gate::new(slots, options.max_waiting, options.max_wait),
            expensive: Gate::new(threads, options.max_waiting, options.max_wait),
            expensive_cost: options.expensive_cost,
            threads,
            runtime: OnceLock::new(),
        }
    }

    /// Whether a request with this estimate runs in the expensive lane.
    pub(super) fn is_expensive(&self, estimate: Estimate) -> bool {
        estimate.cost >= self.expensive_cost || estimate.expensive
    }

    /// Waits for a place in the lane of a request with this estimate.
    pub(super) async fn enter(&self, line: QueueOwner, estimate: Estimate) -> Result<ExecutionPermit, Overloaded> {
        if !self.is_expensive(estimate) {
            return Ok(ExecutionPermit { slot: self.cheap.enter(line).await?, threads: None, expensive: false });
        }
        let slot = self.expensive.enter(line).await?;
        let threads =
            self.runtime.get_or_init(|| runtime(self.threads)).as_ref().map(|runtime| runtime.handle().clone());
        Ok(ExecutionPermit { slot, threads, expensive: true })
    }
}

impl Drop for Lanes {
    /// An async task may drop the last router, and must not wait for threads.
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
        .on_thread_start(store::lower_thread_priority)
        .enable_all();
    builder.build().inspect_err(|error| tracing::warn!(%error, "expensive requests have no threads of their own")).ok()
}

/// The right to execute one request.
pub(in crate::http) struct ExecutionPermit {
    slot: GateSlot<QueueOwner>,
    /// The threads of the expensive lane; `None` for the caller's own.
    threads: Option<Handle>,
    expensive: bool,
}

impl ExecutionPermit {
    /// Whether the request runs in the expensive lane.
    pub(in crate::http) fn is_expensive(&self) -> bool {
        self.expensive
    }

    /// Runs the request's work on the threads of its lane. Dropping the returned future cancels the work.
    pub(in crate::http) async fn run<T: Send + 'static>(self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Self { slot, threads, .. } = self;
        let Some(handle) = threads else {
            let result = work.await;
            drop(slot);
            return result;
        };
        let mut tasks = JoinSet::new();
        tasks.spawn_on(
            async move {
                let result = work.await;
                drop(slot);
                result
            },
            &handle,
        );
        match tasks.join_next().await {
            Some(Ok(result)) => result,
            Some(Err(failed)) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            // Only while the whole server stops: nobody reads the answer any more.
            Some(Err(_)) | None => std::future::pending().await,
        }
    }
}
