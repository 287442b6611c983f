//! Seats limit the number of open connections: every connection that is served has one. When all are taken, a waiting
//! connection gives up its seat to a new one.
//!
//! A connection waits while no request is in progress on it: it has not sent the head of its first request yet, or it
//! is idle between two requests. It may wait for as long as `client_timeout` allows, but only while no other connection
//! needs its seat. The crowd (`crowds`) with the most waiting connections gives one up: that of its oldest connection
//! that has never sent a request; if there is none, that of the idle one whose last request is longest ago. Connections
//! with a request in progress, an open WebSocket or an event stream keep their seats.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Cx, Poll};

use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::Notify;

use super::client_stream::IdleObserver;
use super::crowds::{Crowds, SourceNetwork, Turn};
use super::fair::{FairUse, Network, is_trusted};

/// The most connections beyond the limit that get an error response; any more are closed without one.
const MAX_TURNED_AWAY: usize = 64;

/// All seats.
pub(super) struct Seats {
    limits: FairUse,
    counts: Mutex<SeatCounts>,
    /// Notified when the number of unsettled connections reaches 0.
    all_settled: Notify,
}

#[derive(Default)]
struct SeatCounts {
    admitted: usize,
    turned_away: usize,
    /// How many connections are new, so that nothing has been read from them yet, or have given up their seats but are
    /// not closed yet. Which connection makes room is decided only when there are none of these.
    unsettled: usize,
    crowds: Crowds,
}

impl Seats {
    pub(super) fn new(limits: FairUse) -> Arc<Self> {
        Arc::new(Self { limits, counts: Mutex::default(), all_settled: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, SeatCounts> {
        // A poisoned lock only means that another thread panicked; the counts are intact.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One unsettled connection has become settled.
    fn settle_one(&self, counts: &mut SeatCounts) {
        counts.unsettled -= 1;
        if counts.unsettled == 0 {
            self.all_settled.notify_one();
        }
    }

    /// Gives a new connection from `peer` a seat, or turns it away: then [`Seat::admitted`] is false. `None` if it is
    /// to be closed without a response. To be called by one task at a time; the future may be dropped at any point.
    pub(super) async fn seat(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<Seat>> {
        let trusted = is_trusted(peer.ip().to_canonical(), &self.limits.trusted_proxy);
        let source = (!trusted).then(|| Network::from(peer.ip()));
        loop {
            match self.try_seat(source) {
                Some(seat) => return seat.map(Arc::new),
                None => self.all_settled.notified().await,
            }
        }
    }

    /// As [`Seats::seat`], but the outer `None` says that the unsettled connections must settle first.
    fn try_seat(self: &Arc<Self>, source: SourceNetwork) -> Option<Option<Seat>> {
        let limits = &self.limits;
        let mut counts = self.lock();
        let is_crowd_full = source.is_some() && counts.crowds.open(source) >= limits.max_connections_per_address.get();
        let is_full = counts.admitted >= limits.max_connections.get();
        if (is_crowd_full || is_full) && counts.unsettled > 0 {
            return None;
        }
        let crowd = if is_crowd_full { Some(source) } else { counts.crowds.largest() };
        let makes_room = (is_crowd_full || is_full) && crowd.is_some_and(|crowd| counts.crowds.make_room(crowd));
        if makes_room {
            counts.admitted -= 1;
            counts.unsettled += 1;
        }
        let admitted = makes_room || !is_crowd_full && !is_full;
        let mut turn = Turn::default();
        if admitted {
            counts.admitted += 1;
            counts.unsettled += 1;
            turn = counts.crowds.enter(source);
        } else if counts.turned_away == MAX_TURNED_AWAY {
            return Some(None);
        } else {
            counts.turned_away += 1;
        }
        let state = Mutex::new(SeatState { turn, ..SeatState::default() });
        let (seats, evicted) = (Arc::clone(self), Arc::default());
        Some(Some(Seat { seats, source, admitted, evicted, state }))
    }
}

/// Held while a connection is open.
pub(super) struct Seat {
    seats: Arc<Seats>,
    source: SourceNetwork,
    /// Whether requests are executed; otherwise each is answered with an error.
    pub(super) admitted: bool,
    /// Notified when the seat is given to another connection.
    evicted: Arc<Notify>,
    /// To be locked before the counts.
    state: Mutex<SeatState>,
}

#[derive(Default)]
struct SeatState {
    /// Whether everything that had arrived when the connection was new has been read.
    is_settled: bool,
    turn: Turn,
    /// How many requests, request bodies and responses are in progress. An open WebSocket counts too.
    at_work: usize,
    /// Whether nothing is being sent over the connection in either direction.
    idle: bool,
    /// Its turn, while it waits.
    waiting: Option<Turn>,
    was_evicted: bool,
}

/// The connection has lost its seat and is being closed, so it gets no more responses.
#[derive(Debug, thiserror::Error)]
#[error("the seat was given to another connection")]
pub(super) struct SeatTaken;

impl Seat {
    fn lock(&self) -> MutexGuard<'_, SeatState> {
        // As with the counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes when the seat has been given to another connection.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Begins a request.
    ///
    /// # Errors
    /// The seat was given to another connection before the request arrived.
    pub(super) fn begin(self: &Arc<Self>) -> Result<AtWork, SeatTaken> {
        let mut state = self.lock();
        let mut counts = self.seats.lock();
        self.mark_settled(&mut state, &mut counts);
        if let Some(turn) = state.waiting.take() {
            state.was_evicted = !counts.crowds.stop_waiting(self.source, turn);
        }
        if state.was_evicted {
            return Err(SeatTaken);
        }
        state.turn = counts.crowds.turn_for_request();
        state.at_work += 1;
        Ok(AtWork(Arc::clone(self)))
    }

    /// From now on the connection keeps its seat, because it has become a WebSocket.
    pub(super) fn keep(&self) {
        self.lock().at_work += 1;
    }

    /// Marks a new connection as settled: what it had sent has been read.
    fn mark_settled(&self, state: &mut SeatState, counts: &mut SeatCounts) {
        if self.admitted && !state.is_settled {
            state.is_settled = true;
            self.seats.settle_one(counts);
        }
    }

    /// Begins to wait if nothing is in progress.
    fn wait_if_idle(&self, state: &mut SeatState) {
        let is_idle =
            self.admitted && state.idle && state.at_work == 0 && state.waiting.is_none() && !state.was_evicted;
        if is_idle {
            let mut counts = self.seats.lock();
            counts.crowds.start_waiting(self.source, state.turn, &self.evicted);
            state.waiting = Some(state.turn);
            // Only now: once settled, it must be among the waiting connections that can make room.
            self.mark_settled(state, &mut counts);
        }
    }
}

impl IdleObserver for Arc<Seat> {
    fn set_idle(&self, idle: bool) {
        let mut state = self.lock();
        state.idle = idle;
        self.wait_if_idle(&mut state);
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
        // A connection that waits but is no longer in its crowd has given up its seat.
        if state.was_evicted || state.waiting.is_some_and(|turn| !counts.crowds.stop_waiting(self.source, turn)) {
            self.seats.settle_one(&mut counts);
            return;
        }
        self.mark_settled(&mut state, &mut counts);
        counts.admitted -= 1;
        counts.crowds.leave(self.source);
    }
}

/// Held while a request, its body or its response is in progress.
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
        self.0.wait_if_idle(&mut state);
    }
}

/// The body of a response, which counts as work in progress until it has been sent.
pub(super) struct TrackedBody<B> {
    pub(super) body: B,
    pub(super) _at_work: AtWork,
}

impl<B: Body + Unpin> Body for TrackedBody<B> {
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
