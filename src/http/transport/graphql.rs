//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::{ALLOW, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response as Answer;
use tracing::Instrument as _;

use super::prepared::{Account, Prepared, RequestSource, prepare};
use super::{events, socket};
use crate::http::door::encoding;
use crate::http::door::fair::{Bill, ClientNetwork};
use crate::http::door::guard::RequestId;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;

/// Answers a GraphQL request.
pub(in crate::http) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    ClientNetwork(client): ClientNetwork,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: axum::extract::Request,
) -> Answer {
    let accepted = Media::accepted(request.headers());
    let media = accepted.unwrap_or(Media::Json);
    let request = match encoding::unpacked(request, shared.fair.options.client_timeout, &shared.limits).await {
        Ok(request) => request,
        Err(refusal) => return refusal.answer(media),
    };
    let (parts, body) = request.into_parts();
    let headers = Arc::new(parts.headers);
    if socket::is_asked_for(&headers) {
        return socket::open(shared, headers, client, upgrade);
    }
    let mut account =
        Account { bill: Bill::new(Arc::clone(&shared.fair), client), seen: shared.watch.begin(&request_id, &headers) };
    let span = account.seen.span.clone();
    let prepared = match accepted {
        Some(_) => {
            let request = match parts.method {
                Method::POST => RequestSource::Body(body),
                _ => RequestSource::Query(parts.uri),
            };
            let prepared = prepare(&shared, (client, request_id, media), (request, &headers), &mut account);
            Box::pin(prepared.instrument(span.clone())).await
        }
        None => {
            let sentence = "The answer is application/graphql-response+json, application/json or text/event-stream; \
                            none of them is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let answered = match (media, prepared) {
        (Media::EventStream, prepared) => return follow(&shared, prepared, account).await,
        (Media::Json | Media::Response, Ok(prepared)) => {
            let answer = prepared.answer(media, headers, account);
            let (answered, back) = Box::pin(answer.instrument(span.clone())).await;
            account = back;
            answered
        }
        (Media::Json | Media::Response, Err(refusal)) => Err(refusal),
    };
    let Account { bill, mut seen } = account;
    let mut answer = answered.unwrap_or_else(|refusal| {
        seen.refused(refusal.errors());
        refusal.answer(media)
    });
    drop(seen);
    bill.show(answer.headers_mut());
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    answer
}

/// The answer to a method that no GraphQL request has.
pub(in crate::http) async fn other_method(headers: HeaderMap) -> Answer {
    let sentence = "GraphQL requests are sent with POST, queries also with GET.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
    let refusal = refusal.header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// Answers with a stream of events. Its headers show what the request had paid until then.
async fn follow(
    shared: &Arc<Shared>,
    prepared: Result<Prepared, Refusal>,
    Account { bill, mut seen }: Account,
) -> Answer {
    let mut headers = HeaderMap::from_iter([(VARY, HeaderValue::from_static("accept"))]);
    bill.show(&mut headers);
    let events = match prepared {
        Ok(prepared) => {
            let (credentials, snapshot) = (prepared.credentials, Arc::new(shared.api.app().snapshot()));
            let operation = prepared.identified(snapshot, None).await;
            operation.and_then(|operation| events::follow(shared, operation, credentials, bill))
        }
        Err(refusal) => Err(refusal),
    };
    match &events {
        Ok(_) => seen.pass_on(),
        Err(refusal) => seen.refused(refusal.errors()),
    }
    let mut answer = events::answer(shared, events);
    answer.headers_mut().extend(headers);
    answer
}
