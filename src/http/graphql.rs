//! `GET` and `POST /graphql`: the steps that a request passes, in order.

use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql_axum::GraphQLResponse;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{ALLOW, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response as Answer};

use super::etag::Tag;
use super::guard::RequestId;
use super::refusal::Refusal;
use super::request::{self, Media};
use super::{Shared, identify, persisted};
use crate::graphql::{Asking, was_executed};

/// Answers a GraphQL request.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer {
    let media = Media::accepted(&headers);
    let step = Step { shared: &shared, headers: &headers, request_id: &request_id };
    let answered = match media {
        Some(media) => step.execute(&method, &uri, body, media).await,
        None => {
            let sentence = "The answer is application/graphql-response+json or application/json; neither is accepted.";
            Err(Refusal::new(StatusCode::NOT_ACCEPTABLE, "NOT_ACCEPTABLE", sentence))
        }
    };
    let mut answer = answered.unwrap_or_else(|refusal| refusal.answer(media.unwrap_or(Media::Json)));
    let headers = answer.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept"));
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
        method: &Method,
        uri: &Uri,
        body: Result<Bytes, BytesRejection>,
        media: Media,
    ) -> Result<Answer, Refusal> {
        let Shared { api, limits, trusted, .. } = self.shared;
        let reads = *method != Method::POST;
        let incoming = if reads {
            request::from_query(uri.query(), self.headers)?
        } else {
            let body = body.map_err(|rejection| Refusal::of_body(&rejection, self.headers, limits))?;
            request::from_body(&body, self.headers)?
        };
        let document = persisted::resolve(&incoming, api, trusted, limits)?;
        let request = incoming.request;
        if reads && document.operation(request.operation_name.as_deref()).is_some_and(|ty| ty != OperationType::Query) {
            let sentence = "Only queries can be sent with GET; send this operation with POST.";
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
            return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
        }
        let app = api.app();
        let snapshot = Arc::new(app.snapshot());
        let viewer = identify::identify(app, &snapshot, self.headers, self.request_id).await?;
        let tag = if reads { Tag::of(viewer.as_ref(), document.hash(), &request, media) } else { None };
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(self.headers)) {
            return Ok(tag.not_modified());
        }
        let asking = Asking { snapshot: Arc::clone(&snapshot), viewer, request_id: self.request_id.to_owned() };
        let operation = request.operation_name.clone();
        let response = api.execute(document, request, asking).await;
        tracing::debug!(request = self.request_id, operation, errors = response.errors.len(), "answered");
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
