//! Hashes secrets. This is the only place that runs argon2id, which on purpose takes 19 MiB and about 20 ms of a core.
//!
//! One or two threads with the lowest priority do the work, each with memory that is allocated once. So hashing never
//! takes more of the machine, and all other work comes first. Secrets wait in lines by token, so that a flood from one
//! token only delays itself. A secret is not hashed if nobody waits for it any more.
//!
//! To sign in by password or PIN, add a method beside [`Hashing::hash`] that passes [`Hashing::run`] a job. The job
//! calls [`crate::domain::Secret::verify`] with the hasher that it gets, so it waits in the same lines and needs no
//! memory of its own.

use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::sync::oneshot;

use super::gate::{Gate, GateSlot, Overloaded};
use crate::domain::{Hasher, Sealer, SecretText};
use crate::store::{self, Deadline, Result, StoreError};

/// The maximum number of threads. Each holds the memory of a hash.
const MAX_THREADS: usize = 2;
/// The maximum number of waiting hashes.
const PLACES: usize = 64;
/// How long a hash waits if there is no deadline, such as for the demo data.
const PATIENCE: Duration = Duration::from_secs(30);

/// The line of a token, identified by its fingerprint.
type Line = u64;

/// A job for a hashing thread. It releases its slot when it is done.
type HashJob = Box<dyn FnOnce(&mut Hasher) + Send>;

/// The hashing threads and the jobs that wait for them.
pub(super) struct Hashing {
    gate: Arc<Gate<Line>>,
    threads: usize,
    /// The channel to the threads, which start with the first secret and end with the sender. `None` if the system
    /// could not start them.
    jobs: OnceLock<Option<Sender<HashJob>>>,
    fingerprints: RandomState,
    hashes: Counter,
}

impl Hashing {
    /// Uses as many threads as there are readers for expensive requests, but no more than [`MAX_THREADS`].
    pub(super) fn new(threads: usize) -> Self {
        let threads = threads.clamp(1, MAX_THREADS);
        let gate = Gate::new(threads, PLACES, PATIENCE);
        let (jobs, fingerprints, hashes) = (OnceLock::new(), RandomState::new(), Counter::default());
        Self { gate, threads, jobs, fingerprints, hashes }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("hashes", "Secrets that were hashed", self.hashes.clone());
    }

    /// The number of secrets that have been hashed.
    pub(super) fn hashes(&self) -> u64 {
        self.hashes.get()
    }

    /// Hashes a secret for the token with this name, before the deadline.
    pub(super) async fn hash(
        &self,
        token: &str,
        deadline: Option<Deadline>,
        sealer: &Sealer,
        secret: &SecretText,
    ) -> Result<String> {
        let (sealer, secret, hashes) = (sealer.clone(), secret.clone(), self.hashes.clone());
        let hash = move |hasher: &mut Hasher| {
            hashes.inc();
            hasher.hash(&sealer, secret.expose())
        };
        let hashed = self.run(token, deadline, hash).await?;
        hashed.ok_or_else(|| StoreError::Bug("a secret could not be hashed".into()))
    }

    /// Runs a job on one of the threads when it is this token's turn.
    async fn run<T: Send + 'static>(
        &self,
        token: &str,
        deadline: Option<Deadline>,
        work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        let run = async {
            let entered = self.gate.enter(self.fingerprints.hash_one(token)).await;
            let slot = entered.map_err(|Overloaded { places, waiting }| StoreError::Overloaded { places, waiting })?;
            let (reply, answer) = oneshot::channel();
            self.send(slot, reply, work)?;
            answer.await.map_err(|_| StoreError::Bug("hashing a secret panicked".into()))
        };
        match deadline {
            Some(deadline) => {
                let result = tokio::time::timeout(deadline.remaining(), run).await;
                result.unwrap_or_else(|_| Err(deadline.error()))
            }
            None => run.await,
        }
    }

    fn send<T: Send + 'static>(
        &self,
        slot: GateSlot<Line>,
        reply: oneshot::Sender<T>,
        work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<()> {
        let job = move |hasher: &mut Hasher| {
            // The request may have been cancelled while the job was waiting.
            if !reply.is_closed() {
                let _ = reply.send(work(hasher));
            }
            drop(slot);
        };
        let jobs = self.jobs.get_or_init(|| start(self.threads)).as_ref();
        let sent = jobs.and_then(|jobs| jobs.send(Box::new(job)).ok());
        sent.ok_or_else(|| StoreError::Unavailable("the threads that hash secrets could not be started".into()))
    }
}

