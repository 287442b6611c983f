//! A gate that admits a limited number of requests at a time. The others wait in one line per key, and the lines are
//! served round robin, so that a client with many requests only delays itself. The transport uses it for requests, and
//! [`super::hashing`] for secrets.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// A limited number of slots, and a limited number of places to wait for them.
pub(crate) struct Gate<K: Copy + Eq + Hash> {
    places: usize,
    patience: Duration,
    lines: Mutex<Lines<K>>,
}

struct Lines<K: Copy + Eq + Hash> {
    free: usize,
    waiting: usize,
    by_key: HashMap<K, VecDeque<oneshot::Sender<GateSlot<K>>>>,
    /// The keys that have a line, in the order in which they are served.
    turns: VecDeque<K>,
}

/// A slot, held while a request is executed. It may be dropped on any thread.
pub(crate) struct GateSlot<K: Copy + Eq + Hash>(Option<Arc<Gate<K>>>);

/// No place to wait is left, or no slot became free in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Overloaded {
    /// The number of requests that may wait.
    pub places: usize,
    /// The number of requests that are waiting.
    pub waiting: usize,
}

impl<K: Copy + Eq + Hash> Gate<K> {
    pub(crate) fn new(slots: usize, places: usize, patience: Duration) -> Arc<Self> {
        let lines = Lines { free: slots, waiting: 0, by_key: HashMap::new(), turns: VecDeque::new() };
        Arc::new(Self { places, patience, lines: Mutex::new(lines) })
    }

    /// A poisoned lock only means that another thread panicked; the lines are intact.
    fn lock(&self) -> MutexGuard<'_, Lines<K>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot. If all places are taken, the longest line gives up a place to a shorter line.
    pub(crate) async fn enter(self: &Arc<Self>, key: K) -> Result<GateSlot<K>, Overloaded> {
        let turn = {
            let mut lines = self.lock();
            if lines.free > 0 {
                lines.free -= 1;
                return Ok(GateSlot(Some(Arc::clone(self))));
            }
            if lines.waiting >= self.places {
                lines.remove_cancelled();
            }
            if lines.waiting >= self.places && !lines.make_room_for(key) {
                return Err(Overloaded { places: self.places, waiting: lines.waiting });
            }
            let (sender, turn) = oneshot::channel();
            lines.push(key, sender);
            turn
        };
        let waited = tokio::time::timeout(self.patience, turn).await;
        waited.ok().and_then(Result::ok).ok_or_else(|| Overloaded { places: self.places, waiting: self.lock().waiting })
    }
}

impl<K: Copy + Eq + Hash> Lines<K> {
    fn push(&mut self, key: K, sender: oneshot::Sender<GateSlot<K>>) {
        let line = self.by_key.entry(key).or_default();
        if line.is_empty() {
            self.turns.push_back(key);
        }
        line.push_back(sender);
        self.waiting += 1;
    }

    /// Takes the first request of the line that is next.
    fn next(&mut self) -> Option<oneshot::Sender<GateSlot<K>>> {
        while let Some(key) = self.turns.pop_front() {
            let Some(line) = self.by_key.get_mut(&key) else { continue };
            let first = line.pop_front();
            match line.is_empty() {
                true => drop(self.by_key.remove(&key)),
                false => self.turns.push_back(key),
            }
            if first.is_some() {
                self.waiting -= 1;
                return first;
            }
        }
        None
    }

    /// Removes the requests whose clients have disconnected or timed out.
    fn remove_cancelled(&mut self) {
        self.by_key.retain(|_, line| {
            line.retain(|sender| !sender.is_closed());
            !line.is_empty()
        });
        self.turns.retain(|key| self.by_key.contains_key(key));
        self.waiting = self.by_key.values().map(VecDeque::len).sum();
    }

    /// Refuses the last request of the longest line, unless the line of the new request would be as long.
    fn make_room_for(&mut self, key: K) -> bool {
        let own = self.by_key.get(&key).map_or(0, VecDeque::len);
        let Some(longest) = self.by_key.values_mut().max_by_key(|line| line.len()).filter(|line| line.len() > own + 1)
        else {
            return false;
        };
        // Dropping the sender tells the request that it is refused.
        longest.pop_back();
        self.waiting -= 1;
        true
    }
}

