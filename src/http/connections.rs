//! Connections: how many there are, and how long a client may keep one waiting.
//!
//! A connection that is too many is told so and closed. One that is open must send a header, a body, or take an answer
//! within the client's time; the bytes of its header are bounded, those of its body by the limits of a request.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use super::fair::{FairUse, Network, is_trusted};
use super::linger::Lingering;
use super::refusal::Refusal;
use super::request::Media;
use super::stream::ClientStream;

/// The most bytes of a request's header: an address of the longest kind, 64 KiB, and as much again for all headers. More
/// are refused with 431, and so are more than a hundred headers.
const HEADER: usize = 128 * 1024;
/// The most connections beyond the limit that are still told so; more are closed without a word.
const TURNED_AWAY: usize = 64;
/// How long the listener rests when the system gives no more connections.
const REST: Duration = Duration::from_secs(1);

/// The connections that are open.
struct Open {
    limits: FairUse,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    admitted: usize,
    turned_away: usize,
    by_network: HashMap<Network, usize>,
}

/// Held while a connection is open.
struct Seat {
    open: Arc<Open>,
    /// The address that it counts for, if any.
    network: Option<Network>,
    /// Whether requests are answered.
    admitted: bool,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A poisoned lock only means that another thread panicked; the counts are whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None` for a connection that is not even told that it is too many.
    fn seat(self: &Arc<Self>, peer: SocketAddr) -> Option<Seat> {
        let limits = &self.limits;
        let network = (!is_trusted(peer.ip().to_canonical(), &limits.trusted_proxy)).then(|| Network::from(peer.ip()));
        let mut counts = self.lock();
        let alike = network.and_then(|network| counts.by_network.get(&network)).copied().unwrap_or_default();
        let admitted =
            counts.admitted < limits.max_connections.get() && alike < limits.max_connections_per_address.get();
        if !admitted {
            if counts.turned_away == TURNED_AWAY {
                return None;
            }
            counts.turned_away += 1;
            return Some(Seat { open: Arc::clone(self), network: None, admitted });
        }
        counts.admitted += 1;
        if let Some(network) = network {
            counts.by_network.insert(network, alike + 1);
        }
        Some(Seat { open: Arc::clone(self), network, admitted })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.open.lock();
        match self.admitted {
            true => counts.admitted -= 1,
            false => counts.turned_away -= 1,
        }
        if let Some(network) = self.network {
            match counts.by_network.get(&network).copied().unwrap_or_default() {
                0 | 1 => drop(counts.by_network.remove(&network)),
                more => drop(counts.by_network.insert(network, more - 1)),
            }
        }
    }
}

/// Serves connections until `stop` is done; then lets running requests go on, and WebSockets until they have `parted`, but
/// not longer than `grace`.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: FairUse,
    grace: Duration,
    stop: impl Future<Output = ()>,
    parted: impl Future<Output = ()>,
) {
    let patience = limits.client_timeout;
    let open = Arc::new(Open { limits, counts: Mutex::default() });
    let running = GracefulShutdown::new();
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    // Also the time that a connection may be idle: it begins when the last answer is sent.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEADER);
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = &mut stop => break,
        };
        let Some(seat) = open.seat(peer) else { continue };
        let (admitted, router) = (seat.admitted, router.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = Lingering::request(request, patience);
            request.extensions_mut().insert(ConnectInfo(peer));
            let router = router.clone();
            async move {
                match admitted {
                    true => router.oneshot(request).await,
                    false => Ok::<_, Infallible>(too_many(&request)),
                }
            }
        });
        // Answers are small or written at once: waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(ClientStream::new(stream, patience, seat));
        let connection = running.watch(builder.serve_connection_with_upgrades(stream, service).into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, error, "a connection ended early");
            }
        });
    }
    drop((listener, router));
    let done = async {
        running.shutdown().await;
        // Here a WebSocket is no connection any more.
        parted.await;
    };
    tokio::select! {
        () = done => {}
        () = tokio::time::sleep(grace) => {
            tracing::warn!("some requests were cut off: they went on for more than {} s after the stop", grace.as_secs());
        }
    }
}

/// The next connection. Where the system has none to give, such as with too many open files, it is asked again later.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client has left already.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

/// The one answer on a connection that is too many.
fn too_many(request: &Request<Body>) -> Response {
    let sentence = "The server has more connections than it can serve; try again later.";
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "OVERLOADED", sentence)
        .header(RETRY_AFTER, HeaderValue::from_static("1"))
        .header(CONNECTION, HeaderValue::from_static("close"))
        .answer(Media::accepted(request.headers()).unwrap_or(Media::Json))
}
