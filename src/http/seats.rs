//! Seats for connections: how many there are, who has them, and who gives one up when they are short.
//!
//! A connection waits while no request is in progress on it: it has not sent the header of its first one yet, or it is
//! idle between two. It may wait for as long as the client's time allows, but only while nobody else needs its seat: a
//! newcomer takes the seat of who has waited longest, of those first that have never sent a request. A request in
//! progress, an open WebSocket and an event stream keep theirs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Cx, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::fair::{FairUse, Network, is_trusted};
use super::stream::Attendant;

/// The most connections beyond the limit that are still told so; more are closed without a word.
const TURNED_AWAY: usize = 64;
/// The most connections that have given up their seat and are not closed yet; nobody is let in before one is.
const LEAVING: usize = 64;

/// All seats.
pub(super) struct Seats {
    limits: FairUse,
    counts: Mutex<Counts>,
    /// Told when a connection that gave up its seat is closed.
    left: Notify,
}

#[derive(Default)]
struct Counts {
    admitted: usize,
    turned_away: usize,
    leaving: usize,
    /// How often somebody has begun to wait: who began first has the least.
    waits: u64,
    /// Who comes by way of trusted proxies is one crowd without a network.
    crowds: HashMap<Option<Network>, Crowd>,
    /// The crowds in which somebody waits, in the order of their ranks.
    ranks: BTreeSet<(Rank, Option<Network>)>,
}

/// The connections from one network.
#[derive(Default)]
struct Crowd {
    open: usize,
    /// How many of those that wait have never sent a request.
    silent: usize,
    waiting: BTreeMap<Wait, Arc<Notify>>,
}

/// Which crowd gives up a seat when all are taken: that of the highest rank. The crowd with the most who wait; among
/// equals where most of them have never sent a request; then where somebody waits longest.
type Rank = (usize, usize, Reverse<u64>);

/// A wait, in the order in which seats are given up.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Wait {
    has_asked: bool,
    since: u64,
}

impl Crowd {
    fn rank(&self) -> Rank {
        let first = self.waiting.keys().next().map_or(0, |wait| wait.since);
        (self.waiting.len(), self.silent, Reverse(first))
    }

    fn enlist(&mut self, wait: Wait, leave: &Arc<Notify>) {
        self.silent += usize::from(!wait.has_asked);
        self.waiting.insert(wait, Arc::clone(leave));
    }

    /// Takes a wait off the list; false when its seat has been given up.
    fn strike(&mut self, wait: Wait) -> bool {
        let listed = self.waiting.remove(&wait).is_some();
        self.silent -= usize::from(listed && !wait.has_asked);
        listed
    }

    /// Lets who is first in the order leave; false when nobody waits.
    fn make_room(&mut self) -> bool {
        let Some((wait, leave)) = self.waiting.pop_first() else { return false };
        self.silent -= usize::from(!wait.has_asked);
        self.open -= 1;
        leave.notify_one();
        true
    }
}

impl Counts {
    /// Changes a crowd, and its rank with it.
    fn change<R>(&mut self, network: Option<Network>, change: impl FnOnce(&mut Crowd) -> R) -> R {
        let crowd = self.crowds.entry(network).or_default();
        let before = crowd.rank();
        let changed = change(crowd);
        let (after, is_over) = (crowd.rank(), crowd.open == 0);
        if before != after {
            self.ranks.remove(&(before, network));
            if after.0 > 0 {
                self.ranks.insert((after, network));
            }
        }
        if is_over {
            self.crowds.remove(&network);
        }
        changed
    }

    fn next_wait(&mut self, has_asked: bool) -> Wait {
        self.waits += 1;
        Wait { has_asked, since: self.waits }
    }

    /// Lets somebody leave; false when nobody of this crowd waits.
    fn make_room(&mut self, network: Option<Network>) -> bool {
        let made = self.change(network, Crowd::make_room);
        if made {
            self.admitted -= 1;
            self.leaving += 1;
        }
        made
    }
}

impl Seats {
    pub(super) fn new(limits: FairUse) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default(), left: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A poisoned lock only means that another thread panicked; the counts are whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until those who gave up their seats are gone, but for a few. For one waiter.
    pub(super) async fn settled(&self) {
        while self.lock().leaving >= LEAVING {
            self.left.notified().await;
        }
    }

