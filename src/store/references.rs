//! Finds the references to an object in all [`reference_columns`]. A reference is hard if it is a foreign key, and soft
//! if it is a text equal to the object's number.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::error::Result;
use super::objects::{self, ObjectRow};
use super::reference_columns::{ReferencePlace, reference_columns};
use super::session::{Query, column};
use crate::domain::{Kind, Scalar as _, Value, words};

words! {
    "ReferenceStrength";
    /// Whether a reference keeps its target from being deleted.
    pub enum ReferenceStrength {
        /// A reference by id. The object cannot be deleted while it exists, unless the delete says what to do with it.
        Hard = "HARD",
        /// A text that equals the object's number. It is listed, but does not keep the object from being deleted.
        Soft = "SOFT",
    }
}

/// One reference to an object.
#[derive(Clone, Debug)]
pub struct ReferenceRow {
    /// The object that contains the reference.
    pub owner: Arc<ObjectRow>,
    /// The path of the field as clients write it: `additionalDestinations`, `onBusy`, `0`, `objectId`.
    pub path: Vec<String>,
    /// Whether it is a foreign key, not a text equal to the number.
    pub hard: bool,
    /// Its position among all references to the object.
    pub position: ReferencePlace,
}

/// Which references to some objects to load.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ReferenceQuery {
    /// Only references from objects of these kinds; `None` means all.
    pub kinds: Option<Vec<Kind>>,
    /// Only references after this position.
    pub after: Option<ReferencePlace>,
    /// The maximum number for each target.
    pub limit: i64,
}

/// The number of references from objects of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceCount {
    /// The kind of the objects that contain the references.
    pub kind: Kind,
    /// Whether they are foreign keys, not texts equal to the number.
    pub hard: bool,
    /// Their number.
    pub count: i64,
}

fn kind_words(kinds: Option<&[Kind]>) -> Value {
    kinds.unwrap_or(Kind::ALL).iter().map(|kind| kind.word().to_owned()).collect()
}

/// The list for `= ANY($2)`.
fn any_of(values: &HashMap<Value, i64>, by_key: bool) -> Value {
    if by_key {
        values.values().copied().collect()
    } else {
        values.keys().filter_map(|value| value.text().map(str::to_owned)).collect()
    }
}

/// The first references to each of some objects, in order. The number of statements does not depend on the number of
/// objects.
///
/// # Errors
/// An engine error.
pub fn references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    wanted: &ReferenceQuery,
) -> Result<HashMap<i64, Vec<ReferenceRow>>> {
    let mut found: Vec<(i64, ReferencePlace)> = Vec::new();
    for (i, source) in reference_columns().iter().enumerate() {
        let values = source.values(targets);
        if values.is_empty() {
            continue;
        }
        let (sql, which) = match (targets, values.keys().next()) {
            ([_], Some(one)) => (source.statements.one, one.clone()),
            _ => (source.statements.page, any_of(&values, source.kinds.is_some())),
        };
        let head = [which, kind_words(wanted.kinds.as_deref()), wanted.limit.into()];
        let params = [head.to_vec(), source.params_after(i, wanted.after.as_ref())].concat();
        query.for_each_row(sql, &params, &mut |row| {
            let Some(target) = row.first().and_then(|value| values.get(value)) else { return Ok(()) };
            let slot = column!(row, 2, text)?.to_owned();
            let (owner, position) = (column!(row, 1, int)?, column!(row, 3, int)?);
            found.push((*target, ReferencePlace { owner, source: i, slot, position }));
            Ok(())
        })?;
    }
    let owners: HashSet<i64> = found.iter().map(|(_, position)| position.owner).collect();
    let owners = objects::load_objects(query, &owners.into_iter().collect::<Vec<_>>())?;
    let owners: HashMap<i64, Arc<ObjectRow>> = owners.into_iter().map(|(id, row)| (id, Arc::new(row))).collect();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    let mut lists: HashMap<i64, Vec<ReferenceRow>> = HashMap::new();
    for (target, position) in found {
        let Some(owner) = owners.get(&position.owner) else { continue };
        let list = lists.entry(target).or_default();
        if (list.len() as i64) < wanted.limit {
            let source = &reference_columns()[position.source];
            let path = source.path(owner, &position.slot, position.position);
            list.push(ReferenceRow { owner: Arc::clone(owner), path, hard: source.kinds.is_some(), position });
        }
    }
    Ok(lists)
}

/// The number of hard and soft references to each of some objects, by the kind of the object that contains them.
///
/// # Errors
/// An engine error.
pub fn count_references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    kinds: Option<&[Kind]>,
) -> Result<HashMap<i64, Vec<ReferenceCount>>> {
    let mut counts: HashMap<i64, BTreeMap<(&'static str, bool), i64>> = HashMap::new();
    for source in reference_columns() {
        let (values, hard) = (source.values(targets), source.kinds.is_some());
        if values.is_empty() {
            continue;
        }
        query.for_each_row(source.statements.count, &[any_of(&values, hard), kind_words(kinds)], &mut |row| {
            let kind = Kind::from_value(row.get(1).cloned().unwrap_or(Value::Null))?;
            if let Some(target) = row.first().and_then(|value| values.get(value)) {
                *counts.entry(*target).or_default().entry((kind.word(), hard)).or_default() += column!(row, 2, int)?;
            }
            Ok(())
        })?;
    }
    let count = |((word, hard), count): ((&str, bool), i64)| {
        Kind::from_word(word).map(|kind| ReferenceCount { kind, hard, count })
    };
    Ok(counts.into_iter().map(|(id, counts)| (id, counts.into_iter().filter_map(count).collect())).collect())
}
