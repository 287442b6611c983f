//! Serialised responses, as clients receive them.

use std::borrow::Cow;

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

use super::etag::EntityTag;
use super::prepared::Account;
use crate::graphql::{Cost, Limits, Reply};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::watch::{RequestRecord, Stage};

/// A response that is already serialised. This is done on the thread that executed the request.
pub(super) struct WrittenResponse {
    /// JSON; empty if the tag says that the client has the response already.
    json: Vec<u8>,
    tag: Option<EntityTag>,
    /// The errors, if the response has no data.
    failure: Option<Vec<ServerError>>,
}

impl WrittenResponse {
    /// Serialises a reply; without `data` if nothing was executed.
    pub(super) fn from_reply(reply: &Reply, limits: &Limits) -> Self {
        if !reply.was_executed() {
            return Self::refused(reply.errors().to_vec());
        }
        Self { json: reply.to_json(limits), tag: None, failure: reply.is_failure().then(|| reply.errors().to_vec()) }
    }

    /// The response to a request that was not executed.
    pub(super) fn refused(errors: Vec<ServerError>) -> Self {
        let json = serde_json::json!({ "errors": errors }).to_string().into_bytes();
        Self { json, tag: None, failure: Some(errors) }
    }

    /// The response to a client that has it already.
    pub(super) fn not_modified(tag: EntityTag, record: &mut RequestRecord) -> Self {
        record.record_execution(&Reply::default());
        Self { json: Vec::new(), tag: Some(tag), failure: None }
    }

    pub(super) fn with_tag(self, tag: Option<EntityTag>) -> Self {
        Self { tag, ..self }
    }

    /// The JSON text, as it is sent on streams.
    pub(super) fn json(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.json)
    }

    /// The errors, if the response has no data.
    pub(super) fn failure(&self) -> Option<&[ServerError]> {
        self.failure.as_deref()
    }

    /// The HTTP response.
    pub(super) fn into_http(self, media: Media) -> Response {
        if let Some(tag) = self.tag.as_ref().filter(|tag| tag.client_has_it) {
            return tag.not_modified();
        }
        let mut response = Response::new(Body::from(self.json));
        response.headers_mut().insert(CONTENT_TYPE, media.content_type());
        if let Some(tag) = self.tag {
            tag.add_headers(&mut response);
        }
        response
    }
}

/// Settles the bill with the actual cost and records the execution. Returns the reply if the request was executed.
///
/// # Errors
/// What is wrong with the document, if it was not executed.
pub(super) fn settle_cost((reply, cost): (Reply, Cost), account: &mut Account) -> Result<Reply, Refusal> {
    let Account { bill, record } = account;
    bill.settle(cost.actual);
    record.cost = Some(cost);
    record.end_stage(Stage::Execute);
    if !reply.was_executed() {
        return Err(Refusal::from_document_errors(reply.into_errors()));
    }
    record.record_execution(&reply);
    Ok(reply)
}
