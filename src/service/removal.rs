//! Deleting: what refers to an object is shown first, and is never left dangling. Check and delete are one transaction.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::document::{self, Document};
use super::effect::{Effect, ObjectProblem, Step, Write, work_out};
use super::save::conflict;
use super::{App, Viewer, facts};
use crate::domain::{Code, Kind, ObjectId, Problem, hex, words};
use crate::form::Change;
use crate::store::{self, Asked, ObjectRow, Outcome, Query, Record, ReferenceRow, Result, Snapshot, StoreError, Tx};

/// The most references that one delete changes; one transaction holds up all other changes of the tenant.
pub const MOST_REFERENCES: usize = 5000;
/// How many references an answer that refuses a delete names.
const NAMED: usize = 20;

words! {
    "OnReferences";
    /// What is to become of the references to an object that is deleted.
    pub enum OnReferences {
        /// Delete only what nothing refers to.
        Block = "BLOCK",
        /// Take the object out of whatever refers to it.
        Detach = "DETACH",
        /// Put another object in its place.
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

/// What a delete would do.
#[derive(Clone, Debug)]
pub struct DeletePlan {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// Names the references that there are now.
    pub token: String,
    /// Whether something refers to the object by a key, so that BLOCK refuses.
    pub blocked: bool,
    /// What goes with the object.
    pub takes_along: Vec<String>,
    /// What DETACH would do; nothing when there are too many references, or it is not shown.
    pub detach: Effect,
    /// What REPLACE_WITH would do, when a replacement was named and it is shown.
    pub replace: Option<Effect>,
    /// Why DETACH and REPLACE_WITH are refused, whatever they would do.
    pub errors: Vec<Problem>,
}

/// Which effects a plan is asked for: working one out checks everything that refers to the object.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// That of DETACH.
    pub detach: bool,
    /// That of REPLACE_WITH.
    pub replace: bool,
}

impl DeletePlan {
    /// What deleting an object of a tenant would do; `None` when there is no such object.
    ///
    /// # Errors
    /// What the store answers.
    pub fn of(
        query: &mut Query<'_>,
        object: ObjectId,
        replacement: Option<ObjectId>,
        shown: Shown,
        now: i64,
    ) -> Result<Option<Self>> {
        let tenant = match store::own_tenant(query) {
            Err(StoreError::NoTenant) => return Ok(None),
            tenant => tenant?,
        };
        let Some((row, references)) = with_references(query, object)? else { return Ok(None) };
        let mut errors: Vec<_> = too_many(&references).into_iter().collect();
        let replacement_error = match replacement {
            Some(replacement) => unfit(query, object, replacement)?,
            None => None,
        };
        let owners = || hard(&references).map(|reference| Arc::clone(&reference.owner));
        let mut effect = |to| match errors.first() {
            Some(_) => Ok(Effect::default()),
            None => work_out(query, &tenant, owners(), &Step::Redirect(object, to), now).map(|(effect, _)| effect),
        };
        let detach = if shown.detach { effect(None)? } else { Effect::default() };
        let replace = match replacement.filter(|_| shown.replace && replacement_error.is_none()) {
            Some(replacement) => Some(effect(Some(replacement))?),
            None => None,
        };
        errors.extend(replacement_error);
        let takes_along = takes_along(query, &row)?;
        let (token, blocked) = (token(&row, &references), hard(&references).next().is_some());
        Ok(Some(Self { object: row, token, blocked, takes_along, detach, replace, errors }))
    }
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

/// The object with all references to it, up to one more than a delete may change.
fn with_references(query: &mut Query<'_>, object: ObjectId) -> Result<Option<(Arc<ObjectRow>, Vec<ReferenceRow>)>> {
    // A tenant's defaults stay as long as the tenant.
    let there = |row: &ObjectRow| row.kind != Kind::FormDefaults;
    let row = store::load_objects(query, &[object.local])?.remove(&object.local).filter(there);
    let Some(row) = row.map(Arc::new) else { return Ok(None) };
    let asked = Asked { kinds: None, after: None, limit: MOST_REFERENCES as i64 + 1 };
    let references = store::references(query, std::slice::from_ref(&row), &asked)?.remove(&object.local);
    Ok(Some((row, references.unwrap_or_default())))
}

/// The one answer for an id that is not one of an object in a tenant that the viewer sees.
fn no_such() -> Problem {
    Problem::new(Code::NotFound, "must be the id of an object of this tenant").under("id")
}

/// Names the object and what refers to it now, so that a reference that comes or goes gives another token.
fn token(row: &ObjectRow, references: &[ReferenceRow]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {} {}", row.id, row.kind.word(), references.len()));
    for ReferenceRow { owner, path, hard, .. } in references {
        hash.update(format!("\n{} {} {hard}", owner.id.local, path.join(".")));
    }
    hex(&hash.finalize()[..16])
}

/// What keeps references from being changed at all.
fn too_many(references: &[ReferenceRow]) -> Option<Problem> {
    let rule = format!("changes at most {MOST_REFERENCES} references in one go, and there are more");
    (references.len() > MOST_REFERENCES).then(|| Problem::new(Code::OutOfRange, rule).under("onReferences"))
}

fn hard(references: &[ReferenceRow]) -> impl Iterator<Item = &ReferenceRow> {
    references.iter().filter(|reference| reference.hard)
}

/// Why an object cannot take the place of another, whatever refers to that.
fn unfit(query: &mut Query<'_>, object: ObjectId, replacement: ObjectId) -> Result<Option<Problem>> {
    let known = replacement.tenant == query.tenant()
        && store::load_objects(query, &[replacement.local])?
            .get(&replacement.local)
            .is_some_and(|row| row.kind != Kind::FormDefaults);
    Ok(if !known {
        let problem = Problem::new(Code::NotFound, "must be the id of an object of this tenant");
        Some(problem.value(replacement.opaque()).under("replacement"))
    } else if replacement == object {
        Some(Problem::new(Code::SelfReference, "must be another object").under("replacement"))
    } else {
        None
    })
}

type Work = Option<(Arc<ObjectRow>, Vec<Write>)>;

fn work_out_delete(query: &mut Query<'_>, delete: &Delete, may_write: bool, now: i64) -> Result<(Deleted, Work)> {
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

fn takes_along(query: &mut Query<'_>, row: &ObjectRow) -> Result<Vec<String>> {
    Ok(Document::load_one(query, row)?.map(|document| document.takes_along()).unwrap_or_default())
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
