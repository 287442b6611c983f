//! Sends responses as server-sent events: GraphQL over SSE in distinct connections mode (npm `graphql-sse`,
//! `PROTOCOL.md`).

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, Stream, StreamExt as _};

use super::prepared::{Account, PreparedRequest};
use super::response::WrittenResponse;
use super::running::{OperationEvent, RunningOperation};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::{Shared, stop_requested};

/// With the value `no` it tells nginx to pass on each event at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with an event stream, but only after the request has been accepted: a refusal has a status of its own.
pub(super) async fn answer(prepared: PreparedRequest, account: Account) -> (Result<Response, Refusal>, Account) {
    let shared = Arc::clone(&prepared.shared);
    if prepared.subscribes() {
        let (subscription, account) = prepared.subscribe(true, account).await;
        let running = subscription.map(RunningOperation::follow);
        (running.map(|running| event_stream(&shared, events(Arc::clone(&shared), running))), account)
    } else {
        let (response, account) = prepared.respond(account).await;
        (response.map(|response| event_stream(&shared, stream::iter([next(&response), complete()]))), account)
    }
}

/// Answers with a refusal. Errors in the document are sent as an event, as the protocol requires; other refusals keep
/// their status.
pub(super) fn refuse(shared: &Shared, refusal: Refusal) -> Response {
    match refusal.into_document_errors() {
        Ok(errors) => event_stream(shared, stream::iter([next(&WrittenResponse::refused(errors)), complete()])),
        Err(refusal) => refusal.answer(Media::EventStream),
    }
}

fn event_stream(shared: &Shared, events: impl Stream<Item = Event> + Send + 'static) -> Response {
    // Empty comments, so that proxies do not close a connection that seems dead.
    let keep_alive = KeepAlive::new().interval(shared.streaming.stream_ping).text("");
    let mut response = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response();
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// The events of a subscription. A stream that ends without `complete` was cut off, because the client did not read or
/// because the server stops; the client then reconnects.
fn events(shared: Arc<Shared>, running: RunningOperation) -> impl Stream<Item = Event> + Send {
    let stopping = shared.stopping.clone();
    stream::unfold(Some((running, stopping)), async |state| {
        let (mut running, mut stopping) = state?;
        let event = tokio::select! {
            event = running.next() => event,
            () = stop_requested(&mut stopping) => OperationEvent::Lost,
        };
        match event {
            OperationEvent::Response(response) => Some((next(&response), Some((running, stopping)))),
            OperationEvent::Complete => Some((complete(), None)),
            OperationEvent::Lost => None,
        }
    })
}

fn next(response: &WrittenResponse) -> Event {
    Event::default().event("next").data(response.json())
}

/// Has empty data, because a browser's `EventSource` ignores events without data.
fn complete() -> Event {
    Event::default().event("complete").data("")
}
