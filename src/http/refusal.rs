//! The response to a request that was not executed: errors without `data`.

use async_graphql::ServerError;
use axum::body::Body;
use axum::extract::rejection::BytesRejection;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;

use super::media::Media;
use crate::graphql::{Exceeded, Limit, Limits};

/// Why a request was not executed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// `None` for errors in the document or its variables: then the media type decides, see [`Refusal::answer`].
    status: Option<StatusCode>,
    errors: Vec<ServerError>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// A refusal by the HTTP server itself, whatever the document contains.
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Self {
        let mut error = ServerError::new(message, None);
        error.extensions.get_or_insert_default().set("code", code);
        Self { status: Some(status), errors: vec![error], headers: Vec::new() }
    }

    /// A refusal because of errors in the document or its variables.
    pub(super) fn from_document_errors(errors: Vec<ServerError>) -> Self {
        Self { status: None, errors, headers: Vec::new() }
    }

    /// A refusal because the body could not be read.
    pub(super) fn from_body_rejection(rejection: &BytesRejection, headers: &HeaderMap, limits: &Limits) -> Self {
        if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
            return Self::new(rejection.status(), "BAD_REQUEST", "The body could not be read to its end.");
        }
        // Without a Content-Length, reading stopped at the first byte beyond the limit.
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let allowed = limits.max_body as u64;
        let actual = announced.unwrap_or(allowed + 1);
        let exceeded = Exceeded { limit: Limit::Body, allowed, actual, at: None };
        Self::from(exceeded).status(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// A refusal because of a bug in the server. It carries the request id, under which the log has the details.
    pub(super) fn internal(request_id: &str) -> Self {
        let message = "Something went wrong in the server.";
        let mut refusal = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", message);
        for error in &mut refusal.errors {
            error.extensions.get_or_insert_default().set("requestId", request_id);
        }
        refusal
    }

    /// Whether the refusal has this status.
    pub(super) fn has_status(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// Sets the status, instead of leaving it to the media type.
    pub(super) fn status(self, status: StatusCode) -> Self {
        Self { status: Some(status), ..self }
    }

    /// Adds an entry to the `extensions` of the error, such as the limit that was exceeded.
    pub(super) fn extension(mut self, name: &str, value: impl Into<async_graphql::Value>) -> Self {
        if let Some(error) = self.errors.first_mut() {
            error.extensions.get_or_insert_default().set(name, value);
        }
        self
    }

    /// The errors that the client receives.
    pub(super) fn errors(&self) -> &[ServerError] {
        &self.errors
    }

    /// Adds a header to the response.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The messages of all errors as one text.
    pub(super) fn message(&self) -> String {
        self.errors.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The errors.
    pub(super) fn into_errors(self) -> Vec<ServerError> {
        self.errors
    }

    /// The errors in the document or its variables.
    ///
    /// # Errors
    /// The refusal itself, if it has another reason.
    pub(super) fn into_document_errors(self) -> Result<Vec<ServerError>, Self> {
        if self.status.is_none() { Ok(self.errors) } else { Err(self) }
    }

    /// The response. Errors in the document give the status 400, but 200 with `application/json`, where 400 would mean
    /// that the response does not come from a GraphQL server (GraphQL over HTTP, section 6.4).
    pub(super) fn answer(self, media: Media) -> Response {
        #[derive(Serialize)]
        struct Errors {
            errors: Vec<ServerError>,
        }
        // A refusal is never sent as an event stream.
        let media = if media == Media::EventStream { Media::Response } else { media };
        let status = self.status.unwrap_or(match media {
            Media::Response | Media::EventStream => StatusCode::BAD_REQUEST,
            Media::Json => StatusCode::OK,
        });
        // Cannot fail: errors contain only strings and numbers.
        let body = serde_json::to_vec(&Errors { errors: self.errors }).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, media.content_type());
        response.headers_mut().extend(self.headers);
        response
    }
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        Self::from_document_errors(vec![exceeded.error()])
    }
}
