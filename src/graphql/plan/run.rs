//! Running a plan: reading everything, then writing the answer.

use async_graphql::Variables;
use bytes::Bytes;

use super::found::FoundRoot;
use super::reader::{PlanReader, PlanRequest, args};
use super::shape::{ComputedField, PlannedPage, QueryPlan, Root, SelectedFields, Tenant};
use super::unplanned::{PlanResult, Unplanned};
use super::write::{self, AnswerPart};
use crate::graphql::layer::{Layer, Node};
use crate::graphql::prices;
use crate::graphql::schema::find_from_args;
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
    pub from_cache: bool,
}

/// Runs a plan in the transaction of a session.
///
/// # Errors
/// Why the executor has to answer.
pub fn run(
    plan: &QueryPlan,
    layer: &'static Layer,
    request: &PlanRequest<'_>,
    session: &mut dyn Session,
) -> PlanResult<PlanOutcome> {
    let mut reader = PlanReader::new(plan, layer, request, session);
    for entry in &plan.root.0 {
        let root = reader.root(&entry.content)?;
        reader.found.root.push(root);
    }
    reader.levels()?;
    let (data, cost) = write::write(plan, &reader.found, request.max_bytes)?;
    Ok(PlanOutcome { data, cost, batches: reader.batches, from_cache: false })
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
pub fn render_field(
    (plan, at): (&QueryPlan, usize),
    layer: &'static Layer,
    (request, spent): (&PlanRequest<'_>, u64),
    changed: Option<(Node, u64)>,
    session: &mut dyn Session,
) -> PlanResult<MutationFieldOutcome> {
    let mut reader = PlanReader::new(plan, layer, request, session);
    reader.spent = spent;
    let root = &plan.root.0.get(at).ok_or(Unplanned::Error)?.content;
    let found = match (root, changed) {
        (Root::Change(change), Some((node, price))) => {
            FoundRoot::Computed(reader.computed_value(&change.computed, price, node)?)
        }
        (root, _) => reader.root(root)?,
    };
    reader.levels()?;
    let part = write::part(plan, root, (&reader.found, &found), request.max_bytes)?;
    Ok(MutationFieldOutcome { part, spent: reader.spent, batches: reader.batches })
}

/// The answer to a mutation, from its rendered fields.
///
/// # Errors
/// The answer is too long.
pub fn join(plan: &QueryPlan, parts: &[AnswerPart], max_bytes: usize) -> PlanResult<PlanOutcome> {
    let (data, cost) = write::join(plan, parts, max_bytes)?;
    Ok(PlanOutcome { data, cost, batches: Vec::new(), from_cache: false })
}

/// Whether a plan may read many rows to find few, with these values of its variables: it looks for something that no
/// single index finds.
pub fn scans(plan: &QueryPlan, layer: &'static Layer, variables: &Variables) -> bool {
    let finds_at_once = |page: &PlannedPage| {
        let find = args(layer, variables, &page.planned).and_then(|args| Ok(find_from_args(page.kind, &args)?));
        find.is_ok_and(|find| find.is_one_span())
    };
    let scans_all = |computed: &ComputedField| prices::scans(computed.planned.field.ty.name());
    let of_tenant = |fields: &SelectedFields<Tenant>| {
        fields.0.iter().any(|entry| match &entry.content {
            Tenant::Page(page) => !finds_at_once(page),
            Tenant::Computed(_, computed) => scans_all(computed),
            _ => false,
        })
    };
    plan.root.0.iter().any(|entry| match &entry.content {
        Root::Typename(_) => false,
        Root::Tenant(_, fields) | Root::Tenants(fields) => of_tenant(fields),
        Root::Node(_, any) | Root::Nodes(_, any) => of_tenant(&any.tenant),
        Root::Computed(computed) => scans_all(computed),
        Root::Change(_) => false,
    })
}