impl<K: Copy + Eq + Hash> Drop for GateSlot<K> {
    /// Passes the slot on to the next request that is still waiting.
    fn drop(&mut self) {
        let Some(gate) = self.0.take() else { return };
        let mut lines = gate.lock();
        let mut slot = GateSlot(Some(Arc::clone(&gate)));
        while let Some(sender) = lines.next() {
            match sender.send(slot) {
                Ok(()) => return,
                Err(back) => slot = back,
            }
        }
        lines.free += 1;
        slot.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use futures_util::future::BoxFuture;

    const LONG: Duration = Duration::from_secs(3600);

    type Entering = BoxFuture<'static, Result<GateSlot<char>, Overloaded>>;

    /// Polls `enter` once.
    fn enter(gate: &Arc<Gate<char>>, key: char) -> Result<Result<GateSlot<char>, Overloaded>, Entering> {
        let gate = Arc::clone(gate);
        let mut entering = async move { gate.enter(key).await }.boxed();
        entering.as_mut().now_or_never().ok_or(entering)
    }

    fn waits(gate: &Arc<Gate<char>>, key: char) -> Entering {
        enter(gate, key).err().expect("all slots are taken")
    }

    #[tokio::test]
    async fn lines_are_served_in_turn() {
        let gate = Gate::new(1, 100, LONG);
        let held = enter(&gate, 'a').ok().unwrap().unwrap();
        let mut waiting: Vec<(&str, Entering)> = Vec::new();
        for name in ["a1", "a2", "a3", "a4", "b1", "b2", "c1"] {
            waiting.push((name, waits(&gate, name.chars().next().unwrap())));
        }
        drop(held);
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let mut served = None;
            for (i, (name, entering)) in waiting.iter_mut().enumerate() {
                if let Some(slot) = entering.as_mut().now_or_never() {
                    assert!(served.is_none(), "one slot");
                    order.push(*name);
                    served = Some((i, slot.unwrap()));
                }
            }
            let (i, slot) = served.expect("somebody is next");
            drop(waiting.remove(i));
            drop(slot);
        }
        assert_eq!(order, ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]);
        let lines = gate.lock();
        assert_eq!((lines.free, lines.waiting, lines.turns.len(), lines.by_key.len()), (1, 0, 0, 0));
    }

    #[tokio::test]
    async fn a_flood_only_loses_its_own_places() {
        let gate = Gate::new(1, 4, LONG);
        let _held = enter(&gate, 'a').ok().unwrap().unwrap();
        let mut flood: Vec<_> = (0..4).map(|_| waits(&gate, 'a')).collect();
        assert_eq!(enter(&gate, 'a').ok().unwrap().err(), Some(Overloaded { places: 4, waiting: 4 }));
        let (_b1, _b2) = (waits(&gate, 'b'), waits(&gate, 'b'));
        // The last two of the flood made room; from now on the lines are equal.
        assert!(flood.pop().unwrap().now_or_never().unwrap().is_err());
        assert!(flood.pop().unwrap().now_or_never().unwrap().is_err());
        assert!(flood.iter_mut().all(|entering| entering.as_mut().now_or_never().is_none()));
        assert!(enter(&gate, 'b').ok().unwrap().is_err());
        let _c = waits(&gate, 'c');
    }

    #[tokio::test]
    async fn cancelled_requests_are_skipped_and_lose_no_slot() {
        let gate = Gate::new(1, 2, LONG);
        let held = enter(&gate, 'a').ok().unwrap().unwrap();
        drop((waits(&gate, 'a'), waits(&gate, 'b')));
        // Their places are free for others.
        let (left, mut stays) = (waits(&gate, 'c'), waits(&gate, 'd'));
        drop(held);
        // A slot that went to a cancelled request is passed on.
        drop(left);
        let slot = stays.as_mut().now_or_never().unwrap().unwrap();
        drop(slot);
        let lines = gate.lock();
        assert_eq!((lines.free, lines.waiting), (1, 0));
    }

    #[tokio::test]
    async fn waiting_times_out() {
        let gate = Gate::new(1, 2, Duration::from_millis(1));
        let _held = enter(&gate, 'a').ok().unwrap().unwrap();
        assert!(gate.enter('a').await.is_err());
    }
}
