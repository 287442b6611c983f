//! Who asks, by what a request claims.
//!
//! A sign-in begins with [`Fair::begin_sign_in`], before anything is looked up, takes a place, and ends in [`viewer`].

use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::claim::{self, BearerClaim};
use super::fair::{Credentials, Fair, Network};
use crate::graphql::{Estimate, Exceeded, Limit};
use crate::http::refusal::Refusal;
use crate::service::{App, StoreError, Viewer};
use crate::store::Snapshot;

/// Who sends a request, as the request says.
#[derive(Clone)]
pub(in crate::http) struct Caller {
    pub(in crate::http) claim: BearerClaim,
    /// The code of the tenant that the request selects.
    pub(in crate::http) tenant: Option<String>,
    /// Where it comes from; `None` in a test of the router.
    pub(in crate::http) client: Option<Network>,
}

impl Caller {
    /// What the headers say.
    pub(in crate::http) fn of(headers: &HeaderMap, client: Option<Network>) -> Self {
        Self { claim: BearerClaim::of(headers), tenant: claim::selected(headers), client }
    }
}

/// Requires a token before anything else is looked at, where not everybody may see the schema: else the schema could be
/// guessed name by name, from what is wrong with a document.
pub(in crate::http) fn asked_for(claim: &BearerClaim, explorable: bool) -> Result<(), Refusal> {
    if explorable || *claim != BearerClaim::None { Ok(()) } else { Err(unauthenticated("A bearer token is required.")) }
}

fn unauthenticated(sentence: &str) -> Refusal {
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
    refusal.header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

/// Signs a caller in who asks for nothing else, with a place of the cheap lane: no more tokens are looked up at once than
/// requests are executed.
///
/// # Errors
/// Too many wrong tokens from this address, no place, a token that is not valid, or a database that does not answer.
pub(in crate::http) async fn sign_in(app: &App, fair: &Fair, caller: &Caller, id: &str) -> Result<Viewer, Refusal> {
    let credentials = fair.begin_sign_in(caller.client, &caller.claim).await?;
    let _place = fair.admit(&credentials, Estimate::default()).await?;
    viewer(app, fair, &app.snapshot(), (caller, &credentials), id).await
}

/// The viewer behind a claim, whose sign-in has begun.
pub(in crate::http) async fn viewer(
    app: &App,
    fair: &Fair,
    snapshot: &Snapshot,
    (Caller { claim, tenant, .. }, credentials): (&Caller, &Credentials),
    request_id: &str,
) -> Result<Viewer, Refusal> {
    let found = match claim {
        BearerClaim::None | BearerClaim::Malformed => Ok(None),
        BearerClaim::Token(token) => app.authenticate(snapshot, token, tenant.clone()).await,
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
