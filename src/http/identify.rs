//! Who asks: the token of the header `Authorization`, the tenant of the header `X-Tenant`.

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::refusal::Refusal;
use crate::graphql::{Exceeded, Limit};
use crate::service::{App, StoreError, Viewer};
use crate::store::Snapshot;

/// The viewer; `None` without a token.
pub(super) async fn identify(
    app: &App,
    snapshot: &Snapshot,
    headers: &HeaderMap,
    request_id: &str,
) -> Result<Option<Viewer>, Refusal> {
    let Some(authorization) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = authorization.to_str().ok().and_then(|value| value.split_once(' '));
    let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    viewer(app, snapshot, token, selected(headers), request_id).await.map(Some)
}

/// The tenant that the request selects.
pub(super) fn selected(headers: &HeaderMap) -> Option<String> {
    let selected = headers.get("x-tenant").and_then(|value| value.to_str().ok()).map(str::trim);
    selected.filter(|code| !code.is_empty()).map(str::to_owned)
}

/// The viewer behind a token.
pub(super) async fn viewer(
    app: &App,
    snapshot: &Snapshot,
    token: Option<&str>,
    selected: Option<String>,
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let found = match token {
        Some(token) => app.authenticate(snapshot, token, selected).await,
        None => Ok(None),
    };
    match found {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => {
            let sentence = "The bearer token is not valid.";
            let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
            Err(refusal.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
        Err(StoreError::Deadline { limit: allowed, actual }) => {
            let exceeded = Exceeded { limit: Limit::Deadline, allowed, actual, at: None };
            Err(Refusal::from(exceeded).status(StatusCode::SERVICE_UNAVAILABLE))
        }
        Err(error) => {
            tracing::error!(request = request_id, %error, "a token could not be looked up");
            let sentence = "The database is not available; try again later.";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", sentence))
        }
    }
}
