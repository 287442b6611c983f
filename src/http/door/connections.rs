//! Accepts connections and speaks HTTP/1 on them, and nothing else.
//!
//! A connection beyond the limit gets an error and is closed, unless a waiting connection can make room for it
//! (`seats`). From its first moment on, an open connection has `client_timeout` to send a header, to send a body, or to
//! read a response. The size of a header is bounded here, that of a body by the limits of a request. See
//! `docs/decisions/0025-http1-only.md`.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

use super::ambiguity::Arrival;
use super::client_stream::ClientStream;
use super::fair::FairUse;
use super::linger::Lingering;
use super::seats::{Seat, SeatTaken, Seats, TrackedBody};

/// The most bytes of a request's head: a URL of the greatest length, 64 KiB, and the same again for all headers. A
/// longer head is refused with 431, and so are more than a hundred headers.
const MAX_HEAD: usize = 128 * 1024;
/// How long the listener waits when the system cannot accept another connection.
const ACCEPT_RETRY: Duration = Duration::from_secs(1);

/// Serves connections until `stop` completes. Then running requests may finish, and so may WebSockets, until
/// `sockets_closed` completes, but all of them for no longer than `grace`.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: FairUse,
    grace: Duration,
    stop: impl Future<Output = ()>,
    sockets_closed: impl Future<Output = ()>,
) {
    let patience = limits.client_timeout;
    let seats = Seats::new(limits);
    let (running, watcher) = watch::channel(());
    let mut builder = Builder::new();
    // This is also how long a connection may be idle: the time starts with the connection, and again with each
    // response.
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(MAX_HEAD);
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let (stream, peer) = accept(&listener).await;
            (stream, peer, seats.seat(peer).await)
        };
        let (stream, peer, seat) = tokio::select! {
            accepted = next => accepted,
            () = &mut stop => break,
        };
        let Some(seat) = seat else { continue };
        let service = {
            let (seat, router) = (Arc::clone(&seat), router.clone());
            service_fn(move |request| answer(request, peer, Arc::clone(&seat), router.clone(), patience))
        };
        // Responses are small or written in one piece, so waiting for more data to send would only delay them.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(ClientStream::new(stream, patience, Arc::clone(&seat)));
        let connection = builder.serve_connection(stream, service).with_upgrades();
        let mut stopping = watcher.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = seat.evicted() => return tracing::debug!(%peer, "a waiting connection was closed for a new one"),
                // Also when the sender is gone, so that nobody could request the stop later.
                _ = stopping.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%peer, %error, "a connection ended early");
            }
        });
    }
    drop((listener, router, watcher));
    let finished = async {
        running.send_replace(());
        running.closed().await;
        // WebSockets are not among the running connections: they have been upgraded.
        sockets_closed.await;
    };
    tokio::select! {
        () = finished => {}
        () = tokio::time::sleep(grace) => {
            let seconds = grace.as_secs();
            tracing::warn!("some requests were cut off because they ran for more than {seconds} s after the stop");
        }
    }
}

/// Accepts the next connection. If the system cannot accept one, for example because of too many open files, it is
/// tried again later.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The client is already gone.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

/// Answers a request. The connection keeps its seat until the response has been sent.
async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    seat: Arc<Seat>,
    router: Router,
    patience: Duration,
) -> Result<Response<TrackedBody<Body>>, SeatTaken> {
    let at_work = seat.begin()?;
    let arrival = Arrival::new(&request, seat.admitted);
    let mut request = Lingering::wrap(request, patience, at_work.clone());
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(arrival);
    let Ok(response) = router.oneshot(request).await;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        seat.keep();
    }
    Ok(response.map(|body| TrackedBody { body, _at_work: at_work }))
}
