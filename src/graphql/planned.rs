//! Requests that plans answer, and why they do not.

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

/// How many times less a plan takes than the executor, for which costs are made (docs/decisions/0029-plans.md).
const BY_PLAN: u64 = 5;

/// A request that a plan answers.
#[derive(Clone)]
pub struct Planned {
    pub(super) plan: Arc<QueryPlan>,
    pub(super) variables: Arc<Variables>,
    /// See [`Limits::max_cost`](super::Limits::max_cost) and [`Limits::max_response`](super::Limits::max_response).
    pub(super) most: u64,
    pub(super) longest: usize,
    /// The time, in milliseconds since 1970.
    pub(super) now: i64,
    /// The answers that are kept, and which of them this asks for.
    pub(super) kept: Option<(Arc<Answers>, Question)>,
}

/// Why a plan does not answer.
pub struct GaveUp {
    /// Why.
    pub why: Unplanned,
    /// What the fields of a mutation have answered that are carried out already.
    pub(super) done: Vec<(Name, Node)>,
}

impl From<Unplanned> for GaveUp {
    fn from(why: Unplanned) -> Self {
        Self { why, done: Vec::new() }
    }
}

impl Planned {
    /// What it takes, of a request that would take so much if the executor answered it.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        if self.plan.changes_something() {
            return executed;
        }
        let may_take_long = plan::walks(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / BY_PLAN, may_take_long }
    }

    /// Whether its answers may be kept.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.plan.changes_something()
    }

    /// The tenant that alone the answer depends on, if there is one.
    pub fn tenant(&self, viewer: &Viewer) -> Option<TenantId> {
        self.plan.tenant(viewer).map(|tenant| tenant.id)
    }

    /// The answer to a viewer whose tenant is at its revision still, if it is kept from before.
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

    /// Tells what came of the field at a place.
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
