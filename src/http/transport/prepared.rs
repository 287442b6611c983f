//! The steps of a request that do not wait for anything: finding its document, estimating its cost and compiling its
//! plan.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::etag::EntityTagKey;
use super::persisted;
use super::request::IncomingRequest;
use crate::graphql::{Estimate, Exceeded, ParsedDocument, Planned};
use crate::http::door::fair::{Bill, Network};
use crate::http::door::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;
use crate::http::watch::{RequestRecord, Stage, plan_extension};

/// The state of a request from start to finish: what it has paid, and its record for metrics, logs and traces.
pub(super) struct Account {
    pub(super) bill: Bill,
    pub(super) record: RequestRecord,
}

impl Account {
    pub(super) fn new(shared: &Shared, client: Option<Network>, request_id: &Arc<str>, headers: &HeaderMap) -> Self {
        let bill = Bill::new(Arc::clone(&shared.fair), client);
        Self { bill, record: shared.watch.begin(request_id, headers, client) }
    }
}

/// A request that is ready to begin. It owns everything that its execution needs, because that may run on another
/// thread.
pub(super) struct PreparedRequest {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) request_id: Arc<str>,
    pub(super) document: ParsedDocument,
    pub(super) request: Request,
    /// What the entity tag of the response is made from; `None` if the response gets no tag.
    pub(super) etag_key: Option<EntityTagKey>,
    /// Whether the response shows the plan of the request, see [`plan_extension`].
    pub(super) shows_plan: bool,
    /// The estimated cost. An exceeded limit is reported only after the sign-in, because it reveals something about the
    /// schema.
    pub(super) estimate: Result<Estimate, Exceeded>,
    /// The plan that executes it in one trip to the database, if there is one.
    pub(super) planned: Option<Planned>,
}

/// Finds the document of a request, estimates its cost and compiles its plan. `cacheable` has the media type and the
/// headers of a request whose response the client may cache.
///
/// # Errors
/// A missing token where one is required, what is wrong with the document, or a mutation that was sent with GET.
pub(super) fn prepare(
    shared: &Arc<Shared>,
    (caller, request_id): (Caller, Arc<str>),
    incoming: IncomingRequest,
    cacheable: Option<(Media, &HeaderMap)>,
    record: &mut RequestRecord,
) -> Result<PreparedRequest, Refusal> {
    identify::require_claim(&caller.claim, shared.explorable)?;
    record.end_stage(Stage::Admission);
    let document = persisted::resolve(&incoming, &shared.api, &shared.trusted, &shared.limits)?;
    record.end_stage(Stage::Parse);
    let IncomingRequest { request, is_get, .. } = incoming;
    let name = request.operation_name.as_deref();
    record.record_operation(&document, name);
    if is_get && document.operation(name) == Some(OperationType::Mutation) {
        let message = "A mutation changes data, so it must be sent with POST.";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message);
        return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
    }
    let estimate = shared.api.estimate(&document, &request);
    let shows_plan = plan_extension::is_requested(&request);
    if shows_plan {
        record.collect_names();
    }
    // Plans look up the token as a part of their trip, so a request without one has no plan.
    let can_be_planned = !shows_plan && caller.claim.token().is_some() && estimate.is_ok();
    let planned = can_be_planned.then(|| shared.api.planned_for_all(&document, &request)).flatten();
    let cacheable = cacheable.filter(|_| !shows_plan);
    let etag_key = cacheable.and_then(|(media, headers)| EntityTagKey::new(&document, &request, media, headers));
    let shared = Arc::clone(shared);
    Ok(PreparedRequest { shared, caller, request_id, document, request, etag_key, shows_plan, estimate, planned })
}

impl PreparedRequest {
    /// Whether it is a subscription, which has several responses.
    pub(super) fn subscribes(&self) -> bool {
        self.document.operation(self.request.operation_name.as_deref()) == Some(OperationType::Subscription)
    }
}
