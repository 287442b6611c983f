//! Giving a virtual extension another number.

use std::sync::Arc;

use super::app::App;
use super::effect::{Effect, ObjectProblem, PendingWrite, Step, work_out};
use super::facts;
use super::refusal::{no_such, refusal};
use super::removal::MOST_REFERENCES;
use super::save::{Plan, Save, SaveTarget, Saved};
use super::viewer::Viewer;
use crate::domain::{Code, Kind, ObjectId, Patch, Problem};
use crate::store::{self, Outcome, Query, ReferenceQuery, Result, Snapshot, StoreError, Tx};

/// Another number for a virtual extension.
#[derive(Clone, Debug)]
pub struct Renumber {
    /// The extension.
    pub object: ObjectId,
    /// The number.
    pub number: String,
    /// Whether the texts that equal the old number change with it.
    pub update_soft_references: bool,
    /// The version that the client saw; another one refuses it.
    pub expected_version: Option<i64>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
}

/// What came of renumbering.
#[derive(Clone, Debug, Default)]
pub struct Renumbered {
    /// What came of saving the extension.
    pub saved: Saved,
    /// The texts that equal the old number and change, or would, with it.
    pub soft: Effect,
}

impl App {
    /// Gives a virtual extension another number. What points at it by id follows by itself; the texts that equal the
    /// old number are shown, and changed when that is asked for.
    ///
    /// # Errors
    /// What the store answers; why it was refused is in the answer.
    pub async fn renumber(&self, snapshot: &Snapshot, viewer: &Viewer, renumber: Renumber) -> Result<Renumbered> {
        let (tenant, kind) = (renumber.object.tenant, Kind::VirtualExtension);
        let refused = |problem| Renumbered { saved: Saved::refused(problem), soft: Effect::default() };
        if let Some(refusal) = refusal(viewer, tenant, kind) {
            return Ok(refused(refusal));
        }
        let (actor, now, dry_run) = (viewer.name.clone(), self.now(), renumber.dry_run);
        let renumbered = if dry_run {
            let read = move |query: &mut Query<'_>| {
                let (plan, soft, _) = work_out_renumber(query, &renumber, now)?;
                Ok(Renumbered { saved: plan.told(), soft })
            };
            snapshot.read(tenant, read).await
        } else {
            let work = move |tx: &mut Tx<'_>| {
                let (plan, soft, writes) = work_out_renumber(tx, &renumber, now)?;
                if plan.is_void() {
                    return Ok(Outcome::Rollback(Renumbered { saved: plan.told(), soft }));
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
            Err(StoreError::NoTenant) => Ok(refused(no_such(kind))),
            result => result,
        }
    }
}

/// The save of the extension, and what of the soft references changes; the writes only when that is asked for.
fn work_out_renumber(
    query: &mut Query<'_>,
    renumber: &Renumber,
    now: i64,
) -> Result<(Plan, Effect, Vec<PendingWrite>)> {
    let Renumber { object, number, update_soft_references, expected_version, dry_run } = renumber;
    let information = Patch::from([("number", number.as_str())]);
    let save = Save {
        kind: Kind::VirtualExtension,
        target: SaveTarget::Existing(*object),
        patch: [("information", information)].into(),
        expected_version: *expected_version,
        dry_run: *dry_run,
        tells_warnings: true,
    };
    let mut plan = Plan::make(query, &save, now)?;
    let row = store::load_objects(query, &[object.local])?.remove(&object.local).map(Arc::new);
    let Some((row, old)) =
        row.filter(|_| !plan.is_void()).and_then(|row| Some((Arc::clone(&row), row.number.clone()?)))
    else {
        return Ok((plan, Effect::default(), Vec::new()));
    };
    let asked = ReferenceQuery { kinds: None, after: None, limit: MOST_REFERENCES as i64 + 1 };
    let references = store::references(query, &[row], &asked)?.remove(&object.local).unwrap_or_default();
    if references.len() > MOST_REFERENCES {
        let rule = format!("has more than {MOST_REFERENCES} references, which is too many to look through in one go");
        plan.refuse(Problem::new(Code::OutOfRange, rule).under("number").under("information"));
        return Ok((plan, Effect::default(), Vec::new()));
    }
    let owners = references.into_iter().filter(|reference| !reference.hard).map(|reference| reference.owner);
    let tenant = store::current_tenant(query)?;
    let (soft, writes) = work_out(query, &tenant, owners, &Step::Redial(old, number.clone()), now)?;
    if !update_soft_references {
        return Ok((plan, soft, Vec::new()));
    }
    for ObjectProblem { object, problem } in &soft.errors {
        let rule = format!("does not fit into {}: {}", facts::label(object), problem.message());
        plan.refuse(Problem::new(problem.code, rule).related(object.id).under("number"));
    }
    Ok((plan, soft, writes))
}
