//! The answer to a request that was not executed: errors, and no `data`.

use async_graphql::ServerError;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response as Answer;
use serde::Serialize;

use super::request::Media;
use crate::graphql::Exceeded;

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

    /// The status, where another one than the media type's is meant.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// What the client is told.
    pub(super) fn errors(&self) -> &Vec<ServerError> {
        &self.errors
    }

    /// A header that goes with the refusal.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The answer. A document that is wrong has the status 400, but 200 for a client that takes `application/json`
    /// alone, where 400 means that the answer does not come from a GraphQL server (GraphQL over HTTP, section 6.4).
    pub(super) fn answer(self, media: Media) -> Answer {
        #[derive(Serialize)]
        struct Errors {
            errors: Vec<ServerError>,
        }
        let status = self.status.unwrap_or(match media {
            Media::Response => StatusCode::BAD_REQUEST,
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