fn start(threads: usize) -> Option<Sender<HashJob>> {
    let (jobs, queue) = crossbeam_channel::unbounded();
    for i in 0..threads {
        let queue: Receiver<HashJob> = queue.clone();
        let serve = move || {
            store::lower_thread_priority();
            let mut hasher = Hasher::new();
            for job in queue {
                // If a job panics, its channel is closed, and the thread continues with other jobs.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&mut hasher)));
            }
        };
        let thread = std::thread::Builder::new().name(format!("hasher-{i}")).spawn(serve);
        if let Err(error) = thread {
            tracing::error!(%error, "a thread that hashes secrets could not be started");
            return None;
        }
    }
    Some(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SystemRandom;
    use futures_util::FutureExt as _;
    use futures_util::future::{BoxFuture, join_all};
    use std::sync::Mutex;

    type Waiting<T> = BoxFuture<'static, Result<T>>;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], Arc::new(SystemRandom))
    }

    /// Polls a request once and expects it to wait.
    fn enqueue<T: Send + 'static>(asking: impl Future<Output = Result<T>> + Send + 'static) -> Waiting<T> {
        let mut asking = asking.boxed();
        assert!(asking.as_mut().now_or_never().is_none(), "it has to wait");
        asking
    }

    /// One thread, which is blocked until a message comes.
    fn held() -> (Arc<Hashing>, Waiting<()>, Sender<()>) {
        let (hashing, (go_on, goes_on)) = (Arc::new(Hashing::new(1)), crossbeam_channel::bounded::<()>(1));
        let holder = Arc::clone(&hashing);
        let held = enqueue(async move { holder.run("holder", None, move |_| goes_on.recv().unwrap()).await });
        (hashing, held, go_on)
    }

    fn hash(hashing: &Arc<Hashing>, deadline: Option<Deadline>) -> impl Future<Output = Result<String>> + use<> {
        let hashing = Arc::clone(hashing);
        async move { hashing.hash("token", deadline, &sealer(), &SecretText::new("7305")).await }
    }

    #[tokio::test]
    async fn a_flood_of_one_token_only_delays_itself() {
        let (hashing, held, go_on) = held();
        let order = Arc::<Mutex<Vec<&str>>>::default();
        let names = std::iter::repeat_n("flood", 20).chain(["quiet", "quiet"]);
        let asked = names.map(|name| {
            let (hashing, order) = (Arc::clone(&hashing), Arc::clone(&order));
            enqueue(async move { hashing.run(name, None, move |_| order.lock().unwrap().push(name)).await })
        });
        let asked: Vec<_> = asked.collect();
        go_on.send(()).unwrap();
        held.await.unwrap();
        assert!(join_all(asked).await.iter().all(Result::is_ok));
        let order = order.lock().unwrap();
        assert_eq!(order[..5], ["flood", "quiet", "flood", "quiet", "flood"]);
        assert_eq!(order.len(), 22);
    }

    #[tokio::test]
    async fn cancelled_requests_are_not_hashed_and_too_many_are_refused() {
        let (hashing, held, go_on) = held();
        let mut asked: Vec<_> = (0..PLACES).map(|_| enqueue(hash(&hashing, None))).collect();
        let refused = hash(&hashing, None).await;
        assert_eq!(refused, Err(StoreError::Overloaded { places: PLACES, waiting: PLACES }));
        asked.truncate(1);
        go_on.send(()).unwrap();
        held.await.unwrap();
        let hash = asked.remove(0).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(hashing.hashes(), 1);
    }

    #[tokio::test]
    async fn the_time_of_a_request_counts_while_it_waits() {
        let (hashing, held, go_on) = held();
        let late = hash(&hashing, Some(Deadline::within(Duration::from_millis(5)))).await;
        assert!(matches!(late, Err(StoreError::Deadline { limit: 5, .. })), "{late:?}");
        go_on.send(()).unwrap();
        held.await.unwrap();
        assert_eq!(hashing.hashes(), 0);
    }

    /// A panic does not end the thread.
    #[tokio::test]
    async fn a_panic_in_a_job_does_not_affect_other_jobs() {
        let hashing = Hashing::new(1);
        let failed = hashing.run("token", None, |_| panic!("as it is meant to")).await;
        assert!(matches!(failed, Err::<(), _>(StoreError::Bug(_))));
        hashing.run("token", None, |_| ()).await.unwrap();
    }
}
