//! Finds out who sends a request, from the token that it claims to have.
//!
//! A sign-in begins with [`FairUseState::begin_sign_in`], before anything is looked up. It then needs a place in a
//! lane, and ends in [`find_viewer`].

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::claim::{self, BearerClaim};
use super::fair::{FairUseState, Network, SignInAttempt};
use crate::graphql::{Estimate, Exceeded, Limit};
use crate::http::refusal::Refusal;
use crate::service::{App, StoreError, Viewer, log_once};
use crate::store::Snapshot;

/// The sender of a request, according to the request itself.
#[derive(Clone)]
pub(in crate::http) struct Caller {
    pub(in crate::http) claim: BearerClaim,
    /// The code of the tenant that the request selects.
    pub(in crate::http) tenant: Option<String>,
    /// The network it comes from; `None` in tests that call the router without a connection.
    pub(in crate::http) client: Option<Network>,
}

impl Caller {
    /// The caller that the headers claim.
    pub(in crate::http) fn from_headers(headers: &HeaderMap, client: Option<Network>) -> Self {
        Self { claim: BearerClaim::from_headers(headers), tenant: claim::selected_tenant(headers), client }
    }
}

/// Requires a claim before the document is looked at, unless everybody may see the schema. Otherwise the schema could
/// be guessed name by name from the errors in a document.
///
/// # Errors
/// A token is required, and the request has none.
pub(in crate::http) fn require_claim(claim: &BearerClaim, explorable: bool) -> Result<(), Refusal> {
    if explorable || *claim != BearerClaim::None { Ok(()) } else { Err(unauthenticated("A bearer token is required.")) }
}

fn unauthenticated(message: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
    refusal.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// Signs in a caller without executing a request. This takes a place in the cheap lane, so that no more tokens are
/// looked up at a time than requests are executed.
///
/// # Errors
/// Too many invalid tokens from this address, no place, an invalid token, or a database that does not answer.
pub(in crate::http) async fn sign_in(
    app: &App,
    fair: &FairUseState,
    caller: &Caller,
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let attempt = fair.begin_sign_in(caller.client, &caller.claim).await?;
    let _place = fair.admit(&attempt, Estimate::default()).await?;
    find_viewer(app, fair, &app.snapshot(), (caller, &attempt), request_id).await
}

/// Looks up the viewer whom a caller claims to be, and finishes the sign-in, which must have begun.
///
/// # Errors
/// An invalid token, or a database that does not answer.
pub(in crate::http) async fn find_viewer(
    app: &App,
    fair: &FairUseState,
    snapshot: &Snapshot,
    (Caller { claim, tenant, .. }, attempt): (&Caller, &SignInAttempt),
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let found = match claim {
        BearerClaim::None | BearerClaim::Malformed => Ok(None),
        BearerClaim::Token(token) => app.authenticate(snapshot, token, tenant.clone()).await,
    };
    finish_sign_in(fair, (claim.token(), attempt), found, request_id)
}

/// Finishes a sign-in with the result of looking up the token.
///
/// # Errors
/// An invalid token, or a database that does not answer.
pub(in crate::http) fn finish_sign_in<V>(
    fair: &FairUseState,
    (token, attempt): (Option<&str>, &SignInAttempt),
    found: Result<Option<V>, StoreError>,
    request_id: &str,
) -> Result<V, Refusal> {
    fair.end_sign_in(attempt, token, found.as_ref().ok().map(Option::is_some));
    match found {
        Ok(Some(viewer)) => Ok(viewer),
        Ok(None) => Err(unauthenticated("The bearer token is not valid.")),
        Err(StoreError::Deadline { limit: allowed, actual }) => {
            let exceeded = Exceeded { limit: Limit::Deadline, allowed, actual, at: None };
            Err(Refusal::from(exceeded).status(StatusCode::SERVICE_UNAVAILABLE))
        }
        Err(error) => {
            if let Some(omitted) = log_once(&error.to_string()) {
                tracing::error!(request = request_id, %error, omitted, "a token could not be looked up");
            }
            let message = "The database is not available; try again later.";
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message))
        }
    }
}
