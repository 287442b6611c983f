//! Where secrets are hashed: the one place that runs argon2id, which takes 19 MiB and some 20 ms of a core on purpose.
//!
//! One or two threads of the least priority do it, each with memory that is set aside once: whatever is asked for, this
//! takes no more of the machine, and everybody else comes first. Who waits stands in turn by token, so that a flood waits
//! for itself; what nobody waits for any more is not hashed.
//!
//! How signing in by password or PIN joins: a method beside [`Hashing::hash`] that hands [`Hashing::run`] a job which
//! calls [`crate::domain::Secret::verify`] with the hasher that it is given. It then waits in the same lines and needs no
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

/// The most threads: each holds the memory of a hash.
const THREADS: usize = 2;
/// The most hashes that wait.
const PLACES: usize = 64;
/// How long one waits without a deadline: the demo's data, say.
const PATIENCE: Duration = Duration::from_secs(30);

/// The line that a hash waits in: a token's, by its fingerprint.
type Line = u64;

/// Work for a thread that has the memory to hash. It gives its slot back when it is done.
type HashJob = Box<dyn FnOnce(&mut Hasher) + Send>;

/// The threads that hash, and who waits for them.
pub(super) struct Hashing {
    gate: Arc<Gate<Line>>,
    threads: usize,
    /// Begun for the first secret; `None` when the system gives no more threads. They end with the sender.
    jobs: OnceLock<Option<Sender<HashJob>>>,
    fingerprints: RandomState,
    hashes: Counter,
}

impl Hashing {
    /// As many threads as expensive requests have to read with, but no more than [`THREADS`].
    pub(super) fn new(threads: usize) -> Self {
        let threads = threads.clamp(1, THREADS);
        let gate = Gate::new(threads, PLACES, PATIENCE);
        let (jobs, fingerprints, hashes) = (OnceLock::new(), RandomState::new(), Counter::default());
        Self { gate, threads, jobs, fingerprints, hashes }
    }

    pub(super) fn register(&self, to: &mut Registry) {
        to.register("hashes", "Secrets that were hashed", self.hashes.clone());
    }

    /// How many secrets have been hashed.
    pub(super) fn hashes(&self) -> u64 {
        self.hashes.get()
    }

    /// The hash of a secret, for whoever has the token of this name, in time.
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

    /// Does work on one of the threads, once it is this token's turn.
    async fn run<T: Send + 'static>(
        &self,
        token: &str,
        deadline: Option<Deadline>,
        work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T> {
        let done = async {
            let entered = self.gate.enter(self.fingerprints.hash_one(token)).await;
            let slot = entered.map_err(|Overloaded { places, waiting }| StoreError::Overloaded { places, waiting })?;
            let (reply, answer) = oneshot::channel();
            self.send(slot, reply, work)?;
            answer.await.map_err(|_| StoreError::Bug("hashing a secret panicked".into()))
        };
        match deadline {
            Some(deadline) => {
                let done = tokio::time::timeout(deadline.remaining(), done).await;
                done.unwrap_or_else(|_| Err(deadline.error()))
            }
            None => done.await,
        }
    }

    fn send<T: Send + 'static>(
        &self,
        slot: GateSlot<Line>,
        reply: oneshot::Sender<T>,
        work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<()> {
        let job = move |hasher: &mut Hasher| {
            // Whoever asked may have gone while the job was on its way.
            if !reply.is_closed() {
                let _ = reply.send(work(hasher));
            }
            drop(slot);
        };
        let jobs = self.jobs.get_or_init(|| start(self.threads)).as_ref();
        let sent = jobs.and_then(|jobs| jobs.send(Box::new(job)).ok());
        sent.ok_or_else(|| StoreError::Unavailable("there are no threads that hash secrets".into()))
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
                // A job that panics is answered by the loss of its channel; the thread has others to do.
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

    /// Asks, as far as that goes at once.
    fn ask<T: Send + 'static>(asking: impl Future<Output = Result<T>> + Send + 'static) -> Waiting<T> {
        let mut asking = asking.boxed();
        assert!(asking.as_mut().now_or_never().is_none(), "it has to wait");
        asking
    }

    /// One thread, which is held until a word comes.
    fn held() -> (Arc<Hashing>, Waiting<()>, Sender<()>) {
        let (hashing, (go_on, goes_on)) = (Arc::new(Hashing::new(1)), crossbeam_channel::bounded::<()>(1));
        let holder = Arc::clone(&hashing);
        let held = ask(async move { holder.run("holder", None, move |_| goes_on.recv().unwrap()).await });
        (hashing, held, go_on)
    }

    fn hash(hashing: &Arc<Hashing>, deadline: Option<Deadline>) -> impl Future<Output = Result<String>> + use<> {
        let hashing = Arc::clone(hashing);
        async move { hashing.hash("token", deadline, &sealer(), &SecretText::new("7305")).await }
    }

    #[tokio::test]
    async fn a_flood_of_one_token_waits_for_itself() {
        let (hashing, held, go_on) = held();
        let order = Arc::<Mutex<Vec<&str>>>::default();
        let names = std::iter::repeat_n("flood", 20).chain(["quiet", "quiet"]);
        let asked = names.map(|name| {
            let (hashing, order) = (Arc::clone(&hashing), Arc::clone(&order));
            ask(async move { hashing.run(name, None, move |_| order.lock().unwrap().push(name)).await })
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
    async fn who_has_gone_is_not_hashed_for_and_too_many_are_told_so() {
        let (hashing, held, go_on) = held();
        let mut asked: Vec<_> = (0..PLACES).map(|_| ask(hash(&hashing, None))).collect();
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

    /// One that panics leaves the thread to the others.
    #[tokio::test]
    async fn a_job_that_panics_takes_nobody_with_it() {
        let hashing = Hashing::new(1);
        let failed = hashing.run("token", None, |_| panic!("as it is meant to")).await;
        assert!(matches!(failed, Err::<(), _>(StoreError::Bug(_))));
        hashing.run("token", None, |_| ()).await.unwrap();
    }
}
