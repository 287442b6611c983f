//! Who sees the playground in production: whoever signs in with a token that has the scope `explore`.
//!
//! The browser asks for it (HTTP Basic, RFC 7617: any user name, the token as the password), so there is no cookie, no
//! session and no page before the page. What a browser adds to requests on its own opens the playground's files and
//! nothing else: GraphQL takes a token from the header that a page sets itself.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response as Answer;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::claim::BearerClaim;
use super::fair::{ClientNetwork, Fair, Network};
use super::guard::RequestId;
use super::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::service::App;

/// What signing in takes.
#[derive(Clone)]
pub(in crate::http) struct SignIn {
    app: App,
    fair: Arc<Fair>,
    /// Whether everybody may see the playground.
    explorable: bool,
}

impl SignIn {
    pub(in crate::http) fn new(app: &App, fair: &Arc<Fair>, explorable: bool) -> Self {
        Self { app: app.clone(), fair: Arc::clone(fair), explorable }
    }
}

/// Lets a request for the playground pass, or asks for a token.
pub(in crate::http) async fn admit(
    State(how): State<SignIn>,
    Extension(RequestId(id)): Extension<RequestId>,
    ClientNetwork(client): ClientNetwork,
    request: Request,
    next: Next,
) -> Answer {
    let admitted = match how.explorable {
        true => Ok(()),
        false => sign_in(&how, client, request.headers(), &id).await,
    };
    match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.answer(Media::Json),
    }
}

async fn sign_in(
    SignIn { app, fair, .. }: &SignIn,
    client: Option<Network>,
    headers: &HeaderMap,
    request_id: &str,
) -> Result<(), Refusal> {
    if let Some(password) = password(headers) {
        let caller = Caller { claim: BearerClaim::of_token(&password), tenant: None, client };
        match identify::sign_in(app, fair, &caller, request_id).await {
            Ok(viewer) if viewer.explore => return Ok(()),
            Err(refusal) if !refusal.has_status(StatusCode::UNAUTHORIZED) => return Err(refusal),
            Ok(_) | Err(_) => {}
        }
    }
    // Also for a token without the scope: a browser asks for another only after 401.
    let sentence = "Sign in with a token that has the scope explore, as the password; the user name does not matter.";
    let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", sentence);
    let challenge = HeaderValue::from_static("Basic realm=\"vext playground\", charset=\"UTF-8\"");
    Err(refusal.header(WWW_AUTHENTICATE, challenge))
}

/// The password of HTTP Basic.
fn password(headers: &HeaderMap) -> Option<String> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let credentials = STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some(String::from_utf8(credentials).ok()?.split_once(':')?.1.to_owned())
}
