//! Changes the number of a virtual extension.

use std::sync::Arc;

use super::app::App;
use super::effect::{Effect, ObjectProblem, PendingWrite, ReferenceChange, compute_effect};
use super::refusal::{not_found, refusal};
use super::removal::MAX_REFERENCES;
use super::save::{Save, SavePlan, SaveTarget, Saved};
use super::tenant_facts;
use super::viewer::Viewer;
use crate::domain::{Code, Kind, ObjectId, Patch, Problem};
use crate::store::{self, Outcome, Query, ReferenceQuery, Result, Snapshot, StoreError, Tx};

/// A request to change the number of a virtual extension.
#[derive(Clone, Debug)]
pub struct Renumber {
    /// The extension.
    pub object: ObjectId,
    /// The new number.
    pub number: String,
    /// Whether texts that equal the old number are changed, too.
    pub update_soft_references: bool,
    /// The version that the client expects. The change is refused if the extension has another one.
    pub expected_version: Option<i64>,
    /// Whether to report only what would happen.
    pub dry_run: bool,
}

/// The result of a renumbering.
#[derive(Clone, Debug, Default)]
pub struct Renumbered {
    /// The result of saving the extension.
    pub saved: Saved,
    /// The effect on objects with texts that equal the old number; it is only applied on request.
    pub soft: Effect,
}

impl App {
    /// Changes the number of a virtual extension. References by id are not affected. Texts that equal the old number
    /// are reported, and changed on request.
    ///
    /// # Errors
    /// Errors of the store. Reasons for a refusal are part of the result.
    pub async fn renumber(&self, snapshot: &Snapshot, viewer: &Viewer, renumber: Renumber) -> Result<Renumbered> {
        let (tenant, kind) = (renumber.object.tenant, Kind::VirtualExtension);
        let refused = |problem| Renumbered { saved: Saved::refused(problem), soft: Effect::default() };
        if let Some(refusal) = refusal(viewer, tenant, kind) {
            return Ok(refused(refusal));
        }
        let (actor, now, dry_run) = (viewer.name.clone(), self.now(), renumber.dry_run);
        let renumbered = if dry_run {
            let read = move |query: &mut Query<'_>| {
                let (plan, soft, _) = compute_renumber(query, &renumber, now)?;
                Ok(Renumbered { saved: plan.into_saved(), soft })
            };
            snapshot.read(tenant, read).await
        } else {
            let work = move |tx: &mut Tx<'_>| {
                let (plan, soft, writes) = compute_renumber(tx, &renumber, now)?;
                if plan.is_no_op() {
                    return Ok(Outcome::Rollback(Renumbered { saved: plan.into_saved(), soft }));
                }
                let saved = plan.carry_out(tx, &actor, now)?;
                writes.into_iter().try_for_each(|write| write(tx, &actor))?;
                Ok(Outcome::Commit(Renumbered { saved, soft }))
            };
            self.store.with_deadline_of(snapshot).write(tenant, work).await
        };
        if !dry_run {
            snapshot.renew().await;
        }
        match renumbered {
            Err(StoreError::NoTenant) => Ok(refused(not_found(kind))),
            result => result,
        }
    }
}

/// Plans the save of the extension and computes the effect on soft references. The writes for these are returned only
/// if they were requested.
fn compute_renumber(
    query: &mut Query<'_>,
    renumber: &Renumber,
    now: i64,
) -> Result<(SavePlan, Effect, Vec<PendingWrite>)> {
    let Renumber { object, number, update_soft_references, expected_version, dry_run } = renumber;
    let information = Patch::from([("number", number.as_str())]);
    let save = Save {
        kind: Kind::VirtualExtension,
        target: SaveTarget::Existing(*object),
        patch: [("information", information)].into(),
        expected_version: *expected_version,
        dry_run: *dry_run,
        report_warnings: true,
    };
    let mut plan = SavePlan::prepare(query, &save, now)?;
    let row = store::load_objects(query, &[object.local])?.remove(&object.local).map(Arc::new);
    let Some((row, old)) =
        row.filter(|_| !plan.is_no_op()).and_then(|row| Some((Arc::clone(&row), row.number.clone()?)))
    else {
        return Ok((plan, Effect::default(), Vec::new()));
    };
    let asked = ReferenceQuery { kinds: None, after: None, limit: MAX_REFERENCES as i64 + 1 };
    let references = store::references(query, &[row], &asked)?.remove(&object.local).unwrap_or_default();
    if references.len() > MAX_REFERENCES {
        let rule = format!("has more than {MAX_REFERENCES} references, which is too many to check at once");
        plan.add_error(Problem::new(Code::OutOfRange, rule).under("number").under("information"));
        return Ok((plan, Effect::default(), Vec::new()));
    }
    let owners = references.into_iter().filter(|reference| !reference.hard).map(|reference| reference.owner);
    let tenant = store::current_tenant(query)?;
    let (soft, writes) = compute_effect(query, &tenant, owners, &ReferenceChange::Redial(old, number.clone()), now)?;
    if !update_soft_references {
        return Ok((plan, soft, Vec::new()));
    }
    for ObjectProblem { object, problem } in &soft.errors {
        let rule = format!("does not fit {}: {}", tenant_facts::label(object), problem.message());
        plan.add_error(Problem::new(problem.code, rule).related(object.id).under("number"));
    }
    Ok((plan, soft, writes))
}
