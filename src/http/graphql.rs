//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::{ALLOW, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as Answer};

use super::etag::Tag;
use super::guard::RequestId;
use super::pipeline::{self, Operation};
use super::refusal::Refusal;
use super::request::{self, Media};
use super::{Shared, events, identify, socket};
use crate::graphql::{Asking, was_executed};

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    if socket::is_asked_for(&headers) {
        return socket::open(shared, headers, upgrade);
    }
    let media = Media::accepted(&headers);
    let step = Step { shared: &shared, headers: &headers, request_id: &request_id, reads: method != Method::POST };
    let prepared = match media {
        Some(_) => step.prepare(&uri, body).await,
        None => {
            let sentence = "The answer is application/graphql-response+json, application/json or text/event-stream; \
                            none of them is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let media = media.unwrap_or(Media::Json);
    let answered = match (media, prepared) {
        (Media::EventStream, prepared) => Ok(events::answer(&shared, prepared)),
        (Media::Json | Media::Response, Ok(operation)) => step.execute(operation, media).await,
        (Media::Json | Media::Response, Err(refusal)) => Err(refusal),
    };
    let mut answer = answered.unwrap_or_else(|refusal| refusal.answer(media));
    answer.headers_mut().append(VARY, HeaderValue::from_static("accept"));
    answer
}

/// The answer to a method that no GraphQL request has.
pub(super) async fn other_method(headers: HeaderMap) -> Answer {
    let sentence = "GraphQL requests are sent with POST, queries also with GET.";
    let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
    let refusal = refusal.header(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    refusal.answer(Media::accepted(&headers).unwrap_or(Media::Json))
}

/// What every step of a request sees.
struct Step<'a> {
    shared: &'a Shared,
    headers: &'a HeaderMap,
    request_id: &'a str,
    /// Whether it came with GET, which changes nothing.
    reads: bool,
}

impl Step<'_> {
    /// Everything up to execution.
    async fn prepare(&self, uri: &Uri, body: Result<Bytes, BytesRejection>) -> Result<Operation, Refusal> {
        let Shared { api, limits, .. } = self.shared;
        let incoming = if self.reads {
            request::from_query(uri.query(), self.headers)?
        } else {
            let body = body.map_err(|rejection| Refusal::of_body(&rejection, self.headers, limits))?;
            request::from_body(&body, self.headers)?
        };
        let document = pipeline::document(self.shared, &incoming)?;
        let request = incoming.request;
        if self.reads && document.operation(request.operation_name.as_deref()) == Some(OperationType::Mutation) {
            let sentence = "Mutations change something: send this one with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
            return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
        }
        let app = api.app();
        let snapshot = Arc::new(app.snapshot());
        let viewer = identify::identify(app, &snapshot, self.headers, self.request_id).await?;
        let asking = Asking { snapshot, viewer, request_id: self.request_id.to_owned() };
        Ok(Operation { document, request, asking })
    }

    /// Answers with one response.
    async fn execute(&self, operation: Operation, media: Media) -> Result<Answer, Refusal> {
        if operation.kind() == Some(OperationType::Subscription) {
            return Err(Refusal::of_document(vec![no_stream()]));
        }
        let tag = if self.reads { Tag::of(&operation, media) } else { None };
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(self.headers)) {
            return Ok(tag.not_modified());
        }
        let Operation { document, request, asking } = operation;
        let (name, snapshot) = (request.operation_name.clone(), Arc::clone(&asking.snapshot));
        let response = self.shared.api.execute(document, request, asking).await;
        tracing::debug!(request = self.request_id, operation = name, errors = response.errors.len(), "answered");
        if !was_executed(&response) {
            return Err(Refusal::of_document(response.errors));
        }
        let tag = tag.filter(|tag| response.is_ok() && snapshot.depends_only_on(tag.tenant));
        let mut answer = GraphQLResponse::from(response).into_response();
        answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
        if let Some(tag) = tag {
            tag.mark(&mut answer);
        }
        Ok(answer)
    }
}

fn no_stream() -> ServerError {
    let sentence = "A subscription is answered with several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
