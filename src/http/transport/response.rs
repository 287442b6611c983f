//! Responses as they are sent.

use std::borrow::Cow;

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response as Answer;

use super::etag::Tag;
use super::prepared::Account;
use crate::graphql::{Cost, Limits, Reply};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::watch::{RequestRecord, Stage};

/// A response, serialised where it was executed.
pub(super) struct WrittenResponse {
    /// JSON; empty when the client has the response already, by its tag.
    json: Vec<u8>,
    tag: Option<Tag>,
    /// The errors, when the response is nothing else.
    failure: Option<Vec<ServerError>>,
}

impl WrittenResponse {
    /// Without `data` when nothing was executed.
    pub(super) fn of(reply: &Reply, limits: &Limits) -> Self {
        if !reply.was_executed() {
            return Self::refused(reply.errors().to_vec());
        }
        Self { json: reply.to_json(limits), tag: None, failure: reply.is_failure().then(|| reply.errors().to_vec()) }
    }

    /// Why nothing was executed.
    pub(super) fn refused(errors: Vec<ServerError>) -> Self {
        let json = serde_json::json!({ "errors": errors }).to_string().into_bytes();
        Self { json, tag: None, failure: Some(errors) }
    }

    /// What the client has already.
    pub(super) fn not_modified(tag: Tag, record: &mut RequestRecord) -> Self {
        record.executed(&Reply::default());
        Self { json: Vec::new(), tag: Some(tag), failure: None }
    }

    pub(super) fn tagged(self, tag: Option<Tag>) -> Self {
        Self { tag, ..self }
    }

    /// The response as JSON, as streams send it.
    pub(super) fn json(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.json)
    }

    /// The errors, when the response is nothing else.
    pub(super) fn failure(&self) -> Option<&[ServerError]> {
        self.failure.as_deref()
    }

    /// The answer to a request over HTTP.
    pub(super) fn into_answer(self, media: Media) -> Answer {
        if let Some(tag) = self.tag.as_ref().filter(|tag| tag.is_known) {
            return tag.not_modified();
        }
        let mut answer = Answer::new(Body::from(self.json));
        answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
        if let Some(tag) = self.tag {
            tag.mark(&mut answer);
        }
        answer
    }
}

/// A reply that was executed, once its cost is settled.
///
/// # Errors
/// What is wrong with the document, if it was not executed.
pub(super) fn settled((reply, cost): (Reply, Cost), account: &mut Account) -> Result<Reply, Refusal> {
    let Account { bill, record } = account;
    bill.settle(cost.actual);
    record.cost = Some(cost);
    record.done(Stage::Execute);
    if !reply.was_executed() {
        return Err(Refusal::of_document(reply.into_errors()));
    }
    record.executed(&reply);
    Ok(reply)
}
