//! Reading a request's body.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request};
use axum::http::header::CONNECTION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::timeout;

use crate::graphql::Limits;
use crate::http::refusal::Refusal;

/// Reads a body, which must arrive within `patience` and may have at most [`Limits::max_body`] bytes.
///
/// # Errors
/// The body is too long, arrives too late, or ends early.
pub(in crate::http) async fn read(
    body: Body,
    headers: &HeaderMap,
    patience: Duration,
    limits: &Limits,
) -> Result<Bytes, Refusal> {
    let mut request = Request::new(body);
    DefaultBodyLimit::max(limits.max_body).apply(&mut request);
    match timeout(patience, Bytes::from_request(request, &())).await {
        Ok(body) => body.map_err(|rejection| Refusal::from_body_rejection(&rejection, headers, limits)),
        Err(_) => {
            let message = format!("The body did not arrive within {patience:?}.");
            let refusal = Refusal::new(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message);
            Err(refusal
                .extension("limit", patience.as_secs_f64())
                .header(CONNECTION, HeaderValue::from_static("close")))
        }
    }
}
