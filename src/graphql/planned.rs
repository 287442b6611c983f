//! Requests that plans answer, and why a plan gives up.

use std::sync::Arc;

use async_graphql::{Name, Variables};

use super::answer::Estimate;
use super::layer::{Args, LayerSource as _, Node};
use super::plan::{
    self, AnswerCache, AnswerKey, CachedAnswer, MutationFieldOutcome, PlanOutcome, PlannedMutation, QueryPlan,
    Unplanned,
};
use super::schema::Vext;
use crate::domain::TenantId;
use crate::service::Viewer;
use crate::store::{Deadline, Session};

/// By how much a plan is faster than the executor, for which costs are calibrated (docs/decisions/0029-plans.md).
const PLAN_SPEEDUP: u64 = 5;

/// A request with its plan.
#[derive(Clone)]
pub struct Planned {
    pub(super) plan: Arc<QueryPlan>,
    pub(super) variables: Arc<Variables>,
    /// See [`Limits::max_cost`](super::Limits::max_cost) and [`Limits::max_response`](super::Limits::max_response).
    pub(super) max_cost: u64,
    pub(super) max_bytes: usize,
    /// The time, in milliseconds since 1970.
    pub(super) now: i64,
    /// The answer cache, and the key of this request in it.
    pub(super) cache: Option<(Arc<AnswerCache>, AnswerKey)>,
}

/// Why a plan does not answer.
pub struct GaveUp {
    /// Why.
    pub why: Unplanned,
    /// The results of the mutation fields that have already run.
    pub(super) completed: Vec<(Name, Node)>,
}

impl From<Unplanned> for GaveUp {
    fn from(why: Unplanned) -> Self {
        Self { why, completed: Vec::new() }
    }
}

impl Planned {
    /// The estimate for the plan, from the one for the executor.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        if self.plan.changes_something() {
            return executed;
        }
        let expensive = plan::scans(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / PLAN_SPEEDUP, expensive }
    }

    /// Whether its answers may be cached.
    pub(super) fn is_cacheable(&self) -> bool {
        !self.plan.changes_something()
    }

    /// The tenant that the answer depends on, if it depends on nothing else.
    pub fn tenant(&self, viewer: &Viewer) -> Option<TenantId> {
        self.plan.tenant(viewer).map(|tenant| tenant.id)
    }

    /// The cached answer for the viewer's tenant at its current revision.
    pub fn cached_answer(&self, viewer: &Viewer) -> Option<PlanOutcome> {
        let (answers, key) = self.cache.as_ref()?;
        let tenant = self.plan.tenant(viewer)?;
        let CachedAnswer { data, cost } = answers.get((tenant.id, tenant.revision), key)?;
        Some(PlanOutcome { data, cost, batches: Vec::new(), from_cache: true })
    }

    pub(super) fn request<'a>(&'a self, viewer: &'a Viewer, deadline: Option<Deadline>) -> plan::PlanRequest<'a> {
        let Self { variables, max_cost, max_bytes, now, .. } = self;
        plan::PlanRequest { viewer, variables, max_cost: *max_cost, max_bytes: *max_bytes, now: *now, deadline }
    }

    pub(super) fn args(&self, change: &PlannedMutation) -> Result<Args, Unplanned> {
        plan::args(Vext::layer(), &self.variables, &change.computed.planned)
    }

    /// Renders the root field at an index.
    pub(super) fn render_field(
        &self,
        at: usize,
        (viewer, deadline): (&Viewer, Option<Deadline>),
        (changed, spent): (Option<(Node, u64)>, u64),
        session: &mut dyn Session,
    ) -> Result<MutationFieldOutcome, Unplanned> {
        plan::render_field((&self.plan, at), Vext::layer(), (&self.request(viewer, deadline), spent), changed, session)
    }
}
