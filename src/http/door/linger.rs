//! A body that nobody wants any more, because its request is refused, is still taken in for a while: a client that is
//! sending would otherwise find its connection broken, and never read the answer that says why.

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

/// The most bytes that are taken in for nothing.
const REST: usize = 1024 * 1024;
/// How long that takes at most, and how long the client may pause meanwhile.
const LONGEST: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);

/// A request's body; what is left of it when it is dropped is taken in and thrown away.
pub(super) struct Lingering {
    /// `None` when nothing is left.
    body: Option<Incoming>,
    patience: Duration,
    at_work: AtWork,
}

impl Lingering {
    /// The request with such a body, unless the client waits for a word before it sends any (RFC 9110, section 10.1.1).
    /// `patience` is the time that clients have for what they send, and `at_work` is kept until it is there.
    pub(super) fn request(
        request: Request<Incoming>,
        patience: Duration,
        at_work: AtWork,
    ) -> Request<axum::body::Body> {
        let waits = request.headers().contains_key(EXPECT);
        request.map(|body| match waits {
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
            let (longest, at_work) = (self.patience.min(LONGEST), self.at_work.clone());
            tokio::spawn(async move {
                let _ = timeout(longest, take_in(body)).await;
                drop(at_work);
            });
        }
    }
}

async fn take_in(body: Incoming) {
    let (mut pieces, mut left) = (axum::body::Body::new(body).into_data_stream(), REST);
    while let Ok(Some(Ok(piece))) = timeout(PAUSE, pieces.next()).await {
        let Some(less) = left.checked_sub(piece.len()) else { return };
        left = less;
    }
}
