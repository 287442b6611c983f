//! Connections: HTTP/1 and nothing else, and how long a client may keep one waiting.
//!
//! A connection that is too many is told so and closed, unless one that waits can make room for it (`seats`). One that is
//! open must send a header, a body, or take an answer within the client's time, from its first moment on; the bytes of
//! its header are bounded, those of its body by the limits of a request. See `docs/decisions/0025-http1-only.md`.

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

use super::client_stream::ClientStream;
use super::fair::FairUse;
use super::linger::Lingering;
use super::seats::{Attended, Seat, SeatTaken, Seats};
use super::wire::Arrival;

/// The most bytes of a request's header: an address of the longest kind, 64 KiB, and as much again for all headers. More
/// are refused with 431, and so are more than a hundred headers.
const HEADER: usize = 128 * 1024;
/// How long the listener rests when the system gives no more connections.
const REST: Duration = Duration::from_secs(1);

/// Serves connections until `stop` is done; then lets running requests go on, and WebSockets until they have `parted`, but
/// not longer than `grace`.
pub(in crate::http) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: FairUse,
    grace: Duration,
    stop: impl Future<Output = ()>,
    parted: impl Future<Output = ()>,
) {
    let patience = limits.client_timeout;
    let seats = Seats::new(limits);
    let (running, watcher) = watch::channel(());
    let mut builder = Builder::new();
    // Also the time that a connection may be idle: it begins with the connection, and again with each answer.
    builder.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(HEADER);
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
        // Answers are small or written at once: waiting for more to send would only delay them.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(ClientStream::new(stream, patience, Arc::clone(&seat)));
        let connection = builder.serve_connection(stream, service).with_upgrades();
        let mut stopping = watcher.clone();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = seat.given_up() => return tracing::debug!(%peer, "a connection that waited was closed for another"),
                // Also when there is nobody any more who could stop it.
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
    let done = async {
        running.send_replace(());
        running.closed().await;
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

/// The answer to a request; the connection keeps its seat until it has gone.
async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    seat: Arc<Seat>,
    router: Router,
    patience: Duration,
) -> Result<Response<Attended<Body>>, SeatTaken> {
    let at_work = seat.begin()?;
    let arrival = Arrival::of(&request, seat.admitted);
    let mut request = Lingering::request(request, patience, at_work.clone());
    request.extensions_mut().insert(ConnectInfo(peer));
    request.extensions_mut().insert(arrival);
    let Ok(answer) = router.oneshot(request).await;
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        seat.keep();
    }
    Ok(answer.map(|body| Attended { body, _at_work: at_work }))
}
