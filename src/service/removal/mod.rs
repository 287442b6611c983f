//! Deleting: what refers to an object is shown first, and is never left dangling. Check and delete are one transaction.

mod plan;
mod references;

use std::sync::Arc;

pub use self::plan::{DeletePlan, Shown};
pub(super) use self::references::MOST_REFERENCES;
use self::references::{hard, no_such, token, too_many, unfit, with_references};
use super::app::App;
use super::document::{self, Document};
use super::effect::{Effect, ObjectProblem, PendingWrite, Step, work_out};
use super::facts;
use super::refusal::conflict;
use super::viewer::Viewer;
use crate::domain::{Code, ObjectId, Problem, words};
use crate::form::Change;
use crate::store::{self, ObjectRow, Outcome, Query, Record, ReferenceRow, Result, Snapshot, StoreError, Tx};

/// How many references an answer that refuses a delete names.
const NAMED: usize = 20;

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

/// A delete that somebody asks for.
#[derive(Clone, Debug)]
pub struct Delete {
    /// The object.
    pub object: ObjectId,
    /// The version that the client saw; another one refuses the delete.
    pub expected_version: Option<i64>,
    /// What is to become of the references to it.
    pub on_references: OnReferences,
    /// The object that takes its place.
    pub replacement: Option<ObjectId>,
    /// The token of the plan that the client saw.
    pub plan_token: Option<String>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
}

/// What came of a delete.
#[derive(Clone, Debug, Default)]
pub struct Deleted {
    /// Whether the object is gone.
    pub done: bool,
    /// Why it is not: everything at once.
    pub errors: Vec<Problem>,
    /// What it does, or would do, to what refers to the object.
    pub effect: Effect,
}

impl App {
    /// Deletes an object, or says what would happen. Nothing is half deleted, and nothing is left that refers to it.
    ///
    /// # Errors
    /// What the store answers; why it was refused is in the answer.
    pub async fn delete(&self, snapshot: &Snapshot, viewer: &Viewer, delete: Delete) -> Result<Deleted> {
        let tenant = delete.object.tenant;
        let refused = |problem| Ok(Deleted { errors: vec![problem], ..Deleted::default() });
        if !viewer.delete {
            return refused(Problem::new(Code::Forbidden, "needs a token with the scope delete"));
        }
        if !viewer.sees(tenant) {
            return refused(no_such());
        }
        let (actor, may_write, now) = (viewer.name.clone(), viewer.write, self.now());
        let deleted = if delete.dry_run {
            snapshot.read(tenant, move |query| Ok(work_out_delete(query, &delete, may_write, now)?.0)).await
        } else {
            let work = move |tx: &mut Tx<'_>| {
                let (mut deleted, writes) = work_out_delete(tx, &delete, may_write, now)?;
                let Some((row, writes)) = writes else { return Ok(Outcome::Rollback(deleted)) };
                writes.into_iter().try_for_each(|write| write(tx, &actor))?;
                erase(tx, &row, &actor, now)?;
                deleted.done = true;
                Ok(Outcome::Commit(deleted))
            };
            self.store.within(snapshot).write(tenant, work).await
        };
        match deleted {
            Err(StoreError::NoTenant) => refused(no_such()),
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

fn work_out_delete(
    query: &mut Query<'_>,
    delete: &Delete,
    may_write: bool,
    now: i64,
) -> Result<(Deleted, DeletionWrites)> {
    let refused = |errors| Ok((Deleted { errors, ..Deleted::default() }, None));
    let tenant = store::own_tenant(query)?;
    let Some((row, references)) = with_references(query, delete.object)? else {
        return refused(vec![no_such()]);
    };
    if let Some(expected) = delete.expected_version.filter(|expected| *expected != row.version) {
        return refused(conflict(query, &row, expected)?);
    }
    let to = match (delete.on_references, delete.replacement) {
        (OnReferences::ReplaceWith, None) => {
            let problem = Problem::new(Code::RequiredWhen, "is required when onReferences is REPLACE_WITH");
            return refused(vec![problem.under("replacement")]);
        }
        (OnReferences::ReplaceWith, Some(replacement)) => match unfit(query, delete.object, replacement)? {
            Some(problem) => return refused(vec![problem]),
            None => Some(replacement),
        },
        _ => None,
    };
    if hard(&references).next().is_none() {
        return Ok((Deleted::default(), Some((row, Vec::new()))));
    }
    if delete.on_references == OnReferences::Block {
        return refused(in_use(&references));
    }
    if !may_write {
        let rule = "needs a token with the scope write, since it changes what refers to the object";
        return refused(vec![Problem::new(Code::Forbidden, rule).under("onReferences")]);
    }
    match &delete.plan_token {
        None => {
            let rule = "is required when onReferences is not BLOCK: ask for the plan of a delete first";
            return refused(vec![Problem::new(Code::RequiredWhen, rule).under("planToken")]);
        }
        Some(seen) if *seen != token(&row, &references) => {
            let rule = "is not that of the references that there are now: look at the plan again";
            return refused(vec![Problem::new(Code::PlanChanged, rule).value(seen).under("planToken")]);
        }
        Some(_) => {}
    }
    if let Some(problem) = too_many(&references) {
        return refused(vec![problem]);
    }
    let owners = hard(&references).map(|reference| Arc::clone(&reference.owner));
    let (effect, writes) = work_out(query, &tenant, owners, &Step::Redirect(delete.object, to), now)?;
    // Taking something out may leave what is senseless, and the plan said so; putting something unfit in is refused.
    let errors: Vec<_> = match to {
        Some(_) => effect.errors.iter().map(unfit_in).collect(),
        None => Vec::new(),
    };
    let work = errors.is_empty().then_some((row, writes));
    Ok((Deleted { done: false, errors, effect }, work))
}

/// Why a replacement does not fit into what refers to the object.
fn unfit_in(ObjectProblem { object, problem }: &ObjectProblem) -> Problem {
    let rule = format!("does not fit into {}, {}: {}", facts::label(object), problem.path.join("."), problem.message());
    Problem::new(problem.code, rule).related(object.id).under("replacement")
}

/// One problem per reference, and one for those that are not named.
fn in_use(references: &[ReferenceRow]) -> Vec<Problem> {
    let problem = |reference: &ReferenceRow| {
        let (owner, path) = (&reference.owner, reference.path.join("."));
        let rule = format!("is referred to by the {} {} in {path}", owner.kind.label(), facts::label(owner));
        Problem::new(Code::InUse, rule).related(owner.id).under("id")
    };
    let more = hard(references).count().saturating_sub(NAMED);
    let rest = Problem::new(Code::InUse, format!("is referred to {more} times more")).under("id");
    hard(references).take(NAMED).map(problem).chain((more > 0).then_some(rest)).collect()
}

/// Removes all of an object. Its history stays, and ends with what it was.
fn erase(tx: &mut Tx<'_>, row: &ObjectRow, actor: &str, now: i64) -> Result<()> {
    let id = row.id.local;
    let fields = Document::load_one(tx, row)?.map(|document| document.changes(None)).unwrap_or_default();
    let gone = |change: Change| Change { before: change.after, after: serde_json::Value::Null, ..change };
    // Nothing else tells what it was once its row is gone.
    let kind = Change { path: store::KIND_PATH.into(), before: row.kind.word().into(), after: serde_json::Value::Null };
    let changes: Vec<_> = fields.into_iter().map(gone).chain([kind]).collect();
    document::erase(tx, row.kind, id)?;
    store::erase_object(tx, id)?;
    let version = row.next_version()?;
    store::record(tx, &Record { object: id, version, actor, at: now, changes: &changes })
}
