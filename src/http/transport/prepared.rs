//! Everything before anybody has to wait for a place.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::body::Body;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};

use super::etag::EtagKey;
use super::pipeline::{self, ExecutableOperation};
use super::request;
use crate::graphql::{Estimate, Exceeded, GaveUp, ParsedDocument, Planned, RequestContext};
use crate::http::door::claim::{self, BearerClaim};
use crate::http::door::fair::{Bill, Credentials, Network};
use crate::http::door::{body, identify};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;
use crate::http::watch::{RequestRecord, Stage, plan};
use crate::service::Viewer;
use crate::store::{DataVersion, Snapshot};

/// Where a request stands: in the body of a POST, or in the address of a GET, which changes nothing.
pub(super) enum RequestSource {
    Body(Body),
    Query(Uri),
}

/// What is kept of a request from its beginning to its end: what it pays, and what is seen of it.
pub(super) struct Account {
    pub(super) bill: Bill,
    pub(super) seen: RequestRecord,
}

/// A request that may be executed, with all that this takes: some are executed on other threads.
pub(super) struct Prepared {
    pub(super) shared: Arc<Shared>,
    pub(super) credentials: Credentials,
    pub(super) claim: BearerClaim,
    pub(super) selected: Option<String>,
    pub(super) request_id: Arc<str>,
    pub(super) document: ParsedDocument,
    pub(super) request: Request,
    /// What is asked, where the answer to it gets a tag: with GET, which changes nothing.
    pub(super) asked: Option<EtagKey>,
    /// Whether the answer shows what it took.
    pub(super) shows_plan: bool,
    /// What it would take. A limit that it passes is told once it is known who asks: it depends on the schema.
    pub(super) estimate: Result<Estimate, Exceeded>,
    /// The plan that answers it in one trip, if there is one.
    pub(super) planned: Option<Planned>,
    /// A state of the database, and who asks as was found out in that state.
    pub(super) data_version: Option<DataVersion>,
    pub(super) remembered: Option<Arc<Viewer>>,
    /// Why that plan has given up, and who asks, as was found out before.
    pub(super) gave_up: Option<(GaveUp, Option<Viewer>)>,
}

/// Reads a request, finds its document and begins the sign-in.
pub(super) async fn prepare(
    shared: &Arc<Shared>,
    (client, request_id, media): (Option<Network>, Arc<str>, Media),
    (sent, headers): (RequestSource, &HeaderMap),
    account: &mut Account,
) -> Result<Prepared, Refusal> {
    let Account { bill, seen } = account;
    bill.pay_for_reading()?;
    let (incoming, reads) = match sent {
        RequestSource::Query(address) => (request::from_query(address.query(), headers)?, true),
        RequestSource::Body(sent) => {
            let body = body::read(sent, headers, shared.fair.options.client_timeout, &shared.limits).await?;
            (request::from_body(&body, headers)?, false)
        }
    };
    let claim = BearerClaim::of(headers);
    identify::asked_for(&claim, shared.explorable)?;
    seen.done(Stage::Admission);
    let document = pipeline::document(shared, &incoming)?;
    seen.done(Stage::Parse);
    let request = incoming.request;
    let name = request.operation_name.as_deref();
    seen.operation(&document, name);
    if reads && document.operation(name) == Some(OperationType::Mutation) {
        let sentence = "Mutations change something: send this one with POST.";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
        return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
    }
    let estimate = shared.api.estimate(&document, &request);
    let shows_plan = plan::is_asked(&request);
    if shows_plan {
        seen.list();
    }
    // Nothing is looked up without a token.
    let is_plain = !shows_plan && claim.token().is_some() && estimate.is_ok();
    let planned = is_plain.then(|| shared.api.planned_for_all(&document, &request)).flatten();
    let asked = (reads && !shows_plan).then(|| EtagKey::of(&document, &request, media)).flatten();
    let credentials = shared.fair.begin_sign_in(client, &claim).await?;
    let (shared, selected) = (Arc::clone(shared), claim::selected(headers));
    Ok(Prepared {
        shared,
        credentials,
        claim,
        selected,
        request_id,
        document,
        request,
        asked,
        shows_plan,
        estimate,
        planned,
        data_version: None,
        remembered: None,
        gave_up: None,
    })
}

impl Prepared {
    /// Finds out who asks, unless that is `known`.
    pub(super) async fn identified(
        self,
        snapshot: Arc<Snapshot>,
        known: Option<Option<Viewer>>,
    ) -> Result<ExecutableOperation, Refusal> {
        let Self { shared, credentials, claim, selected, request_id, document, request, estimate, .. } = self;
        let viewer = match (known, &claim) {
            (Some(viewer), _) => viewer,
            (None, BearerClaim::None) => None,
            (None, BearerClaim::Malformed | BearerClaim::Token(_)) => {
                let (claim, app) = ((&claim, &credentials), shared.api.app());
                Some(identify::viewer(app, &shared.fair, &snapshot, claim, selected, &request_id).await?)
            }
        };
        let estimate = estimate?;
        Ok(ExecutableOperation { document, request, asking: RequestContext { snapshot, viewer, request_id }, estimate })
    }
}
