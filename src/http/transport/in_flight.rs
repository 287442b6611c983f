//! Requests whose sign-in has begun. The caller is looked up later, once the request has its place in a lane.

use std::sync::Arc;

use async_graphql::Request;

use super::prepared::PreparedRequest;
use crate::graphql::{Estimate, GaveUp, ParsedDocument, RequestContext};
use crate::http::door::claim::BearerClaim;
use crate::http::door::fair::SignInAttempt;
use crate::http::door::identify;
use crate::http::refusal::Refusal;
use crate::service::Viewer;
use crate::store::{DataVersion, Snapshot};

/// A request whose sign-in has begun.
pub(super) struct InFlightRequest {
    pub(super) prepared: PreparedRequest,
    pub(super) sign_in: SignInAttempt,
    /// The version of the database for which the viewer is remembered.
    pub(super) data_version: Option<DataVersion>,
    /// The viewer, if the token was looked up before in this version of the database.
    pub(super) remembered_viewer: Option<Arc<Viewer>>,
    /// Why the plan gave up, and the viewer if the plan had already looked up the token.
    pub(super) gave_up: Option<(GaveUp, Option<Viewer>)>,
}

/// An operation that is ready to be executed: its caller has been looked up, or it is anonymous.
pub(super) struct ExecutableOperation {
    pub(super) document: ParsedDocument,
    pub(super) request: Request,
    pub(super) context: RequestContext,
    pub(super) estimate: Estimate,
}

impl PreparedRequest {
    /// Begins the sign-in.
    ///
    /// # Errors
    /// The address has sent too many invalid tokens.
    pub(super) async fn begin_sign_in(self) -> Result<InFlightRequest, Refusal> {
        let sign_in = self.shared.fair.begin_sign_in(self.caller.client, &self.caller.claim).await?;
        Ok(InFlightRequest { prepared: self, sign_in, data_version: None, remembered_viewer: None, gave_up: None })
    }
}

impl InFlightRequest {
    /// Looks up the caller, unless `known_viewer` already says who it is.
    ///
    /// # Errors
    /// The token is not valid or could not be looked up, or the request exceeds a limit.
    pub(super) async fn identify(
        self,
        snapshot: Arc<Snapshot>,
        known_viewer: Option<Option<Viewer>>,
    ) -> Result<ExecutableOperation, Refusal> {
        let PreparedRequest { shared, caller, request_id, document, request, estimate, .. } = self.prepared;
        let viewer = match (known_viewer, &caller.claim) {
            (Some(viewer), _) => viewer,
            (None, BearerClaim::None) => None,
            (None, BearerClaim::Malformed | BearerClaim::Token(_)) => {
                let (caller, app) = ((&caller, &self.sign_in), shared.api.app());
                Some(identify::find_viewer(app, &shared.fair, &snapshot, caller, &request_id).await?)
            }
        };
        let estimate = estimate?;
        Ok(ExecutableOperation {
            document,
            request,
            context: RequestContext { snapshot, viewer, request_id },
            estimate,
        })
    }
}
