//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::Arc;

use async_graphql::Response;
use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as Answer};
use tracing::Instrument as _;

use super::refusal::Refusal;
use super::request::{self, Media};
use super::watch::{Seen, Stage};
use super::{Shared, admission, identify, plan};
use crate::graphql::{Asking, Exceeded, Limit, Limits, was_executed};

/// Names the request in logs and in answers.
const REQUEST_ID: &str = "x-request-id";

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let request_id = shared.api.app().request_id();
    let media = Media::accepted(&headers);
    let step = Step { shared: &shared, headers: &headers, request_id: &request_id };
    let mut seen = shared.watch.begin(&request_id, &headers);
    let span = seen.span();
    let answered = match media {
        Some(_) => step.execute(&mut seen, &method, &uri, body).instrument(span.clone()).await,
        None => {
            let sentence = "The answer is application/graphql-response+json or application/json; neither is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let media = media.unwrap_or(Media::Json);
    span.in_scope(|| seen.end(answered.as_ref()));
    let mut answer = match answered {
        Ok(response) => GraphQLResponse::from(response).into_response(),
        Err(refusal) => refusal.answer(media),
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, media.content_type());
    headers.append(VARY, HeaderValue::from_static("accept"));
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
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
}

impl Step<'_> {
    async fn execute(
        &self,
        seen: &mut Seen,
        method: &Method,
        uri: &Uri,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Response, Refusal> {
        let Shared { api, limits, .. } = self.shared;
        let reads = *method != Method::POST;
        let request = if reads {
            request::from_query(uri.query(), self.headers)?
        } else {
            request::from_body(&self.body(body, limits)?, self.headers)?
        };
        seen.done(Stage::Admission);
        let document = match api.remembered(&request.query) {
            Some(document) => document,
            None => {
                admission::admit(&request.query, limits)?;
                seen.done(Stage::Admission);
                api.parse(&request.query).map_err(|error| Refusal::of_document(vec![error]))?
            }
        };
        seen.done(Stage::Parse);
        seen.operation(&document, &request.query, request.operation_name.as_deref());
        if reads && document.operation(request.operation_name.as_deref()).is_some_and(|ty| ty != OperationType::Query) {
            let sentence = "Only queries can be sent with GET; send this operation with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
            return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
        }
        let app = api.app();
        let shows_plan = plan::is_asked(&request)?;
        if shows_plan {
            seen.list();
        }
        let snapshot = Arc::new(app.snapshot_for(Arc::clone(&seen.tally)));
        let viewer = identify::identify(app, &snapshot, self.headers, self.request_id).await?;
        seen.identified = viewer.is_some();
        if shows_plan {
            plan::allow(viewer.as_ref())?;
        }
        seen.done(Stage::Identify);
        let asking = Asking { snapshot, viewer, request_id: self.request_id.to_owned() };
        let operation = request.operation_name.clone();
        let mut response = api.execute(document, request, asking).await;
        seen.done(Stage::Execute);
        tracing::debug!(request = self.request_id, operation, errors = response.errors.len(), "answered");
        if !was_executed(&response) {
            return Err(Refusal::of_document(response.errors));
        }
        if shows_plan {
            // The plan stands inside of what is serialised: the time is that of serialising it once without.
            drop(serde_json::to_vec(&response));
            seen.done(Stage::Serialise);
            response.extensions.insert("plan".into(), plan::of(seen));
        }
        Ok(response)
    }

    fn body(&self, body: Result<Bytes, BytesRejection>, limits: &Limits) -> Result<Bytes, Refusal> {
        body.map_err(|rejection| {
            if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
                return Refusal::new(rejection.status(), "BAD_REQUEST", "The body could not be read to its end.");
            }
            // Where the length is not announced, reading ended with the first byte too many.
            let announced = self.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
            let allowed = limits.max_body as u64;
            let actual = announced.unwrap_or(allowed + 1);
            let exceeded = Exceeded { limit: Limit::Body, allowed, actual, at: None };
            Refusal::from(exceeded).status(StatusCode::PAYLOAD_TOO_LARGE)
        })
    }
}
