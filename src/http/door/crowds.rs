//! The connections by the network that they come from, and in which order those that wait give up their seats. Each step
//! is a look into ordered maps, whatever the number of connections.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::Notify;

use super::fair::Network;

/// Who comes by way of trusted proxies is one crowd without a network.
pub(super) type SourceNetwork = Option<Network>;

/// All connections that have a seat.
#[derive(Default)]
pub(super) struct Crowds {
    /// How many turns have been given.
    turns: u64,
    by_origin: HashMap<SourceNetwork, Crowd>,
    /// The crowds in which somebody waits, in the order of their ranks.
    ranks: BTreeSet<(Rank, SourceNetwork)>,
}

/// Which crowd gives up a seat when all are taken: that of the highest rank. The crowd with the most who wait; among
/// equals where most of them have never sent a request; then where somebody waits longest.
type Rank = (usize, usize, Reverse<u64>);

#[derive(Default)]
struct Crowd {
    open: usize,
    /// How many of those that wait have never sent a request.
    silent: usize,
    waiting: BTreeMap<Turn, Arc<Notify>>,
}

/// When a connection gives up its seat, should it wait then: those first that have never sent a request, in the order in
/// which they came; then the others, in the order in which their last requests began. So the order is the one that
/// clients see, whichever thread looks first.
#[derive(Clone, Copy, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Turn {
    has_asked: bool,
    since: u64,
}

impl Crowd {
    fn rank(&self) -> Rank {
        let first = self.waiting.keys().next().map_or(0, |turn| turn.since);
        (self.waiting.len(), self.silent, Reverse(first))
    }
}

impl Crowds {
    /// Changes a crowd, and its rank with it.
    fn change<R>(&mut self, origin: SourceNetwork, change: impl FnOnce(&mut Crowd) -> R) -> R {
        let crowd = self.by_origin.entry(origin).or_default();
        let before = crowd.rank();
        let changed = change(crowd);
        let (after, is_over) = (crowd.rank(), crowd.open == 0);
        if before != after {
            self.ranks.remove(&(before, origin));
            if after.0 > 0 {
                self.ranks.insert((after, origin));
            }
        }
        if is_over {
            self.by_origin.remove(&origin);
        }
        changed
    }

    /// How many are open from there.
    pub(super) fn open(&self, origin: SourceNetwork) -> usize {
        self.by_origin.get(&origin).map_or(0, |crowd| crowd.open)
    }

    /// The crowd that gives up a seat when all are taken, if anybody waits.
    pub(super) fn largest(&self) -> Option<SourceNetwork> {
        self.ranks.last().map(|(_, origin)| *origin)
    }

    fn turn(&mut self, has_asked: bool) -> Turn {
        self.turns += 1;
        Turn { has_asked, since: self.turns }
    }

    /// One more, which does not wait yet; the turn that it has until it asks for something.
    pub(super) fn enter(&mut self, origin: SourceNetwork) -> Turn {
        self.change(origin, |crowd| crowd.open += 1);
        self.turn(false)
    }

    /// The turn of one that begins a request.
    pub(super) fn asks(&mut self) -> Turn {
        self.turn(true)
    }

    /// One less, which did not wait.
    pub(super) fn leave(&mut self, origin: SourceNetwork) {
        self.change(origin, |crowd| crowd.open -= 1);
    }

    /// One that is there begins to wait; `leave` is told when it has to give up its seat.
    pub(super) fn wait(&mut self, origin: SourceNetwork, turn: Turn, leave: &Arc<Notify>) {
        self.change(origin, |crowd| {
            crowd.silent += usize::from(!turn.has_asked);
            crowd.waiting.insert(turn, Arc::clone(leave));
        });
    }

    /// A wait ends; false when its seat has been given up.
    pub(super) fn go_on(&mut self, origin: SourceNetwork, turn: Turn) -> bool {
        self.change(origin, |crowd| {
            let waited = crowd.waiting.remove(&turn).is_some();
            crowd.silent -= usize::from(waited && !turn.has_asked);
            waited
        })
    }

