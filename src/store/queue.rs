//! The queue of the writer, in which tenants take turns.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::{Result, StoreError};
use super::job::WriteJob;
use crate::domain::{Stopwatch, TenantId};

/// The maximum number of jobs in one commit, so that the first job does not wait too long.
const GROUP: usize = 256;
/// The maximum number of waiting jobs of one tenant. The server admits far fewer requests at a time, so this only
/// limits the jobs of clients that disconnected without waiting for their answer.
const WAITING: usize = 1024;
/// The tenant whose row a job locks; `None` for changes that do not belong to one tenant.
pub(super) type QueueKey = Option<TenantId>;

/// The jobs of one commit, and their keys.
pub(super) type Group = (Vec<QueueKey>, Vec<Box<dyn WriteJob>>);

/// The waiting jobs by key. Only one thread at a time works on a key, so that its jobs keep their order.
#[derive(Default)]
struct Waiting {
    jobs: HashMap<QueueKey, VecDeque<Box<dyn WriteJob>>>,
    /// Keys that have jobs but no thread.
    ready: VecDeque<QueueKey>,
    /// Keys that a thread works on, and for how long.
    busy: HashMap<QueueKey, Stopwatch>,
    closed: bool,
}

impl Waiting {
    /// The next group and its keys; empty if nothing waits. A group for one tenant takes all its jobs; a group for all
    /// tenants takes one job of each in turn.
    fn group(&mut self, by_tenant: bool) -> Group {
        let (mut keys, mut group) = (Vec::new(), Vec::new());
        while group.len() < GROUP
            && let Some(key) = self.ready.pop_front()
        {
            let jobs = self.jobs.entry(key).or_default();
            group.extend(jobs.drain(..jobs.len().min(if by_tenant { GROUP } else { 1 })));
            if let Entry::Vacant(free) = self.busy.entry(key) {
                free.insert(Stopwatch::start());
                keys.push(key);
            }
            if by_tenant {
                break;
            }
            if !jobs.is_empty() {
                self.ready.push_back(key);
            }
        }
        (keys, group)
    }

    /// Releases a key. `true` if it has more jobs.
    fn release(&mut self, key: QueueKey) -> bool {
        self.busy.remove(&key);
        let more = self.jobs.get(&key).is_some_and(|jobs| !jobs.is_empty());
        if !more {
            self.jobs.remove(&key);
        } else if !self.ready.contains(&key) {
            self.ready.push_back(key);
        }
        more
    }
}

/// The waiting jobs, and the writer threads that wait for them.
pub(super) struct Queue {
    /// Whether each group contains the jobs of one tenant only.
    by_tenant: bool,
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

impl Queue {
    pub(super) fn new(by_tenant: bool) -> Self {
        Self { by_tenant, waiting: Mutex::default(), changed: Condvar::new() }
    }

    /// A poisoned lock only means that another thread panicked; the lists are intact.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a job.
    ///
    /// # Errors
    /// Too many jobs of the tenant are waiting already.
    pub(super) fn push(&self, key: QueueKey, job: Box<dyn WriteJob>) -> Result<()> {
        let mut waiting = self.lock();
        let jobs = waiting.jobs.entry(key).or_default();
        if jobs.len() >= WAITING {
            return Err(StoreError::Busy(format!("{WAITING} saves of the tenant are waiting already")));
        }
        jobs.push_back(job);
        if jobs.len() == 1 && !waiting.busy.contains_key(&key) {
            waiting.ready.push_back(key);
            self.changed.notify_one();
        }
        Ok(())
    }

    /// The next group and its keys. Waits for one; `None` if the queue is closed and no job is left for this thread.
    pub(super) fn take(&self) -> Option<Group> {
        let mut waiting = self.lock();
        loop {
            let (keys, group) = waiting.group(self.by_tenant);
            if !group.is_empty() {
                return Some((keys, group));
            }
            if waiting.closed {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Releases keys after their group.
    pub(super) fn release(&self, keys: Vec<QueueKey>) {
        let mut waiting = self.lock();
        for key in keys {
            if waiting.release(key) {
                self.changed.notify_one();
            }
        }
    }

    /// Closes the queue: the threads end once nothing waits.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The number of waiting jobs.
    pub(super) fn len(&self) -> usize {
        self.lock().jobs.values().map(VecDeque::len).sum()
    }

    /// Whether no thread has worked on its group for longer than `patience`.
    pub(super) fn works_within(&self, patience: Duration) -> bool {
        self.lock().busy.values().all(|at_work| at_work.elapsed() <= patience)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::store::connection::Connection;
    use crate::store::job::Verdict;

    /// A job with a name, which it appends to a list when it is answered.
    struct Named(&'static str, Arc<Mutex<Vec<&'static str>>>);

    impl WriteJob for Named {
        fn begin(&self) -> bool {
            true
        }

        fn run(&mut self, _: &mut dyn Connection) -> Verdict {
            Verdict::Keep
        }

        fn age(&self) -> Duration {
            Duration::ZERO
        }

        fn answer(self: Box<Self>, _: &Result<()>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    fn queue(by_tenant: bool) -> Queue {
        Queue::new(by_tenant)
    }

    /// Answers the next group, releases its keys and returns their number.
    fn group(queue: &Queue) -> usize {
        let (keys, jobs) = queue.take().unwrap();
        jobs.into_iter().for_each(|job| job.answer(&Ok(())));
        let count = keys.len();
        queue.release(keys);
        count
    }

    #[test]
    fn tenants_take_turns_in_a_group_and_keep_their_order() {
        let (queue, answered) = (queue(false), Arc::<Mutex<Vec<_>>>::default());
        let push = |tenant, name| {
            queue.push(Some(TenantId(tenant)), Box::new(Named(name, Arc::clone(&answered)))).unwrap();
        };
        (0..GROUP).for_each(|_| push(1, "flood"));
        ["first", "second"].into_iter().for_each(|name| push(2, name));
        group(&queue);
        let order = std::mem::take(&mut *answered.lock().unwrap());
        assert_eq!(order.len(), GROUP);
        assert_eq!(order[..5], ["flood", "first", "flood", "second", "flood"]);
        group(&queue);
        assert_eq!(answered.lock().unwrap().len(), 2, "the rest of the flood");
        let waiting = queue.lock();
        assert!(waiting.jobs.is_empty() && waiting.ready.is_empty() && waiting.busy.is_empty());
    }

    #[test]
    fn a_flood_only_fills_the_places_of_its_own_tenant() {
        for by_tenant in [false, true] {
            let (queue, answered) = (queue(by_tenant), Arc::<Mutex<Vec<_>>>::default());
            let push = |tenant| queue.push(Some(TenantId(tenant)), Box::new(Named("x", Arc::clone(&answered))));
            (0..WAITING).for_each(|_| push(1).unwrap());
            assert!(matches!(push(1), Err(StoreError::Busy(_))));
            push(2).unwrap();
            assert_eq!(group(&queue), if by_tenant { 1 } else { 2 }, "tenants of a group");
            push(1).unwrap();
        }
    }
}
