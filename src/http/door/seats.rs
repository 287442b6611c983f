//! Seats for connections: how many there are, who has them, and who gives one up when they are short.
//!
//! A connection waits while no request is in progress on it: it has not sent the header of its first one yet, or it is
//! idle between two. It may wait for as long as the client's time allows, but only while nobody else needs its seat: a
//! newcomer takes the seat of who came first of those that have never sent a request, and then of those that are idle,
//! of who asked longest ago. A request in progress, an open WebSocket and an event stream keep theirs.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Cx, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::client_stream::Attendant;
use super::crowds::{Crowds, SourceNetwork, Turn};
use super::fair::{FairUse, Network, is_trusted};

/// The most connections beyond the limit that are still told so; more are closed without a word.
const TURNED_AWAY: usize = 64;

/// All seats.
pub(super) struct Seats {
    limits: FairUse,
    counts: Mutex<SeatCounts>,
    /// Told when nobody moves any more.
    settled: Notify,
}

#[derive(Default)]
struct SeatCounts {
    admitted: usize,
    turned_away: usize,
    /// Those that have just come, so that nobody has looked yet what they have sent, and those that have given up their
    /// seat and are not closed yet. Who makes room is only found out when there are none.
    moving: usize,
    crowds: Crowds,
}

impl Seats {
    pub(super) fn new(limits: FairUse) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default(), settled: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, SeatCounts> {
        // A poisoned lock only means that another thread panicked; the counts are whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One connection less that moves.
    fn settle(&self, counts: &mut SeatCounts) {
        counts.moving -= 1;
        if counts.moving == 0 {
            self.settled.notify_one();
        }
    }

    /// A seat for a connection from there; `None` for one that is not even told that it is too many. To be asked by one
    /// at a time, and dropped without harm.
    pub(super) async fn seat(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<Seat>> {
        let trusted = is_trusted(peer.ip().to_canonical(), &self.limits.trusted_proxy);
        let origin = (!trusted).then(|| Network::from(peer.ip()));
        loop {
            match self.try_seat(origin) {
                Some(seat) => return seat.map(Arc::new),
                None => self.settled.notified().await,
            }
        }
    }

    /// `None` when the answer is not known before those that move have settled.
    fn try_seat(self: &Arc<Self>, origin: SourceNetwork) -> Option<Option<Seat>> {
        let limits = &self.limits;
        let mut counts = self.lock();
        let many = origin.is_some() && counts.crowds.open(origin) >= limits.max_connections_per_address.get();
        let full = counts.admitted >= limits.max_connections.get();
        if (many || full) && counts.moving > 0 {
            return None;
        }
        let crowd = if many { Some(origin) } else { counts.crowds.largest() };
        let makes_room = (many || full) && crowd.is_some_and(|crowd| counts.crowds.make_room(crowd));
        if makes_room {
            counts.admitted -= 1;
            counts.moving += 1;
        }
        let admitted = makes_room || !many && !full;
        let mut turn = Turn::default();
        if admitted {
            counts.admitted += 1;
            counts.moving += 1;
            turn = counts.crowds.enter(origin);
        } else if counts.turned_away == TURNED_AWAY {
            return Some(None);
        } else {
            counts.turned_away += 1;
        }
        let state = Mutex::new(SeatState { turn, ..SeatState::default() });
        let (seats, leave) = (Arc::clone(self), Arc::default());
        Some(Some(Seat { seats, origin, admitted, leave, state }))
    }
}

/// Held while a connection is open.
pub(super) struct Seat {
    seats: Arc<Seats>,
    origin: SourceNetwork,
    /// Whether requests are answered.
    pub(super) admitted: bool,
    leave: Arc<Notify>,
    /// Locked before the counts.
    state: Mutex<SeatState>,
}

#[derive(Default)]
struct SeatState {
    /// Whether somebody has looked what it has sent.
    has_come: bool,
    turn: Turn,
    /// How much is in progress: requests, their bodies, answers.
    at_work: usize,
    /// Whether nothing goes over the connection.
    rests: bool,
    /// Its turn, while it waits.
    waits: Option<Turn>,
    gave_up: bool,
}

/// The connection has to be closed for another, and nothing of it is answered any more.
#[derive(Debug, thiserror::Error)]
#[error("the seat was given to another connection")]
pub(super) struct SeatTaken;

impl Seat {
    fn lock(&self) -> MutexGuard<'_, SeatState> {
        // As with the counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when the seat was given to another connection.
    pub(super) async fn given_up(&self) {
        self.leave.notified().await;
    }

    /// Begins a request, unless the seat was given up before it had come.
    pub(super) fn begin(self: &Arc<Self>) -> Result<AtWork, SeatTaken> {
        let mut state = self.lock();
        let mut counts = self.seats.lock();
        self.come(&mut state, &mut counts);
        if let Some(turn) = state.waits.take() {
            state.gave_up = !counts.crowds.go_on(self.origin, turn);
        }
        if state.gave_up {
            return Err(SeatTaken);
        }
        state.turn = counts.crowds.asks();
        state.at_work += 1;
        Ok(AtWork(Arc::clone(self)))
    }

    /// From now on the connection keeps its seat: it has become a WebSocket.
    pub(super) fn keep(&self) {
        self.lock().at_work += 1;
    }

    /// What was sent until now has been looked at.
    fn come(&self, state: &mut SeatState, counts: &mut SeatCounts) {
        if self.admitted && !state.has_come {
            state.has_come = true;
            self.seats.settle(counts);
        }
    }

    /// Begins to wait when nothing is in progress.
    fn settle(&self, state: &mut SeatState) {
        let waits = self.admitted && state.rests && state.at_work == 0 && state.waits.is_none() && !state.gave_up;
        if waits {
            let mut counts = self.seats.lock();
            counts.crowds.wait(self.origin, state.turn, &self.leave);
            state.waits = Some(state.turn);
            // Not before it is on the list.
            self.come(state, &mut counts);
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
        let mut state = self.lock();
        let mut counts = self.seats.lock();
        if !self.admitted {
            counts.turned_away -= 1;
            return;
        }
        // Who waits and is on no list any more has given up the seat.
        if state.gave_up || state.waits.is_some_and(|turn| !counts.crowds.go_on(self.origin, turn)) {
            self.seats.settle(&mut counts);
            return;
        }
        self.come(&mut state, &mut counts);
        counts.admitted -= 1;
        counts.crowds.leave(self.origin);
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
