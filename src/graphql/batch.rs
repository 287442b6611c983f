//! When a batch of look-ups is sent off: exactly when execution can go no further without it.
//!
//! `DataLoader` spawns a task that waits a while for more keys. Here the task is not given to the runtime but to the
//! request that asks: it is polled only when the execution itself is waiting. So a batch holds every key that could
//! be known by then, whatever the number of worker threads, and it never waits for the clock.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_graphql::runtime::Timer;
use futures_util::future::{BoxFuture, FutureExt as _, poll_fn, ready};
use futures_util::stream::{FuturesUnordered, Stream as _};
use futures_util::task::{FutureObj, Spawn, SpawnError};

/// Takes the tasks of one request's loaders.
#[derive(Clone, Default)]
pub(super) struct Batches(Arc<Mutex<Vec<FutureObj<'static, ()>>>>);

impl Batches {
    fn take(&self) -> Vec<FutureObj<'static, ()>> {
        // A poisoned lock only means that a resolver panicked while it added a task; the list is whole.
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `main` and the tasks that it spawns here, those only while `main` waits.
    pub(super) async fn drive<F: Future>(self, main: F) -> F::Output {
        let mut main = pin!(main);
        let mut running = FuturesUnordered::new();
        poll_fn(move |cx: &mut Context<'_>| {
            loop {
                if let Poll::Ready(output) = main.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                running.extend(self.take());
                match Pin::new(&mut running).poll_next(cx) {
                    Poll::Ready(Some(())) => {}
                    Poll::Ready(None) | Poll::Pending => return Poll::Pending,
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

/// Does not wait: the order of polling above is the wait.
pub(super) struct AtOnce;

impl Timer for AtOnce {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        ready(()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::dataloader::{DataLoader, Loader};
    use std::collections::HashMap;

    struct Sizes(Mutex<Vec<usize>>);

    impl Loader<u32> for Sizes {
        type Value = u32;
        type Error = ();

        async fn load(&self, keys: &[u32]) -> Result<HashMap<u32, u32>, ()> {
            self.0.lock().unwrap().push(keys.len());
            Ok(keys.iter().map(|k| (*k, k + 1)).collect())
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_level_is_one_batch() {
        let batches = Batches::default();
        let loader = DataLoader::new(Sizes(Mutex::default()), batches.clone(), AtOnce);
        let two_levels = async |k: u32| {
            let next = loader.load_one(k).await.unwrap().unwrap();
            loader.load_one(next + 1000).await.unwrap().unwrap()
        };
        let all = futures_util::future::join_all((0..100).map(two_levels));
        assert_eq!(batches.drive(all).await.len(), 100);
        assert_eq!(*loader.loader().0.lock().unwrap(), [100, 100]);
    }
}
