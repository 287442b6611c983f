//! Deletes objects. Clients see the references to an object first, and no reference is left dangling. The check and the
//! delete are one transaction.

mod plan;
mod references;

use std::sync::Arc;

pub use self::plan::{DeletePlan, ShownEffects};
pub(super) use self::references::MAX_REFERENCES;
use self::references::{hard_references, load_with_references, not_found, plan_token, replacement_problem, too_many};
use super::app::App;
use super::document::{self, Document};
use super::effect::{Effect, ObjectProblem, PendingWrite, ReferenceChange, compute_effect};
use super::refusal::conflict;
use super::tenant_facts;
use super::viewer::Viewer;
use crate::domain::{Code, ObjectId, Problem, words};
use crate::form::Change;
use crate::store::{self, NewChange, ObjectRow, Outcome, Query, ReferenceRow, Result, Snapshot, StoreError, Tx};

/// How many references are listed when a delete is refused.
const MAX_LISTED: usize = 20;

words! {
    "OnReferences";
    /// What to do with the references to an object that is deleted.
    pub enum OnReferences {
        /// Refuse the delete if anything refers to the object.
        Block = "BLOCK",
        /// Remove the object from everything that refers to it.
        Detach = "DETACH",
        /// Replace it by another object everywhere.
        ReplaceWith = "REPLACE_WITH",
    }
}

/// A request to delete an object.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The object.
    pub object: ObjectId,
    /// The version that the client expects. The delete is refused if the object has another one.
    pub expected_version: Option<i64>,
    /// What to do with the references to it.
    pub on_references: OnReferences,
    /// The object that replaces it.
    pub replacement: Option<ObjectId>,
    /// The token of the delete plan that the client has seen.
    pub plan_token: Option<String>,
    /// Whether to report only what would happen.
    pub dry_run: bool,
}

/// The result of a delete.
#[derive(Clone, Debug, Default)]
pub struct Deleted {
    /// Whether the object has been deleted.
    pub done: bool,
    /// All reasons why it has not been deleted.
    pub errors: Vec<Problem>,
    /// The effect on the objects that refer to it; for a dry run, the effect that it would have.
    pub effect: Effect,
}

impl App {
    /// Deletes an object, or reports what would happen. Either everything is deleted or nothing, and no references to
    /// the object remain.
    ///
    /// # Errors
    /// Errors of the store. Reasons for a refusal are part of the result.
    pub async fn delete(&self, snapshot: &Snapshot, viewer: &Viewer, delete: Delete) -> Result<Deleted> {
        let tenant = delete.object.tenant;
        let refused = |problem| Ok(Deleted { errors: vec![problem], ..Deleted::default() });
        if !viewer.delete {
            return refused(Problem::new(Code::Forbidden, "needs a token with the scope delete"));
        }
        if !viewer.sees(tenant) {
            return refused(not_found());
        }
        let (actor, may_write, now) = (viewer.name.clone(), viewer.write, self.now());
        let deleted = if delete.dry_run {
            snapshot.read(tenant, move |query| Ok(compute_delete(query, &delete, may_write, now)?.0)).await
        } else {
            let work = move |tx: &mut Tx<'_>| {
                let (mut deleted, writes) = compute_delete(tx, &delete, may_write, now)?;
                let Some((row, writes)) = writes else { return Ok(Outcome::Rollback(deleted)) };
                writes.into_iter().try_for_each(|write| write(tx, &actor))?;
                erase(tx, &row, &actor, now)?;
                deleted.done = true;
                Ok(Outcome::Commit(deleted))
            };
            self.store.with_deadline_of(snapshot).write(tenant, work).await
        };
        match deleted {
            Err(StoreError::NoTenant) => refused(not_found()),
            Ok(deleted) => {
                if deleted.done {
                    snapshot.renew().await;
                }
                Ok(deleted)
            }
            error => error,
        }
    }
}

type DeletionWrites = Option<(Arc<ObjectRow>, Vec<PendingWrite>)>;