    /// Takes the seat of the first in the order; false when nobody of this crowd waits.
    pub(super) fn make_room(&mut self, origin: SourceNetwork) -> bool {
        self.change(origin, |crowd| {
            let Some((turn, leave)) = crowd.waiting.pop_first() else { return false };
            crowd.silent -= usize::from(!turn.has_asked);
            crowd.open -= 1;
            leave.notify_one();
            true
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use proptest::prelude::*;

    fn origin(last: u8) -> SourceNetwork {
        (last > 0).then(|| Network::from(IpAddr::from([127, 0, 0, last])))
    }

    #[test]
    fn the_largest_crowd_gives_up_a_seat_and_in_it_who_never_asked() {
        let (mut crowds, leave) = (Crowds::default(), Arc::default());
        let mut enter = |last, has_asked| {
            let came = crowds.enter(origin(last));
            let turn = if has_asked { crowds.asks() } else { came };
            crowds.wait(origin(last), turn, &leave);
            turn
        };
        let (idle, old, new) = (enter(1, true), enter(1, false), enter(1, false));
        enter(2, true);
        enter(2, false);
        assert!(crowds.largest() == Some(origin(1)) && crowds.make_room(origin(1)));
        assert!(!crowds.go_on(origin(1), old) && crowds.go_on(origin(1), new) && crowds.go_on(origin(1), idle));
        // Among equals where most never asked, then where the oldest waits.
        assert!(crowds.largest() == Some(origin(2)));
        crowds.wait(origin(1), new, &leave);
        let more = crowds.enter(origin(1));
        crowds.wait(origin(1), more, &leave);
        assert!(crowds.largest() == Some(origin(1)));
        let newest = crowds.enter(origin(3));
        crowds.wait(origin(3), newest, &leave);
        assert!(crowds.make_room(origin(1)) && crowds.make_room(origin(2)) && crowds.largest() != Some(origin(3)));
    }

    proptest! {
        /// Whatever happens, a crowd is ranked as it stands, and one that is gone is forgotten.
        #[test]
        fn ranks_are_those_of_the_crowds(steps in prop::collection::vec((0..5u8, 0..4u8, any::<bool>()), 0..200)) {
            let (mut crowds, leave) = (Crowds::default(), Arc::default());
            let mut at_work: Vec<(SourceNetwork, Turn)> = Vec::new();
            let mut waiting: Vec<(SourceNetwork, Turn)> = Vec::new();
            for (step, last, has_asked) in steps {
                let from = origin(last);
                let working = at_work.iter().position(|(own, _)| *own == from);
                let waits = waiting.iter().position(|(own, _)| *own == from);
                match (step, working, waits) {
                    (0, ..) => {
                        at_work.push((from, crowds.enter(from)));
                    }
                    (1, Some(place), _) => {
                        let (_, own) = at_work.remove(place);
                        let turn = if has_asked { crowds.asks() } else { own };
                        crowds.wait(from, turn, &leave);
                        waiting.push((from, turn));
                    }
                    (2, _, Some(place)) => {
                        let (from, turn) = waiting.remove(place);
                        prop_assert!(crowds.go_on(from, turn));
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
                        prop_assert!(oldest.is_none_or(|wait| !crowds.go_on(from, wait)));
                    }
                    _ => {}
                }
                for last in 0..4 {
                    let from = origin(last);
                    let waits: Vec<_> = waiting.iter().filter(|(own, _)| *own == from).map(|(_, wait)| wait).collect();
                    let open = at_work.iter().filter(|(own, _)| *own == from).count() + waits.len();
                    prop_assert_eq!((crowds.open(from), crowds.by_origin.contains_key(&from)), (open, open > 0));
                    let silent = waits.iter().filter(|wait| !wait.has_asked).count();
                    let first = waits.iter().min().map_or(0, |wait| wait.since);
                    let rank = (waits.len(), silent, Reverse(first));
                    prop_assert_eq!(crowds.ranks.contains(&(rank, from)), !waits.is_empty());
                }
                let crowded = (0..4).filter(|last| waiting.iter().any(|(own, _)| *own == origin(*last))).count();
                prop_assert_eq!(crowds.ranks.len(), crowded);
            }
        }
    }
}