    /// A seat for a connection from there; `None` for one that is not even told that it is too many.
    pub(super) fn seat(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<Seat>> {
        let limits = &self.limits;
        let network = (!is_trusted(peer.ip().to_canonical(), &limits.trusted_proxy)).then(|| Network::from(peer.ip()));
        let mut counts = self.lock();
        let alike = counts.crowds.get(&network).map_or(0, |crowd| crowd.open);
        let admitted = if network.is_some() && alike >= limits.max_connections_per_address.get() {
            counts.make_room(network)
        } else if counts.admitted >= limits.max_connections.get() {
            let crowd = counts.ranks.last().map(|(_, network)| *network);
            crowd.is_some_and(|crowd| counts.make_room(crowd))
        } else {
            true
        };
        let leave = Arc::new(Notify::new());
        let mut waits = None;
        if admitted {
            let wait = counts.next_wait(false);
            counts.admitted += 1;
            counts.change(network, |crowd| {
                crowd.open += 1;
                crowd.enlist(wait, &leave);
            });
            waits = Some(wait);
        } else if counts.turned_away == TURNED_AWAY {
            return None;
        } else {
            counts.turned_away += 1;
        }
        let state = Mutex::new(State { at_work: 0, rests: false, waits, gave_up: false });
        Some(Arc::new(Seat { seats: Arc::clone(self), network, admitted, leave, state }))
    }
}

/// Held while a connection is open.
pub(super) struct Seat {
    seats: Arc<Seats>,
    /// The network that it counts for, if any.
    network: Option<Network>,
    /// Whether requests are answered.
    pub(super) admitted: bool,
    leave: Arc<Notify>,
    /// Locked before the counts.
    state: Mutex<State>,
}

struct State {
    /// How much is in progress: requests, their bodies, answers.
    at_work: usize,
    /// Whether nothing goes over the connection.
    rests: bool,
    /// Its wait, while it waits.
    waits: Option<Wait>,
    gave_up: bool,
}

/// The connection has to be closed for another, and nothing of it is answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the seat was given to another connection")]
pub(super) struct GaveUp;

impl Seat {
    fn lock(&self) -> MutexGuard<'_, State> {
        // As with the counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when the seat was given to another connection.
    pub(super) async fn given_up(&self) {
        self.leave.notified().await;
    }

    /// Begins a request, unless the seat was given up before it had come.
    pub(super) fn begin(self: &Arc<Self>) -> Result<AtWork, GaveUp> {
        let mut state = self.lock();
        if let Some(wait) = state.waits.take() {
            state.gave_up = !self.seats.lock().change(self.network, |crowd| crowd.strike(wait));
        }
        if state.gave_up {
            return Err(GaveUp);
        }
        state.at_work += 1;
        Ok(AtWork(Arc::clone(self)))
    }

    /// From now on the connection keeps its seat: it has become a WebSocket.
    pub(super) fn keep(&self) {
        self.lock().at_work += 1;
    }

    /// Begins to wait when nothing is in progress. Only who has sent a request comes here.
    fn settle(&self, state: &mut State) {
        let waits = self.admitted && state.rests && state.at_work == 0 && state.waits.is_none() && !state.gave_up;
        if waits {
            let mut counts = self.seats.lock();
            let wait = counts.next_wait(true);
            counts.change(self.network, |crowd| crowd.enlist(wait, &self.leave));
            state.waits = Some(wait);
        }
    }
}

impl Attendant for Arc<Seat> {
    fn rests(&self, rests: bool) {
        let mut state = self.lock();
        state.rests = rests;
        self.settle(&mut state);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let State { waits, gave_up, .. } = *self.lock();
        let mut counts = self.seats.lock();
        if !self.admitted {
            counts.turned_away -= 1;
            return;
        }
        // Who waits and is on no list any more has given up the seat.
        if gave_up || waits.is_some_and(|wait| !counts.change(self.network, |crowd| crowd.strike(wait))) {
            counts.leaving -= 1;
            self.seats.left.notify_one();
            return;
        }
        counts.admitted -= 1;
        counts.change(self.network, |crowd| crowd.open -= 1);
    }
}

/// Held while something of a request is in progress.
pub(super) struct AtWork(Arc<Seat>);

impl Clone for AtWork {
    fn clone(&self) -> Self {
        self.0.keep();
        Self(Arc::clone(&self.0))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.at_work -= 1;
        self.0.settle(&mut state);
    }
}

/// A body that counts as work until it has gone.
pub(super) struct Attended<B> {
    pub(super) body: B,
    pub(super) _at_work: AtWork,
}

impl<B: Body + Unpin> Body for Attended<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
