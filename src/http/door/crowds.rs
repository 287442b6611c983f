//! Groups connections into crowds, by the network that they come from, and decides which waiting connection gives up
//! its seat next. Each operation is a few look-ups in ordered maps, so its time grows only with the logarithm of the
//! number of connections.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::Notify;

use super::fair::Network;

/// Identifies a crowd. All connections from trusted proxies form one crowd without a network.
pub(super) type SourceNetwork = Option<Network>;

/// All connections that have a seat.
#[derive(Default)]
pub(super) struct Crowds {
    /// How many turns have been given out.
    turns: u64,
    by_source: HashMap<SourceNetwork, Crowd>,
    /// The crowds that have waiting connections, in the order of their ranks.
    ranks: BTreeSet<(Rank, SourceNetwork)>,
}

/// When all seats are taken, the crowd with the highest rank gives one up: the crowd with the most waiting connections;
/// among equals the one with the most that have never sent a request; and among those the one whose first connection to
/// give up has the oldest turn.
type Rank = (usize, usize, Reverse<u64>);

/// The connections from one network.
#[derive(Default)]
struct Crowd {
    open: usize,
    /// How many of the waiting connections have never sent a request.
    silent: usize,
    /// The waiting connections by their turns, each with what tells it to give up its seat.
    waiting: BTreeMap<Turn, Arc<Notify>>,
}

/// A connection's place in the order in which waiting connections give up their seats. First come those that have never
/// sent a request, in the order in which they arrived; then the others, in the order in which their last requests
/// began. The turn is fixed at that moment, so the order is the one that clients see and does not depend on which
/// thread runs first.
#[derive(Clone, Copy, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Turn {
    has_sent_request: bool,
    number: u64,
}

impl Crowd {
    fn rank(&self) -> Rank {
        let first = self.waiting.keys().next().map_or(0, |turn| turn.number);
        (self.waiting.len(), self.silent, Reverse(first))
    }
}

impl Crowds {
    /// Changes a crowd and updates its rank. An empty crowd is removed.
    fn change<R>(&mut self, source: SourceNetwork, change: impl FnOnce(&mut Crowd) -> R) -> R {
        let crowd = self.by_source.entry(source).or_default();
        let before = crowd.rank();
        let changed = change(crowd);
        let (after, is_over) = (crowd.rank(), crowd.open == 0);
        if before != after {
            self.ranks.remove(&(before, source));
            if after.0 > 0 {
                self.ranks.insert((after, source));
            }
        }
        if is_over {
            self.by_source.remove(&source);
        }
        changed
    }

    /// How many connections are open from this network.
    pub(super) fn open(&self, source: SourceNetwork) -> usize {
        self.by_source.get(&source).map_or(0, |crowd| crowd.open)
    }

    /// The crowd that gives up a seat when all are taken; `None` if no connection waits.
    pub(super) fn largest(&self) -> Option<SourceNetwork> {
        self.ranks.last().map(|(_, source)| *source)
    }

    fn next_turn(&mut self, has_sent_request: bool) -> Turn {
        self.turns += 1;
        Turn { has_sent_request, number: self.turns }
    }

    /// Adds a connection, which does not wait yet. Returns its turn, which it keeps until its first request.
    pub(super) fn enter(&mut self, source: SourceNetwork) -> Turn {
        self.change(source, |crowd| crowd.open += 1);
        self.next_turn(false)
    }

    /// A new turn for a connection that begins a request.
    pub(super) fn turn_for_request(&mut self) -> Turn {
        self.next_turn(true)
    }

    /// Removes a connection that does not wait.
    pub(super) fn leave(&mut self, source: SourceNetwork) {
        self.change(source, |crowd| crowd.open -= 1);
    }

    /// A connection begins to wait; `evicted` is notified when it has to give up its seat.
    pub(super) fn start_waiting(&mut self, source: SourceNetwork, turn: Turn, evicted: &Arc<Notify>) {
        self.change(source, |crowd| {
            crowd.silent += usize::from(!turn.has_sent_request);
            crowd.waiting.insert(turn, Arc::clone(evicted));
        });
    }

    /// A connection stops waiting; `false` if it has had to give up its seat.
    pub(super) fn stop_waiting(&mut self, source: SourceNetwork, turn: Turn) -> bool {
        self.change(source, |crowd| {
            let waited = crowd.waiting.remove(&turn).is_some();
            crowd.silent -= usize::from(waited && !turn.has_sent_request);
            waited
        })
    }