fn compute_delete(
    query: &mut Query<'_>,
    delete: &Delete,
    may_write: bool,
    now: i64,
) -> Result<(Deleted, DeletionWrites)> {
    let refused = |errors| Ok((Deleted { errors, ..Deleted::default() }, None));
    let tenant = store::current_tenant(query)?;
    let Some((row, references)) = load_with_references(query, delete.object)? else {
        return refused(vec![not_found()]);
    };
    if let Some(expected) = delete.expected_version.filter(|expected| *expected != row.version) {
        return refused(conflict(query, &row, expected)?);
    }
    let to = match (delete.on_references, delete.replacement) {
        (OnReferences::ReplaceWith, None) => {
            let problem = Problem::new(Code::RequiredWhen, "is required when onReferences is REPLACE_WITH");
            return refused(vec![problem.under("replacement")]);
        }
        (OnReferences::ReplaceWith, Some(replacement)) => match replacement_problem(query, delete.object, replacement)?
        {
            Some(problem) => return refused(vec![problem]),
            None => Some(replacement),
        },
        _ => None,
    };
    if hard_references(&references).next().is_none() {
        return Ok((Deleted::default(), Some((row, Vec::new()))));
    }
    if delete.on_references == OnReferences::Block {
        return refused(in_use(&references));
    }
    if !may_write {
        let rule = "needs a token with the scope write, because it changes the objects that refer to this one";
        return refused(vec![Problem::new(Code::Forbidden, rule).under("onReferences")]);
    }
    match &delete.plan_token {
        None => {
            let rule = "is required when onReferences is not BLOCK: request the delete plan first";
            return refused(vec![Problem::new(Code::RequiredWhen, rule).under("planToken")]);
        }
        Some(seen) if *seen != plan_token(&row, &references) => {
            let rule = "does not match the current references: request the delete plan again";
            return refused(vec![Problem::new(Code::PlanChanged, rule).value(seen).under("planToken")]);
        }
        Some(_) => {}
    }
    if let Some(problem) = too_many(&references) {
        return refused(vec![problem]);
    }
    let owners = hard_references(&references).map(|reference| Arc::clone(&reference.owner));
    let (effect, writes) = compute_effect(query, &tenant, owners, &ReferenceChange::Redirect(delete.object, to), now)?;
    // Removing references may leave invalid objects, as the plan has shown. A replacement that does not fit is refused.
    let errors: Vec<_> = match to {
        Some(_) => effect.errors.iter().map(replacement_error).collect(),
        None => Vec::new(),
    };
    let work = errors.is_empty().then_some((row, writes));
    Ok((Deleted { done: false, errors, effect }, work))
}

/// The problem of a replacement that breaks a rule of an object that refers to the deleted one.
fn replacement_error(ObjectProblem { object, problem }: &ObjectProblem) -> Problem {
    let rule =
        format!("does not fit {} in {}: {}", tenant_facts::label(object), problem.path.join("."), problem.message());
    Problem::new(problem.code, rule).related(object.id).under("replacement")
}

/// One problem per reference, and one for all references that are not listed.
fn in_use(references: &[ReferenceRow]) -> Vec<Problem> {
    let problem = |reference: &ReferenceRow| {
        let (owner, path) = (&reference.owner, reference.path.join("."));
        let rule = format!("is used by the {} {} in {path}", owner.kind.label(), tenant_facts::label(owner));
        Problem::new(Code::InUse, rule).related(owner.id).under("id")
    };
    let more = hard_references(references).count().saturating_sub(MAX_LISTED);
    let rest = Problem::new(Code::InUse, format!("is used in {more} more places")).under("id");
    hard_references(references).take(MAX_LISTED).map(problem).chain((more > 0).then_some(rest)).collect()
}

/// Deletes an object. Its history remains and ends with its last values.
fn erase(tx: &mut Tx<'_>, row: &ObjectRow, actor: &str, now: i64) -> Result<()> {
    let id = row.id.local;
    let fields = Document::load_one(tx, row)?.map(|document| document.changes(None)).unwrap_or_default();
    let gone = |change: Change| Change { before: change.after, after: serde_json::Value::Null, ..change };
    // Without its row, only this record tells the kind of the object.
    let kind = Change { path: store::KIND_PATH.into(), before: row.kind.word().into(), after: serde_json::Value::Null };
    let changes: Vec<_> = fields.into_iter().map(gone).chain([kind]).collect();
    document::erase_parts(tx, row.kind, id)?;
    store::erase_object(tx, id)?;
    let version = row.next_version()?;
    store::insert_change(tx, &NewChange { object: id, version, actor, at: now, changes: &changes })
}
