//! When a batch of look-ups is sent: as soon as execution cannot continue without it.
//!
//! `DataLoader` spawns a task that waits a while for more keys. Here the task goes to the request instead of the
//! runtime, and is polled only while the execution itself is waiting. So a batch holds every key that could be known by
//! then, whatever the number of worker threads, and it never waits for a timer.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::runtime::Timer;
use futures_util::future::{BoxFuture, FutureExt as _, poll_fn, ready};
use futures_util::stream::{FuturesUnordered, Stream as _};
use futures_util::task::{FutureObj, Spawn, SpawnError};

use crate::store::Snapshot;

/// Collects the tasks that the loaders of one request spawn.
#[derive(Clone, Default)]
pub(super) struct Batches(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl Batches {
    fn take(&self) -> Vec<FutureObj<'static, ()>> {
        // A poisoned lock only means that a resolver panicked while it added a task; the list is whole.
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `main` and the tasks that it spawns. A task starts only when `main` and all earlier tasks are waiting. When
    /// all of them are waiting, the reads that they have requested run together.
    pub(super) async fn drive<F: Future>(self, snapshot: Arc<Snapshot>, main: F) -> F::Output {
        snapshot.gather();
        let mut main = pin!(main);
        let mut running = FuturesUnordered::new();
        let mut reading: Option<BoxFuture<'static, ()>> = None;
        poll_fn(move |cx: &mut Context<'_>| {
            loop {
                if let Poll::Ready(output) = main.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                if let Poll::Ready(Some(())) = Pin::new(&mut running).poll_next(cx) {
                    continue;
                }
                let spawned = self.take();
                if !spawned.is_empty() {
                    running.extend(spawned);
                } else if let Some(trip) = &mut reading {
                    if trip.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    reading = None;
                } else if snapshot.is_waiting() {
                    let snapshot = Arc::clone(&snapshot);
                    reading = Some(async move { snapshot.flush().await }.boxed());
                } else {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

impl Spawn for Batches {
    fn spawn_obj(&self, task: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(task);
        Ok(())
    }
}

/// Does not delay: the polling order above already groups the keys.
pub(super) struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Database, Store, StoreError};
    use async_graphql::dataloader::{DataLoader, Loader};
    use std::collections::HashMap;

    /// Doubles keys, with one read of the store per batch.
    struct Doubles(Arc<Snapshot>, Mutex<Vec<usize>>);

    impl Loader<i64> for Doubles {
        type Value = i64;
        type Error = StoreError;

        async fn load(&self, keys: &[i64]) -> Result<HashMap<i64, i64>, StoreError> {
            self.1.lock().unwrap().push(keys.len());
            let keys = keys.to_vec();
            self.0.read_system(move |_| Ok(keys.into_iter().map(|k| (k, 2 * k)).collect())).await
        }
    }

    impl Loader<String> for Doubles {
        type Value = String;
        type Error = StoreError;

        async fn load(&self, keys: &[String]) -> Result<HashMap<String, String>, StoreError> {
            self.1.lock().unwrap().push(keys.len());
            let keys = keys.to_vec();
            self.0.read_system(move |_| Ok(keys.into_iter().map(|k| (k.clone(), k.repeat(2))).collect())).await
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_level_is_one_batch_of_each_kind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Database::Sqlite(folder.path().join("b.db")), 2).unwrap();
        for _ in 0..20 {
            let (batches, snapshot) = (Batches::default(), Arc::new(store.snapshot()));
            let loader = DataLoader::new(Doubles(Arc::clone(&snapshot), Mutex::default()), batches.clone(), NoDelay);
            // Both kinds are loaded first; each result leads to one more load of the other kind.
            let two_levels = async |k: i64| {
                let (number, text) =
                    futures_util::future::join(loader.load_one(k), loader.load_one(format!("{k},"))).await;
                let (number, text) = (number.unwrap().unwrap(), text.unwrap().unwrap());
                let next = futures_util::future::join(loader.load_one(text), loader.load_one(number + 1000)).await;
                next.1.unwrap().unwrap()
            };
            let all = futures_util::future::join_all((0..100).map(two_levels));
            assert_eq!(batches.drive(snapshot, all).await[7], 2 * (2 * 7 + 1000));
            assert_eq!(*loader.loader().1.lock().unwrap(), [100; 4]);
        }
    }
}
