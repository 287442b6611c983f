//! What happens to the objects that refer to another one when that goes, or is dialled differently.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Document;
use super::facts;
use crate::domain::{Kind, ObjectId, Problem};
use crate::form::{Change, Checked, Facts};
use crate::store::{self, NewChange, ObjectRow, Query, Result, TenantRow, Tx};

/// What is done to every object that refers.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// It points at the second object instead of the first, or at nothing.
    Redirect(ObjectId, Option<ObjectId>),
    /// It dials the second number instead of the first.
    Redial(String, String),
}

/// Something that is wrong with an object, or looks wrong.
#[derive(Clone, Debug)]
pub struct ObjectProblem {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A field of an object whose value changes.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// The field.
    pub change: Change,
}

/// What a step does to the objects that refer.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// The fields that change.
    pub changes: Vec<ObjectChange>,
    /// The rules that are broken then, and were not before.
    pub errors: Vec<ObjectProblem>,
    /// What looks wrong then, and did not before.
    pub warnings: Vec<ObjectProblem>,
}

/// Writes one object's part of an effect.
pub(super) type PendingWrite = Box<dyn FnOnce(&mut Tx<'_>, &str) -> Result<()>>;

/// Works a step out. The number of statements depends on the number of kinds, not on that of objects.
pub(super) fn work_out(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    owners: impl IntoIterator<Item = Arc<ObjectRow>>,
    step: &Step,
    now: i64,
) -> Result<(Effect, Vec<PendingWrite>)> {
    let mut by_kind: BTreeMap<(&str, i64), Arc<ObjectRow>> = BTreeMap::new();
    for owner in owners {
        by_kind.insert((owner.kind.word(), owner.id.local), owner);
    }
    let (mut effect, mut writes) = (Effect::default(), Vec::new());
    let rows: Vec<_> = by_kind.into_values().collect();
    for rows in rows.chunk_by(|a, b| a.kind == b.kind) {
        of_kind(query, tenant, rows, step, now, &mut effect, &mut writes)?;
    }
    Ok((effect, writes))
}

/// The part of the objects of one kind.
fn of_kind(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    rows: &[Arc<ObjectRow>],
    step: &Step,
    now: i64,
    effect: &mut Effect,
    writes: &mut Vec<PendingWrite>,
) -> Result<()> {
    let Some(kind) = rows.first().map(|row| row.kind) else { return Ok(()) };
    let mut before = Document::load(query, kind, &rows.iter().map(|row| (**row).clone()).collect::<Vec<_>>())?;
    let pairs: Vec<_> = rows.iter().filter_map(|row| Some((row, before.remove(&row.id.local)?))).collect();
    let pairs: Vec<_> = pairs.into_iter().map(|(row, before)| (row, step.taken(&before), before)).collect();
    let states =
        pairs.iter().flat_map(|(_, after, before)| [after.checkable(), before.checkable()]).collect::<Vec<_>>();
    let around = facts::around(query, tenant, &states, now)?;
    for (row, after, before) in pairs {
        let defaults = row.kind == Kind::FormDefaults;
        let own = Some(row.id).filter(|_| !defaults);
        let facts = Facts { own, defaults, around: Arc::clone(&around), ..Facts::default() };
        let (was, is) = (before.checkable().check(&facts), after.checkable().check(&facts));
        let new = |is: Vec<Problem>, was: &[Problem]| {
            let is = is.into_iter().filter(|p| was.iter().all(|w| (&w.path, w.code) != (&p.path, p.code)));
            is.map(|problem| ObjectProblem { object: Arc::clone(row), problem }).collect::<Vec<_>>()
        };
        let Checked { errors, warnings } = is;
        effect.errors.extend(new(errors, &was.errors));
        effect.warnings.extend(new(warnings, &was.warnings));
        let changes = after.changes(Some(&before));
        let told = changes.iter().map(|change| ObjectChange { object: Arc::clone(row), change: change.clone() });
        effect.changes.extend(told);
        let row = Arc::clone(row);
        writes.push(Box::new(move |tx, actor| {
            let ObjectRow { id, version, .. } =
                store::update_object(tx, &row, (before.own_row(), after.own_row()), now)?;
            after.write(tx, id.local, Some(&before))?;
            store::insert_change(tx, &NewChange { object: id.local, version, actor, at: now, changes: &changes })
        }));
    }
    Ok(())
}

impl Step {
    fn taken(&self, before: &Document) -> Document {
        let mut after = before.clone();
        match self {
            Self::Redirect(from, to) => after.redirect(*from, *to),
            Self::Redial(from, to) => after.redial(from, to),
        }
        after
    }
}
