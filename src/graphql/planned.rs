//! Requests that plans answer, and why a plan gives up.

use std::sync::Arc;

use async_graphql::{Name, Variables};

use super::answer::Estimate;
use super::layer::{Args, LayerSource as _, Node};
use super::plan::{
    self, Answer, Answers, MutationFieldOutcome, PlanOutcome, PlannedMutation, QueryPlan, Question, Unplanned,
};
use super::schema::Vext;
use crate::domain::TenantId;
use crate::service::Viewer;
use crate::store::{Deadline, Session};

/// By how much a plan is faster than the executor, for which costs are calibrated (docs/decisions/0029-plans.md).
const BY_PLAN: u64 = 5;

/// A request with its plan.
#[derive(Clone)]
pub struct Planned {
    pub(super) plan: Arc<QueryPlan>,
    pub(super) variables: Arc<Variables>,
    /// See [`Limits::max_cost`](super::Limits::max_cost) and [`Limits::max_response`](super::Limits::max_response).
    pub(super) most: u64,
    pub(super) longest: usize,
    /// The time, in milliseconds since 1970.
    pub(super) now: i64,
    /// The answer cache, and the key of this request in it.
    pub(super) kept: Option<(Arc<Answers>, Question)>,
}

/// Why a plan does not answer.
pub struct GaveUp {
    /// Why.
    pub why: Unplanned,
    /// The results of the mutation fields that have already run.
    pub(super) done: Vec<(Name, Node)>,
}

impl From<Unplanned> for GaveUp {
    fn from(why: Unplanned) -> Self {
        Self { why, done: Vec::new() }
    }
}

impl Planned {
    /// The estimate for the plan, from the one for the executor.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        if self.plan.changes_something() {
            return executed;
        }
        let may_take_long = plan::walks(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / BY_PLAN, may_take_long }
    }

    /// Whether its answers may be cached.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.plan.changes_something()
    }

    /// The tenant that the answer depends on, if it depends on nothing else.
    pub fn tenant(&self, viewer: &Viewer) -> Option<TenantId> {
        self.plan.tenant(viewer).map(|tenant| tenant.id)
    }

    /// The cached answer for the viewer's tenant at its current revision.
    pub fn kept(&self, viewer: &Viewer) -> Option<PlanOutcome> {
        let (answers, question) = self.kept.as_ref()?;
        let tenant = self.plan.tenant(viewer)?;
        let Answer { data, cost } = answers.get((tenant.id, tenant.revision), question)?;
        Some(PlanOutcome { data, cost, batches: Vec::new(), was_kept: true })
    }

    pub(super) fn asks<'a>(&'a self, viewer: &'a Viewer, deadline: Option<Deadline>) -> plan::PlanRequest<'a> {
        let Self { variables, most, longest, now, .. } = self;
        plan::PlanRequest { viewer, variables, most: *most, longest: *longest, now: *now, deadline }
    }

    pub(super) fn args(&self, change: &PlannedMutation) -> Result<Args, Unplanned> {
        plan::args(Vext::layer(), &self.variables, &change.worked.asked)
    }

    /// Renders the root field at an index.
    pub(super) fn tell(
        &self,
        at: usize,
        (viewer, deadline): (&Viewer, Option<Deadline>),
        (changed, spent): (Option<(Node, u64)>, u64),
        session: &mut dyn Session,
    ) -> Result<MutationFieldOutcome, Unplanned> {
        plan::tell((&self.plan, at), Vext::layer(), (&self.asks(viewer, deadline), spent), changed, session)
    }
}
