//! Running a plan: reading everything, then writing the answer.

use async_graphql::Variables;
use bytes::Bytes;

use super::found::FoundRoot;
use super::read::{PlanReader, PlanRequest, args};
use super::shape::{PlannedPage, QueryPlan, Root, SelectedFields, Tenant, Worked};
use super::unplanned::{PlanResult, Unplanned};
use super::write::{self, AnswerPart};
use crate::graphql::layer::{Layer, Node};
use crate::graphql::prices;
use crate::graphql::schema::find_of;
use crate::store::Session;

/// The outcome of a plan.
pub struct PlanOutcome {
    /// The answer's `data`, as JSON.
    pub data: Bytes,
    /// Its actual cost.
    pub cost: u64,
    /// The batches of look-ups: what was looked up, and how many keys.
    pub batches: Vec<(&'static str, usize)>,
    /// Whether the answer comes from the cache.
    pub was_kept: bool,
}

/// Runs a plan in the transaction of a session.
///
/// # Errors
/// Why the executor has to answer.
pub fn run(
    plan: &QueryPlan,
    layer: &'static Layer,
    asks: &PlanRequest<'_>,
    session: &mut dyn Session,
) -> PlanResult<PlanOutcome> {
    let mut read = PlanReader::new(plan, layer, asks, session);
    for entry in &plan.root.0 {
        let root = read.root(&entry.what)?;
        read.found.root.push(root);
    }
    read.levels()?;
    let (data, cost) = write::write(plan, &read.found, asks.longest)?;
    Ok(PlanOutcome { data, cost, batches: read.batches, was_kept: false })
}

/// The rendered result of a field of a mutation.
pub struct MutationFieldOutcome {
    /// The JSON of the field.
    pub part: AnswerPart,
    /// The number of objects answered so far in this request that neither a page nor an id bounds.
    pub spent: u64,
    /// See [`PlanOutcome::batches`].
    pub batches: Vec<(&'static str, usize)>,
}

/// Renders the result of the mutation field at an index, in the transaction of a session. `changed` is the node that
/// the field has answered, and its cost besides; both are missing for `__typename`.
///
/// # Errors
/// Why the executor has to answer.
pub fn tell(
    (plan, at): (&QueryPlan, usize),
    layer: &'static Layer,
    (asks, spent): (&PlanRequest<'_>, u64),
    changed: Option<(Node, u64)>,
    session: &mut dyn Session,
) -> PlanResult<MutationFieldOutcome> {
    let mut read = PlanReader::new(plan, layer, asks, session);
    read.spent = spent;
    let root = &plan.root.0.get(at).ok_or(Unplanned::Error)?.what;
    let found = match (root, changed) {
        (Root::Change(change), Some((node, price))) => FoundRoot::Worked(read.told_of(&change.worked, price, node)?),
        (root, _) => read.root(root)?,
    };
    read.levels()?;
    let part = write::part(plan, root, (&read.found, &found), asks.longest)?;
    Ok(MutationFieldOutcome { part, spent: read.spent, batches: read.batches })
}

/// The answer to a mutation, from its rendered fields.
///
/// # Errors
/// The answer is too long.
pub fn join(plan: &QueryPlan, parts: &[AnswerPart], longest: usize) -> PlanResult<PlanOutcome> {
    let (data, cost) = write::join(plan, parts, longest)?;
    Ok(PlanOutcome { data, cost, batches: Vec::new(), was_kept: false })
}

/// Whether a plan may read many rows to find few, with these values of its variables: it looks for something that no
/// single index finds.
pub fn walks(plan: &QueryPlan, layer: &'static Layer, variables: &Variables) -> bool {
    let finds_at_once = |page: &PlannedPage| {
        let find = args(layer, variables, &page.asked).and_then(|args| Ok(find_of(page.kind, &args)?));
        find.is_ok_and(|find| find.is_one_span())
    };
    let looks_over = |worked: &Worked| prices::walks(worked.asked.field.ty.name());
    let of_tenant = |fields: &SelectedFields<Tenant>| {
        fields.0.iter().any(|entry| match &entry.what {
            Tenant::Page(page) => !finds_at_once(page),
            Tenant::Worked(_, worked) => looks_over(worked),
            _ => false,
        })
    };
    plan.root.0.iter().any(|entry| match &entry.what {
        Root::Typename(_) => false,
        Root::Tenant(_, fields) | Root::Tenants(fields) => of_tenant(fields),
        Root::Node(_, any) | Root::Nodes(_, any) => of_tenant(&any.tenant),
        Root::Worked(worked) => looks_over(worked),
        Root::Change(_) => false,
    })
}
