//! Computes how other objects change when an object is deleted or gets another number.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::document::Document;
use super::tenant_facts;
use crate::domain::{Kind, ObjectId, Problem};
use crate::form::{Change, Checked, Facts};
use crate::store::{self, NewChange, ObjectRow, Query, Result, TenantRow, Tx};

/// A change to all objects that refer to another one.
#[derive(Clone, Debug)]
pub(super) enum ReferenceChange {
    /// Replace references to the first object by references to the second one, or remove them.
    Redirect(ObjectId, Option<ObjectId>),
    /// Replace the first dialled number by the second one.
    Redial(String, String),
}

/// An error or a warning about an object.
#[derive(Clone, Debug)]
pub struct ObjectProblem {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// The error or warning.
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

/// The effect of a change on the objects that refer to another one.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// The fields that change.
    pub changes: Vec<ObjectChange>,
    /// The new errors: rules that are broken now but were not before.
    pub errors: Vec<ObjectProblem>,
    /// The new warnings.
    pub warnings: Vec<ObjectProblem>,
}

/// Writes the effect on one object.
pub(super) type PendingWrite = Box<dyn FnOnce(&mut Tx<'_>, &str) -> Result<()>>;

/// Computes the effect of a change to the references. The number of statements depends on the number of kinds, not on
/// the number of objects.
pub(super) fn compute_effect(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    owners: impl IntoIterator<Item = Arc<ObjectRow>>,
    change: &ReferenceChange,
    now: i64,
) -> Result<(Effect, Vec<PendingWrite>)> {
    let mut by_kind: BTreeMap<(&str, i64), Arc<ObjectRow>> = BTreeMap::new();
    for owner in owners {
        by_kind.insert((owner.kind.word(), owner.id.local), owner);
    }
    let (mut effect, mut writes) = (Effect::default(), Vec::new());
    let rows: Vec<_> = by_kind.into_values().collect();
    for rows in rows.chunk_by(|a, b| a.kind == b.kind) {
        add_effect_on_kind(query, tenant, rows, change, now, &mut effect, &mut writes)?;
    }
    Ok((effect, writes))
}

/// Adds the effect on objects of one kind.
fn add_effect_on_kind(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    rows: &[Arc<ObjectRow>],
    change: &ReferenceChange,
    now: i64,
    effect: &mut Effect,
    writes: &mut Vec<PendingWrite>,
) -> Result<()> {
    let Some(kind) = rows.first().map(|row| row.kind) else { return Ok(()) };
    let mut before = Document::load(query, kind, &rows.iter().map(|row| (**row).clone()).collect::<Vec<_>>())?;
    let pairs: Vec<_> = rows.iter().filter_map(|row| Some((row, before.remove(&row.id.local)?))).collect();
    let pairs: Vec<_> = pairs.into_iter().map(|(row, before)| (row, change.apply(&before), before)).collect();
    let states =
        pairs.iter().flat_map(|(_, after, before)| [after.checkable(), before.checkable()]).collect::<Vec<_>>();
    let tenant_facts = tenant_facts::load_for(query, tenant, &states, now)?;
    for (row, after, before) in pairs {
        let defaults = row.kind == Kind::FormDefaults;
        let own = Some(row.id).filter(|_| !defaults);
        let facts = Facts { own, defaults, tenant: Arc::clone(&tenant_facts), ..Facts::default() };
        let (old, new) = (before.checkable().check(&facts), after.checkable().check(&facts));
        let added = |new: Vec<Problem>, old: &[Problem]| {
            let added = new.into_iter().filter(|n| old.iter().all(|o| (&o.path, o.code) != (&n.path, n.code)));
            added.map(|problem| ObjectProblem { object: Arc::clone(row), problem }).collect::<Vec<_>>()
        };
        let Checked { errors, warnings } = new;
        effect.errors.extend(added(errors, &old.errors));
        effect.warnings.extend(added(warnings, &old.warnings));
        let changes = after.changes(Some(&before));
        let object_changes =
            changes.iter().map(|field| ObjectChange { object: Arc::clone(row), change: field.clone() });
        effect.changes.extend(object_changes);
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

impl ReferenceChange {
    fn apply(&self, before: &Document) -> Document {
        let mut after = before.clone();
        match self {
            Self::Redirect(from, to) => after.redirect(*from, *to),
            Self::Redial(from, to) => after.redial(from, to),
        }
        after
    }
}
