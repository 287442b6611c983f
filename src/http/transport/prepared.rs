//! The steps of a request for which nothing is waited for: its document, its estimate and its plan.

use std::sync::Arc;

use async_graphql::Request;
use async_graphql::parser::types::OperationType;
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, StatusCode};

use super::etag::EtagKey;
use super::persisted;
use super::request::Incoming;
use crate::graphql::{Estimate, Exceeded, ParsedDocument, Planned};
use crate::http::door::fair::{Bill, Network};
use crate::http::door::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::Shared;
use crate::http::watch::{RequestRecord, Stage, plan};

/// What goes along with a request from start to finish: what it has paid, and what is recorded of it.
pub(super) struct Account {
    pub(super) bill: Bill,
    pub(super) record: RequestRecord,
}

impl Account {
    pub(super) fn new(shared: &Shared, client: Option<Network>, request_id: &Arc<str>, headers: &HeaderMap) -> Self {
        let bill = Bill::new(Arc::clone(&shared.fair), client);
        Self { bill, record: shared.watch.begin(request_id, headers) }
    }
}

/// A request that may begin, with everything that executing it takes: some are executed on other threads.
pub(super) struct PreparedRequest {
    pub(super) shared: Arc<Shared>,
    pub(super) caller: Caller,
    pub(super) request_id: Arc<str>,
    pub(super) document: ParsedDocument,
    pub(super) request: Request,
    /// What the tag of the answer is made from; `None` when the answer gets no tag.
    pub(super) etag_key: Option<EtagKey>,
    /// Whether the answer shows what was done for it.
    pub(super) shows_plan: bool,
    /// What it would take. A limit that it exceeds is reported once the caller is known, because it says something about
    /// the schema.
    pub(super) estimate: Result<Estimate, Exceeded>,
    /// The plan that answers it in one trip to the database, if there is one.
    pub(super) planned: Option<Planned>,
}

/// Finds the document of a request, estimates its cost and compiles its plan. `keeps` holds the media type and the
/// headers of a client that may keep the answer.
///
/// # Errors
/// No token where one is required, what is wrong with the document, or a mutation that came with GET.
pub(super) fn prepare(
    shared: &Arc<Shared>,
    (caller, request_id): (Caller, Arc<str>),
    incoming: Incoming,
    keeps: Option<(Media, &HeaderMap)>,
    record: &mut RequestRecord,
) -> Result<PreparedRequest, Refusal> {
    identify::asked_for(&caller.claim, shared.explorable)?;
    record.done(Stage::Admission);
    let document = persisted::resolve(&incoming, &shared.api, &shared.trusted, &shared.limits)?;
    record.done(Stage::Parse);
    let Incoming { request, is_get, .. } = incoming;
    let name = request.operation_name.as_deref();
    record.operation(&document, name);
    if is_get && document.operation(name) == Some(OperationType::Mutation) {
        let sentence = "Mutations change something: send this one with POST.";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", sentence);
        return Err(refusal.header(ALLOW, HeaderValue::from_static("POST")));
    }
    let estimate = shared.api.estimate(&document, &request);
    let shows_plan = plan::is_asked(&request);
    if shows_plan {
        record.list();
    }
    // Nothing is looked up without a token.
    let is_plain = !shows_plan && caller.claim.token().is_some() && estimate.is_ok();
    let planned = is_plain.then(|| shared.api.planned_for_all(&document, &request)).flatten();
    let keeps = keeps.filter(|_| !shows_plan);
    let etag_key = keeps.and_then(|(media, headers)| EtagKey::of(&document, &request, media, headers));
    let shared = Arc::clone(shared);
    Ok(PreparedRequest { shared, caller, request_id, document, request, etag_key, shows_plan, estimate, planned })
}

impl PreparedRequest {
    /// Whether it is answered with several responses.
    pub(super) fn subscribes(&self) -> bool {
        self.document.operation(self.request.operation_name.as_deref()) == Some(OperationType::Subscription)
    }
}
