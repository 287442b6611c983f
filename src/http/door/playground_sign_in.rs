//! The sign-in of the playground: in production it is only shown to tokens with the scope `explore`.
//!
//! The browser asks for the token itself (HTTP Basic, RFC 7617: any user name, the token as the password), so there is
//! no cookie, no session and no login page. The credentials that a browser then sends on its own give access to the
//! playground's files and nothing else: GraphQL reads a bearer token, which a page must set itself.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::claim::BearerClaim;
use super::fair::{ClientNetwork, FairUseState, Network};
use super::guard::RequestId;
use super::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::service::App;

/// The state that the sign-in of the playground needs.
#[derive(Clone)]
pub(in crate::http) struct PlaygroundSignIn {
    app: App,
    fair: Arc<FairUseState>,
    /// Whether everybody may see the playground.
    explorable: bool,
}

impl PlaygroundSignIn {
    pub(in crate::http) fn new(app: &App, fair: &Arc<FairUseState>, explorable: bool) -> Self {
        Self { app: app.clone(), fair: Arc::clone(fair), explorable }
    }
}

/// A middleware that requires a sign-in for the playground.
pub(in crate::http) async fn require(
    State(state): State<PlaygroundSignIn>,
    Extension(RequestId(id)): Extension<RequestId>,
    ClientNetwork(client): ClientNetwork,
    request: Request,
    next: Next,
) -> Response {
    let admitted = match state.explorable {
        true => Ok(()),
        false => sign_in(&state, client, request.headers(), &id).await,
    };
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.answer(Media::Json),
    }
}

async fn sign_in(
    PlaygroundSignIn { app, fair, .. }: &PlaygroundSignIn,
    client: Option<Network>,
    headers: &HeaderMap,
    request_id: &str,
) -> Result<(), Refusal> {
    if let Some(password) = password(headers) {
        let caller = Caller { claim: BearerClaim::from_token(&password), tenant: None, client };
        match identify::sign_in(app, fair, &caller, request_id).await {
            Ok(viewer) if viewer.explore => return Ok(()),
            Err(refusal) if !refusal.has_status(StatusCode::UNAUTHORIZED) => return Err(refusal),
            Ok(_) | Err(_) => {}
        }
    }
    // A valid token without the scope gets 401 too: only then does a browser ask for another one.
    let message = "Sign in with a token that has the scope explore, as the password; the user name does not matter.";
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", message);
    let challenge = HeaderValue::from_static("Basic realm=\"vext playground\", charset=\"UTF-8\"");
    Err(refusal.header(WWW_AUTHENTICATE, challenge))
}

/// The password of HTTP Basic authentication.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some(String::from_utf8(credentials).ok()?.split_once(':')?.1.to_owned())
}
