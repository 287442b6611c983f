//! Answers as a stream of server-sent events: GraphQL over SSE, distinct connections mode (npm `graphql-sse`,
//! `PROTOCOL.md`).

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response as Answer};
use futures_util::stream::{self, Stream, StreamExt as _};

use super::pipeline::{ExecutableOperation, OperationEvent, RunningOperation, result};
use crate::graphql::{Limits, Reply};
use crate::http::door::fair::{Bill, Credentials};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::{Shared, stopped};

/// Tells nginx to pass each event on at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with these events. What is wrong with a document is told in the stream, as the protocol asks; other refusals
/// keep their status.
pub(super) fn answer(shared: &Shared, events: Result<impl Stream<Item = Event> + Send + 'static, Refusal>) -> Answer {
    match events.map_err(Refusal::into_document_errors) {
        Ok(events) => stream_of(shared, events),
        Err(Ok(errors)) => stream_of(shared, stream::iter([next(&Reply::refused(errors), &shared.limits), complete()])),
        Err(Err(refusal)) => refusal.answer(Media::EventStream),
    }
}

fn stream_of(shared: &Shared, events: impl Stream<Item = Event> + Send + 'static) -> Answer {
    // A comment, which keeps proxies from closing a connection that seems dead.
    let keep_alive = KeepAlive::new().interval(shared.streaming.stream_ping).text("");
    let mut answer = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response();
    answer.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    answer
}

/// The events of an operation. A stream that ends without `complete` was cut: by a client that did not read, or by the
/// end of the server; the client then comes back.
pub(super) fn follow(
    shared: &Arc<Shared>,
    operation: ExecutableOperation,
    credentials: Credentials,
    bill: Bill,
) -> Result<impl Stream<Item = Event> + Send + use<>, Refusal> {
    let viewer = operation.asking.viewer.as_ref();
    let open = viewer.map(|viewer| shared.streams.open(viewer)).transpose()?;
    let running = RunningOperation::start(shared, operation, credentials, bill);
    let following = move |state: Option<(RunningOperation, _, Arc<Shared>, _)>| async move {
        let (mut running, mut stopping, shared, open) = state?;
        let subscribes = running.subscribes;
        let next_of = tokio::select! {
            next = running.next() => next,
            () = stopped(&mut stopping), if subscribes => OperationEvent::Lost,
        };
        match next_of {
            OperationEvent::Response(reply) => {
                let event = next(&reply, &shared.limits);
                Some((event, Some((running, stopping, shared, open))))
            }
            OperationEvent::Complete => Some((complete(), None)),
            OperationEvent::Lost => None,
        }
    };
    Ok(stream::unfold(Some((running, shared.stopping.clone(), Arc::clone(shared), open)), following))
}

fn next(reply: &Reply, limits: &Limits) -> Event {
    Event::default().event("next").data(result(reply, limits))
}

/// With empty data, without which a browser's `EventSource` does not pass it on.
fn complete() -> Event {
    Event::default().event("complete").data("")
}
