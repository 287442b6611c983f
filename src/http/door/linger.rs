//! After a request is refused, the rest of its body is still read and discarded for a while. Otherwise a client that is
//! still sending would see a broken connection and never read the response that says why.

use std::pin::Pin;
use std::task::{Context as Cx, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Request;
use axum::http::header::EXPECT;
use futures_util::StreamExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::timeout;

use super::seats::AtWork;

/// The most bytes that are read and discarded.
const MAX_DISCARDED: usize = 1024 * 1024;
/// The longest time that this may take.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How long the client may pause in the meantime.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// A request's body. If it is dropped before its end, the rest is read and discarded.
pub(super) struct Lingering {
    /// `None` once it has been read to its end or has failed.
    body: Option<Incoming>,
    patience: Duration,
    at_work: AtWork,
}

impl Lingering {
    /// Wraps the body of a request, unless the client waits for `100 Continue` before it sends the body (RFC 9110,
    /// section 10.1.1). `patience` is the time that clients have to send something. `at_work` is kept until the body
    /// has been read or discarded.
    pub(super) fn wrap(request: Request<Incoming>, patience: Duration, at_work: AtWork) -> Request<axum::body::Body> {
        let waits_for_continue = request.headers().contains_key(EXPECT);
        request.map(|body| match waits_for_continue {
            true => axum::body::Body::new(body),
            false => axum::body::Body::new(Self { body: Some(body), patience, at_work }),
        })
    }
}

impl Body for Lingering {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Cx<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        if let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) {
            let (limit, at_work) = (self.patience.min(MAX_TIME), self.at_work.clone());
            tokio::spawn(async move {
                let _ = timeout(limit, discard(body)).await;
                drop(at_work);
            });
        }
    }
}

async fn discard(body: Incoming) {
    let (mut chunks, mut allowed) = (axum::body::Body::new(body).into_data_stream(), MAX_DISCARDED);
    while let Ok(Some(Ok(chunk))) = timeout(MAX_PAUSE, chunks.next()).await {
        let Some(rest) = allowed.checked_sub(chunk.len()) else { return };
        allowed = rest;
    }
}
