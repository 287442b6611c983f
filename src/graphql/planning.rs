//! Finding the plan of a request, and running it.

use std::sync::Arc;

use async_graphql::parser::types::{OperationDefinition, OperationType};
use async_graphql::{Request, Variables};

use super::answer::{Cost, Reply};
use super::api::Api;
use super::described::DESCRIBED;
use super::documents::ParsedDocument;
use super::execute::shows_cost;
use super::introspection::refusal;
use super::layer::LayerSource as _;
use super::limits::Limits;
use super::plan::{AnswerKey, PlanOutcome, Unplanned};
use super::planned::{GaveUp, Planned};
use super::schema::Vext;
use super::scope::RequestContext;
use super::started_plan::{StartedPlan, written};
use super::variables::coerce;
use crate::service::Viewer;
use crate::store::{Session, Snapshot};

impl Api {
    /// Answers a request by its plan, and returns the reply with its cost.
    ///
    /// # Errors
    /// Why the executor has to answer; `None` when no plan was looked for.
    pub(super) async fn answer_by_plan(
        &self,
        document: &ParsedDocument,
        request: &Request,
        context: &RequestContext,
        requested: u64,
    ) -> Result<(Reply, u64), Option<GaveUp>> {
        let why = |why: Unplanned| Some(GaveUp::from(why));
        let planned = self.plan(document, request, request.variables.clone()).map_err(|e| e.and_then(why))?;
        let viewer = Arc::new(context.viewer.clone().ok_or(why(Unplanned::Error))?);
        let (depends, deadline) = (planned.tenant(&viewer), context.snapshot.deadline());
        let own = Arc::clone(&viewer);
        let work = move |session: &mut dyn Session| Ok(planned.begin(&own, session, deadline));
        // The executor meets the same database error and reports it.
        let begun = context.snapshot.read_in_one_trip(depends, work).await.map_err(|_| why(Unplanned::Error))?;
        let snapshot = Arc::clone(&context.snapshot);
        let context = (snapshot, viewer, Arc::clone(&context.request_id));
        self.finish_plan(begun.map_err(why)?, context, requested).await.map_err(Some)
    }

    /// The plan of a request with these variable values.
    fn plan(
        &self,
        document: &ParsedDocument,
        request: &Request,
        variables: Variables,
    ) -> Result<Planned, Option<Unplanned>> {
        let (Some(plans), true) = (document.plans(), self.plans) else { return Err(None) };
        let operation = document.selected(request.operation_name.as_deref());
        let has_plan = |operation: &OperationDefinition| operation.ty != OperationType::Subscription;
        let operation = operation.filter(|(_, operation)| has_plan(operation)).ok_or(None)?;
        let known = (Vext::layer(), &DESCRIBED.prices);
        let plan = plans.get_or_compile(known, document.parsed(), operation, &variables).map_err(Some)?;
        let Limits { max_cost, max_response: max_bytes, .. } = *self.limits;
        Ok(Planned { plan, variables: Arc::new(variables), max_cost, max_bytes, now: self.app.now(), cache: None })
    }

    /// The plan of a request that anybody may execute. `None` when the request is not valid for everybody or has no
    /// plan; [`Api::execute`] then finds out who may execute it.
    pub fn planned_for_all(&self, document: &ParsedDocument, request: &Request) -> Option<Planned> {
        if !self.explorable && refusal(document.parsed(), None).is_some() {
            return None;
        }
        let selected = document.required_operation(request.operation_name.as_deref()).ok()?;
        let variables = coerce(selected, document.not_null()?, &DESCRIBED.types, request.variables.clone()).ok()?;
        let mut planned = self.plan(document, request, variables).ok()?;
        if self.answers.is_on() && planned.is_cacheable() {
            let variables = serde_json::to_string(&*planned.variables).ok()?;
            let (document, operation) = (document.hash(), request.operation_name.clone());
            planned.cache = Some((Arc::clone(&self.answers), AnswerKey { document, operation, variables }));
        }
        Some(planned)
    }

    /// Finishes what a plan has started, see [`Api::execute`].
    ///
    /// # Errors
    /// Why the executor has to answer, with the fields that have already run.
    pub async fn finish(
        &self,
        begun: StartedPlan,
        context: (Arc<Snapshot>, Arc<Viewer>, Arc<str>),
        (request, requested): (&Request, u64),
    ) -> Result<(Reply, Cost), GaveUp> {
        let (reply, actual) = self.finish_plan(begun, context, requested).await?;
        Ok(self.complete(reply, Cost { requested, actual }, shows_cost(request)))
    }

    /// The reply for a cached answer, see [`Api::execute`].
    pub fn cached_reply(&self, outcome: PlanOutcome, (request, requested): (&Request, u64)) -> (Reply, Cost) {
        let (reply, actual) = written(outcome, None);
        self.complete(reply, Cost { requested, actual }, shows_cost(request))
    }
}
