//! Answers as a stream of server-sent events: GraphQL over SSE, distinct connections mode (npm `graphql-sse`,
//! `PROTOCOL.md`).

use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response as Answer};
use futures_util::stream::{self, Stream, StreamExt as _};

use super::prepared::{Account, PreparedRequest};
use super::response::WrittenResponse;
use super::running::{OperationEvent, RunningOperation};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::{Shared, stopped};

/// Tells nginx to pass each event on at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with a stream of events, once it is certain that there is something to send.
pub(super) async fn answer(prepared: PreparedRequest, account: Account) -> (Result<Answer, Refusal>, Account) {
    let shared = Arc::clone(&prepared.shared);
    if prepared.subscribes() {
        let (subscription, account) = prepared.subscribe(true, account).await;
        let running = subscription.map(RunningOperation::follow);
        (running.map(|running| stream_of(&shared, events(Arc::clone(&shared), running))), account)
    } else {
        let (response, account) = prepared.respond(account).await;
        (response.map(|response| stream_of(&shared, stream::iter([next(&response), complete()]))), account)
    }
}

/// Answers with a refusal. What is wrong with a document is sent as an event, as the protocol asks; other refusals keep
/// their status.
pub(super) fn refuse(shared: &Shared, refusal: Refusal) -> Answer {
    match refusal.into_document_errors() {
        Ok(errors) => stream_of(shared, stream::iter([next(&WrittenResponse::refused(errors)), complete()])),
        Err(refusal) => refusal.answer(Media::EventStream),
    }
}

fn stream_of(shared: &Shared, events: impl Stream<Item = Event> + Send + 'static) -> Answer {
    // A comment, which keeps proxies from closing a connection that seems dead.
    let keep_alive = KeepAlive::new().interval(shared.streaming.stream_ping).text("");
    let mut answer = Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response();
    answer.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    answer
}

/// The events of a subscription. A stream that ends without `complete` was cut: by a client that did not read, or by the
/// end of the server; the client then comes back.
fn events(shared: Arc<Shared>, running: RunningOperation) -> impl Stream<Item = Event> + Send {
    let stopping = shared.stopping.clone();
    stream::unfold(Some((running, stopping)), async |state| {
        let (mut running, mut stopping) = state?;
        let event = tokio::select! {
            event = running.next() => event,
            () = stopped(&mut stopping) => OperationEvent::Lost,
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

/// With empty data, without which a browser's `EventSource` does not pass it on.
fn complete() -> Event {
    Event::default().event("complete").data("")
}
