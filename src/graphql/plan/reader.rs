//! The state of a plan while it reads: what it has to work with, and what it reads next.

use async_graphql::{Name, Variables};

use super::found::FoundData;
use super::shape::{ObjectSelection, PlannedField, QueryPlan};
use super::unplanned::{PlanResult, Unplanned};
use crate::domain::{ObjectId, TenantId};
use crate::graphql::layer::{ArgValues as _, Args, Layer, RowColumn};
use crate::graphql::prices::{SCAN, SCANNING};
use crate::service::Viewer;
use crate::store::{Deadline, Session};

/// What a plan needs to know about a request.
pub struct PlanRequest<'a> {
    /// The viewer.
    pub viewer: &'a Viewer,
    /// The values of the request's variables.
    pub variables: &'a Variables,
    /// The maximum cost of the answer.
    pub max_cost: u64,
    /// The maximum size of the answer in bytes.
    pub max_bytes: usize,
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// The deadline of the request.
    pub deadline: Option<Deadline>,
}

/// The arguments of a field.
///
/// # Errors
/// A value does not fit its type.
pub fn args(layer: &'static Layer, variables: &Variables, planned: &PlannedField) -> PlanResult<Args> {
    let variable = |name: &Name| variables.get(name).cloned();
    Ok(Args::from_document(layer, &planned.field.args, &planned.arguments, &variable)?)
}

/// A plan while it reads.
pub(super) struct PlanReader<'p, 's> {
    layer: &'static Layer,
    pub(super) columns: &'p [RowColumn],
    pub(super) request: &'p PlanRequest<'p>,
    pub(super) session: &'s mut dyn Session,
    pub(super) spent: u64,
    /// The objects to read next.
    pub(super) level: Vec<(&'p ObjectSelection, Vec<ObjectId>)>,
    pub(super) found: FoundData,
    pub(super) batches: Vec<(&'static str, usize)>,
}

impl<'p, 's> PlanReader<'p, 's> {
    pub(super) fn new(
        plan: &'p QueryPlan,
        layer: &'static Layer,
        request: &'p PlanRequest<'p>,
        session: &'s mut dyn Session,
    ) -> Self {
        let (found, level, batches) = (FoundData::new(plan.reads), Vec::new(), Vec::new());
        Self { layer, columns: &plan.columns, request, session, spent: 0, level, found, batches }
    }

    /// Adds an object to the next level.
    pub(super) fn next(&mut self, objects: &'p ObjectSelection, id: ObjectId) {
        match self.level.iter_mut().find(|(known, _)| std::ptr::eq(*known, objects)) {
            Some((_, ids)) => ids.push(id),
            None => self.level.push((objects, vec![id])),
        }
    }

    pub(super) fn spend(&mut self, objects: usize) -> PlanResult<()> {
        self.spent = self.spent.saturating_add(objects as u64);
        if self.spent > self.request.max_cost { Err(Unplanned::Error) } else { Ok(()) }
    }

    pub(super) fn args(&self, planned: &PlannedField) -> PlanResult<Args> {
        args(self.layer, self.request.variables, planned)
    }
}

/// The local ids of sorted ids, by tenant.
pub(super) fn by_tenant(ids: &[ObjectId]) -> Vec<(TenantId, Vec<i64>)> {
    let tenants = ids.chunk_by(|a, b| a.tenant == b.tenant);
    tenants.filter_map(|ids| Some((ids.first()?.tenant, ids.iter().map(|id| id.local).collect()))).collect()
}

/// The cost of a field's arguments.
pub(super) fn price(args: &Args) -> u64 {
    if SCANNING.iter().any(|name| args.given(name).is_some()) { SCAN } else { 0 }
}
