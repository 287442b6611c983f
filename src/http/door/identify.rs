//! Who asks, by what a request claims.
//!
//! A sign-in begins with [`Fair::begin_sign_in`], before anything is looked up, and ends in [`viewer`].

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};

use super::claim::BearerClaim;
use super::fair::{Credentials, Fair};
use crate::graphql::{Exceeded, Limit};
use crate::http::refusal::Refusal;
use crate::service::{App, StoreError, Viewer};
use crate::store::Snapshot;

/// Asks for a token before anything else is looked at, where not everybody may see the schema: else it could be asked for
/// name by name, by what is wrong with a document.
pub(in crate::http) fn asked_for(claim: &BearerClaim, explorable: bool) -> Result<(), Refusal> {
    if explorable || *claim != BearerClaim::None { Ok(()) } else { Err(unauthenticated("A bearer token is required.")) }
}

fn unauthenticated(sentence: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
    refusal.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// The viewer behind a claim, whose sign-in has begun.
pub(in crate::http) async fn viewer(
    app: &App,
    fair: &Fair,
    snapshot: &Snapshot,
    (claim, credentials): (&BearerClaim, &Credentials),
    selected: Option<String>,
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let found = match claim {
        BearerClaim::None | BearerClaim::Malformed => Ok(None),
        BearerClaim::Token(token) => app.authenticate(snapshot, token, selected).await,
    };
    signed_in(fair, (claim.token(), credentials), found, request_id)
}

/// Ends a sign-in with what was found behind the token.
pub(in crate::http) fn signed_in<V>(
    fair: &Fair,
    (token, credentials): (Option<&str>, &Credentials),
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
