//! The answer to a request that was not executed: errors, and no `data`.

use async_graphql::ServerError;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response as Answer;
use serde::Serialize;

use super::media::Media;
use crate::graphql::{Exceeded, Limit, Limits};

/// Why a request was not executed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// `None` for what is wrong with the document or its variables: the media type decides, see [`Refusal::answer`].
    status: Option<StatusCode>,
    errors: Vec<ServerError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal of the transport, whatever the document says.
    pub(super) fn new(status: StatusCode, code: &str, sentence: impl Into<String>) -> Self {
        let mut error = ServerError::new(sentence, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { status: Some(status), errors: vec![error], headers: Vec::new() }
    }

    /// What the document or its variables do wrong.
    pub(super) fn of_document(errors: Vec<ServerError>) -> Self {
        Self { status: None, errors, headers: Vec::new() }
    }

    /// Why a body could not be read.
    pub(super) fn of_body(rejection: &BytesRejection, headers: &HeaderMap, limits: &Limits) -> Self {
        if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(rejection.status(), "BAD_REQUEST", "The body could not be read to its end.");
        }
        // Where the length is not announced, reading ended with the first byte too many.
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let allowed = limits.max_body as u64;
        let actual = announced.unwrap_or(allowed + 1);
        let exceeded = Exceeded { limit: Limit::Body, allowed, actual, at: None };
        Self::from(exceeded).status(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// What a client hears of a mistake in the server: where the log tells more.
    pub(super) fn internal(request_id: &str) -> Self {
        let sentence = "Something went wrong in the server.";
        let mut refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", sentence);
        for error in &mut refusal.errors {
            error.extensions.get_or_insert_default().set("requestId", request_id);
        }
        refusal
    }

    /// Whether it is refused with this status.
    pub(super) fn has_status(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// The status, where another one than the media type's is meant.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// One more of the `extensions` of its error, such as the limit that was met.
    pub(super) fn extension(mut self, name: &str, value: impl Into<async_graphql::Value>) -> Self {
        if let Some(error) = self.errors.first_mut() {
            error.extensions.get_or_insert_default().set(name, value);
        }
        self
    }

    /// What the client is told.
    pub(super) fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    /// A header that goes with the refusal.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What is wrong, in one sentence.
    pub(super) fn sentence(&self) -> String {
        self.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What is wrong.
    pub(super) fn into_errors(self) -> Vec<ServerError> {
        self.errors
    }

    /// What is wrong with the document or its variables; other refusals stay what they are.
    pub(super) fn into_document_errors(self) -> Result<Vec<ServerError>, Self> {
        if self.status.is_none() { Ok(self.errors) } else { Err(self) }
    }

    /// The answer. A document that is wrong has the status 400, but 200 for a client that takes `application/json`
    /// alone, where 400 means that the answer does not come from a GraphQL server (GraphQL over HTTP, section 6.4).
    pub(super) fn answer(self, media: Media) -> Answer {
        #[derive(Serialize)]
        struct Errors {
            errors: Vec<ServerError>,
        }
        // A refusal is no stream of events.
        let media = if media == Media::EventStream { Media::Response } else { media };
        let status = self.status.unwrap_or(match media {
            Media::Response | Media::EventStream => StatusCode::BAD_REQUEST,
            Media::Json => StatusCode::OK,
        });
        // Errors hold nothing but texts and numbers.
        let body = serde_json::to_vec(&Errors { errors: self.errors }).unwrap_or_default();
        let mut answer = Answer::new(Body::from(body));
        *answer.status_mut() = status;
        answer.headers_mut().insert(CONTENT_TYPE, media.content_type());
        answer.headers_mut().extend(self.headers);
        answer
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        Self::of_document(vec![exceeded.error()])
    }
}
