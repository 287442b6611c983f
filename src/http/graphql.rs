//! `POST /graphql`.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql_axum::GraphQLResponse;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response as Answer};

use super::{Shared, admission};
use crate::graphql::Asking;

/// Names the request in logs and in answers.
const REQUEST_ID: &str = "x-request-id";

/// Answers a GraphQL request. What does not get as far as the schema has a status other than 200, and no `data`.
pub(super) async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Answer {
    let request_id = shared.api.app().request_id();
    let mut answer = execute(&shared, &headers, &body, &request_id).await;
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer
}

async fn execute(shared: &Shared, headers: &HeaderMap, body: &[u8], request_id: &str) -> Answer {
    let json = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
    });
    if !json {
        let sentence = "The content type must be application/json.";
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", sentence);
    }
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => {
            return refusal(
                StatusCode::BAD_REQUEST,
                "BAD_REQUEST",
                &format!("The body is no GraphQL request: {error}."),
            );
        }
    };
    if let Err(sentence) = admission::admit(&request) {
        return refusal(StatusCode::BAD_REQUEST, "TOO_COMPLEX", &sentence);
    }
    let app = shared.api.app();
    let snapshot = Arc::new(app.snapshot());
    let selected = headers.get("x-tenant").and_then(|value| value.to_str().ok()).map(str::trim);
    let selected = selected.filter(|code| !code.is_empty()).map(str::to_owned);
    let viewer = match headers.get(AUTHORIZATION) {
        None => None,
        Some(value) => {
            let token = value.to_str().ok().and_then(|value| value.split_once(' '));
            let token =
                token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
            let found = match token {
                Some(token) => app.authenticate(&snapshot, token, selected).await,
                None => Ok(None),
            };
            match found {
                Ok(Some(viewer)) => Some(viewer),
                Ok(None) => {
                    let sentence = "The bearer token is not valid.";
                    let mut answer = refusal(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
                    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                    return answer;
                }
                Err(error) => {
                    tracing::error!(request = request_id, %error, "a token could not be looked up");
                    let sentence = "The database is not available; try again later.";
                    return refusal(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", sentence);
                }
            }
        }
    };
    let asking = Asking { snapshot, viewer, request_id: request_id.to_owned() };
    let operation = request.operation_name.clone();
    let response = shared.api.execute(request, asking).await;
    tracing::debug!(request = request_id, operation, errors = response.errors.len(), "answered");
    GraphQLResponse::from(response).into_response()
}

/// An answer to a request that was not executed.
fn refusal(status: StatusCode, code: &str, sentence: &str) -> Answer {
    let error = serde_json::json!({ "message": sentence, "extensions": { "code": code } });
    (status, Json(serde_json::json!({ "errors": [error] }))).into_response()
}
