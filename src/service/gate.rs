//! So many at a time, and everybody else in turn: requests that wait stand in one line for each key, and the lines are
//! served round robin, so that whoever sends many waits for itself. The transport lets requests in through it, and
//! [`super::hashing`] secrets.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// A bounded number of slots and of places to wait for them.
pub(crate) struct Gate<K: Copy + Eq + Hash> {
    places: usize,
    patience: Duration,
    lines: Mutex<Lines<K>>,
}

struct Lines<K: Copy + Eq + Hash> {
    free: usize,
    waiting: usize,
    of: HashMap<K, VecDeque<oneshot::Sender<GateSlot<K>>>>,
    /// The keys that have a line, in the order of their turns.
    turns: VecDeque<K>,
}

/// Held while a request is executed; whoever holds it may drop it on any thread.
pub(crate) struct GateSlot<K: Copy + Eq + Hash>(Option<Arc<Gate<K>>>);

/// There is no place left, or none became free in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Overloaded {
    /// How many requests may wait.
    pub places: usize,
    /// How many do.
    pub waiting: usize,
}

impl<K: Copy + Eq + Hash> Gate<K> {
    pub(crate) fn new(slots: usize, places: usize, patience: Duration) -> Arc<Self> {
        let lines = Lines { free: slots, waiting: 0, of: HashMap::new(), turns: VecDeque::new() };
        Arc::new(Self { places, patience, lines: Mutex::new(lines) })
    }

    /// A poisoned lock only means that another thread panicked; the lines are whole.
    fn lock(&self) -> MutexGuard<'_, Lines<K>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a slot. When all places are taken, the longest line gives one up to a line that is shorter.
    pub(crate) async fn enter(self: &Arc<Self>, key: K) -> Result<GateSlot<K>, Overloaded> {
        let turn = {
            let mut lines = self.lock();
            if lines.free > 0 {
                lines.free -= 1;
                return Ok(GateSlot(Some(Arc::clone(self))));
            }
            if lines.waiting >= self.places {
                lines.forget_who_left();
            }
            if lines.waiting >= self.places && !lines.make_room_for(key) {
                return Err(Overloaded { places: self.places, waiting: lines.waiting });
            }
            let (give, turn) = oneshot::channel();
            lines.push(key, give);
            turn
        };
        let waited = tokio::time::timeout(self.patience, turn).await;
        waited.ok().and_then(Result::ok).ok_or_else(|| Overloaded { places: self.places, waiting: self.lock().waiting })
    }
}

impl<K: Copy + Eq + Hash> Lines<K> {
    fn push(&mut self, key: K, give: oneshot::Sender<GateSlot<K>>) {
        let line = self.of.entry(key).or_default();
        if line.is_empty() {
            self.turns.push_back(key);
        }
        line.push_back(give);
        self.waiting += 1;
    }

    /// The first of the line whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<GateSlot<K>>> {
        while let Some(key) = self.turns.pop_front() {
            let Some(line) = self.of.get_mut(&key) else { continue };
            let first = line.pop_front();
            match line.is_empty() {
                true => drop(self.of.remove(&key)),
                false => self.turns.push_back(key),
            }
            if first.is_some() {
                self.waiting -= 1;
                return first;
            }
        }
        None
    }

    /// Frees the places of those whose clients are gone or out of patience.
    fn forget_who_left(&mut self) {
        self.of.retain(|_, line| {
            line.retain(|give| !give.is_closed());
            !line.is_empty()
        });
        self.turns.retain(|key| self.of.contains_key(key));
        self.waiting = self.of.values().map(VecDeque::len).sum();
    }

    /// Sends the last of the longest line away, unless the newcomer's own would be as long.
    fn make_room_for(&mut self, key: K) -> bool {
        let own = self.of.get(&key).map_or(0, VecDeque::len);
        let Some(longest) = self.of.values_mut().max_by_key(|line| line.len()).filter(|line| line.len() > own + 1)
        else {
            return false;
        };
        // Its sender is dropped, and so it hears that it waits in vain.
        longest.pop_back();
        self.waiting -= 1;
        true
    }
}

impl<K: Copy + Eq + Hash> Drop for GateSlot<K> {
    /// Hands the slot to who is next; who left meanwhile is passed over.
    fn drop(&mut self) {
        let Some(gate) = self.0.take() else { return };
        let mut lines = gate.lock();
        let mut slot = GateSlot(Some(Arc::clone(&gate)));
        while let Some(give) = lines.next() {
            match give.send(slot) {
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

    /// Enters as far as that goes at once.
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
        assert_eq!((lines.free, lines.waiting, lines.turns.len(), lines.of.len()), (1, 0, 0, 0));
    }

    #[tokio::test]
    async fn a_flood_loses_its_own_places_and_nobody_elses() {
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
    async fn who_leaves_is_passed_over_and_loses_no_slot() {
        let gate = Gate::new(1, 2, LONG);
        let held = enter(&gate, 'a').ok().unwrap().unwrap();
        drop((waits(&gate, 'a'), waits(&gate, 'b')));
        // Their places are free for others.
        let (left, mut stays) = (waits(&gate, 'c'), waits(&gate, 'd'));
        drop(held);
        // A slot that was given to somebody who leaves before looking is given on.
        drop(left);
        let slot = stays.as_mut().now_or_never().unwrap().unwrap();
        drop(slot);
        let lines = gate.lock();
        assert_eq!((lines.free, lines.waiting), (1, 0));
    }

    #[tokio::test]
    async fn patience_ends() {
        let gate = Gate::new(1, 2, Duration::from_millis(1));
        let _held = enter(&gate, 'a').ok().unwrap().unwrap();
        assert!(gate.enter('a').await.is_err());
    }
}
