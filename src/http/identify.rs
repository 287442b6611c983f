//! Who asks: the token of the header `Authorization`, the tenant of the header `X-Tenant`.
//!
//! A sign-in begins with [`Fair::begin_sign_in`], before anything is looked up, and ends in [`viewer`].

use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::fair::{Credentials, Fair};
use super::refusal::Refusal;
use super::wire::TENANT;
use crate::graphql::{Exceeded, Limit};
use crate::service::{App, StoreError, Viewer};
use crate::store::Snapshot;

/// The bearer token; empty where the header holds something else, which no token is.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let authorization = headers.get(AUTHORIZATION)?;
    Some(authorization.to_str().ok().and_then(bearer).unwrap_or_default())
}

/// The token behind `Bearer`.
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tenant that the request selects.
pub(super) fn selected(headers: &HeaderMap) -> Option<String> {
    let selected = headers.get(TENANT).and_then(|value| value.to_str().ok()).map(str::trim);
    selected.filter(|code| !code.is_empty()).map(str::to_owned)
}

/// Asks for a token before anything else is looked at, where not everybody may see the schema: else it could be asked for
/// name by name, by what is wrong with a document.
pub(super) fn asked_for(token: Option<&str>, explorable: bool) -> Result<(), Refusal> {
    if explorable || token.is_some() { Ok(()) } else { Err(unauthenticated("A bearer token is required.")) }
}

fn unauthenticated(sentence: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
    refusal.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The viewer behind a token, whose sign-in has begun.
pub(super) async fn viewer(
    app: &App,
    fair: &Fair,
    snapshot: &Snapshot,
    (token, credentials): (&str, &Credentials),
    selected: Option<String>,
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let found = match token {
        "" => Ok(None),
        token => app.authenticate(snapshot, token, selected).await,
    };
    signed_in(fair, (token, credentials), found, request_id)
}

/// Ends a sign-in with what was found behind the token.
pub(super) fn signed_in<V>(
    fair: &Fair,
    (token, credentials): (&str, &Credentials),
    found: Result<Option<V>, StoreError>,
    request_id: &str,
) -> Result<V, Refusal> {
    fair.end_sign_in(credentials, token, found.as_ref().ok().map(Option::is_some));
    match found {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => Err(unauthenticated("The bearer token is not valid.")),
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