    /// Takes the seat of the waiting connection with the first turn; `false` if none of this crowd waits.
    pub(super) fn make_room(&mut self, source: SourceNetwork) -> bool {
        self.change(source, |crowd| {
            let Some((turn, evicted)) = crowd.waiting.pop_first() else { return false };
            crowd.silent -= usize::from(!turn.has_sent_request);
            crowd.open -= 1;
            evicted.notify_one();
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use proptest::prelude::*;

    fn source(last: u8) -> SourceNetwork {
        (last > 0).then(|| Network::from(IpAddr::from([127, 0, 0, last])))
    }

    #[test]
    fn the_largest_crowd_gives_up_a_seat_first_one_that_never_sent_a_request() {
        let (mut crowds, evicted) = (Crowds::default(), Arc::default());
        let mut enter = |last, has_sent_request| {
            let first = crowds.enter(source(last));
            let turn = if has_sent_request { crowds.turn_for_request() } else { first };
            crowds.start_waiting(source(last), turn, &evicted);
            turn
        };
        let (idle, old, new) = (enter(1, true), enter(1, false), enter(1, false));
        enter(2, true);
        enter(2, false);
        assert!(crowds.largest() == Some(source(1)) && crowds.make_room(source(1)));
        assert!(
            !crowds.stop_waiting(source(1), old)
                && crowds.stop_waiting(source(1), new)
                && crowds.stop_waiting(source(1), idle)
        );
        // Among equals the crowd with the most that never sent a request, then the one with the oldest turn.
        assert!(crowds.largest() == Some(source(2)));
        crowds.start_waiting(source(1), new, &evicted);
        let more = crowds.enter(source(1));
        crowds.start_waiting(source(1), more, &evicted);
        assert!(crowds.largest() == Some(source(1)));
        let newest = crowds.enter(source(3));
        crowds.start_waiting(source(3), newest, &evicted);
        assert!(crowds.make_room(source(1)) && crowds.make_room(source(2)) && crowds.largest() != Some(source(3)));
    }

    proptest! {
        /// After every step each crowd has the rank that fits its connections, and an empty crowd is forgotten.
        #[test]
        fn ranks_are_those_of_the_crowds(steps in prop::collection::vec((0..5u8, 0..4u8, any::<bool>()), 0..200)) {
            let (mut crowds, evicted) = (Crowds::default(), Arc::default());
            let mut at_work: Vec<(SourceNetwork, Turn)> = Vec::new();
            let mut waiting: Vec<(SourceNetwork, Turn)> = Vec::new();
            for (step, last, has_sent_request) in steps {
                let from = source(last);
                let working = at_work.iter().position(|(own, _)| *own == from);
                let waits = waiting.iter().position(|(own, _)| *own == from);
                match (step, working, waits) {
                    (0, ..) => {
                        at_work.push((from, crowds.enter(from)));
                    }
                    (1, Some(place), _) => {
                        let (_, own) = at_work.remove(place);
                        let turn = if has_sent_request { crowds.turn_for_request() } else { own };
                        crowds.start_waiting(from, turn, &evicted);
                        waiting.push((from, turn));
                    }
                    (2, _, Some(place)) => {
                        let (from, turn) = waiting.remove(place);
                        prop_assert!(crowds.stop_waiting(from, turn));
                        at_work.push((from, turn));
                    }
                    (3, Some(place), _) => {
                        at_work.remove(place);
                        crowds.leave(from);
                    }
                    (4, ..) => {
                        let oldest = waiting.iter().filter(|(own, _)| *own == from).map(|(_, wait)| *wait).min();
                        prop_assert_eq!(crowds.make_room(from), oldest.is_some());
                        waiting.retain(|(_, wait)| Some(*wait) != oldest);
                        prop_assert!(oldest.is_none_or(|wait| !crowds.stop_waiting(from, wait)));
                    }
                    _ => {}
                }
                for last in 0..4 {
                    let from = source(last);
                    let waits: Vec<_> = waiting.iter().filter(|(own, _)| *own == from).map(|(_, wait)| wait).collect();
                    let open = at_work.iter().filter(|(own, _)| *own == from).count() + waits.len();
                    prop_assert_eq!((crowds.open(from), crowds.by_source.contains_key(&from)), (open, open > 0));
                    let silent = waits.iter().filter(|wait| !wait.has_sent_request).count();
                    let first = waits.iter().min().map_or(0, |wait| wait.number);
                    let rank = (waits.len(), silent, Reverse(first));
                    prop_assert_eq!(crowds.ranks.contains(&(rank, from)), !waits.is_empty());
                }
                let crowded = (0..4).filter(|last| waiting.iter().any(|(own, _)| *own == source(*last))).count();
                prop_assert_eq!(crowds.ranks.len(), crowded);
            }
        }
    }
}
