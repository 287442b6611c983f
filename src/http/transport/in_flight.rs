//! Requests whose sign-in has begun: who asks is found out in their place.

use std::sync::Arc;

use async_graphql::Request;

use super::prepared::PreparedRequest;
use crate::graphql::{Estimate, GaveUp, ParsedDocument, RequestContext};
use crate::http::door::claim::BearerClaim;
use crate::http::door::fair::Credentials;
use crate::http::door::identify;
use crate::http::refusal::Refusal;
use crate::service::Viewer;
use crate::store::{DataVersion, Snapshot};

/// A request whose sign-in has begun.
pub(super) struct InFlightRequest {
    pub(super) prepared: PreparedRequest,
    pub(super) credentials: Credentials,
    /// A state of the database, and the caller as found in that state.
    pub(super) data_version: Option<DataVersion>,
    pub(super) remembered: Option<Arc<Viewer>>,
    /// Why its plan gave up, and the caller if the plan had found out.
    pub(super) gave_up: Option<(GaveUp, Option<Viewer>)>,
}

/// An operation of a caller who is known, or of nobody.
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
    /// The address has sent too many wrong tokens.
    pub(super) async fn begin_sign_in(self) -> Result<InFlightRequest, Refusal> {
        let credentials = self.shared.fair.begin_sign_in(self.caller.client, &self.caller.claim).await?;
        Ok(InFlightRequest { prepared: self, credentials, data_version: None, remembered: None, gave_up: None })
    }
}

impl InFlightRequest {
    /// Finds out who asks, unless that is `known`.
    ///
    /// # Errors
    /// The token is not valid or could not be looked up, or the request exceeds a limit.
    pub(super) async fn identified(
        self,
        snapshot: Arc<Snapshot>,
        known: Option<Option<Viewer>>,
    ) -> Result<ExecutableOperation, Refusal> {
        let PreparedRequest { shared, caller, request_id, document, request, estimate, .. } = self.prepared;
        let viewer = match (known, &caller.claim) {
            (Some(viewer), _) => viewer,
            (None, BearerClaim::None) => None,
            (None, BearerClaim::Malformed | BearerClaim::Token(_)) => {
                let (caller, app) = ((&caller, &self.credentials), shared.api.app());
                Some(identify::viewer(app, &shared.fair, &snapshot, caller, &request_id).await?)
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
