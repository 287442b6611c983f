//! What refers to an object, through any of the [`sources`]. A reference is hard when it is a foreign key, soft when it is
//! a text that equals the object's number.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::error::Result;
use super::objects::{self, ObjectRow};
use super::session::{Query, column};
use super::sources::{ReferencePlace, sources};
use crate::domain::{Kind, Scalar as _, Value, words};

words! {
    "ReferenceStrength";
    /// How strong a reference is.
    pub enum ReferenceStrength {
        /// By id: it keeps the object from being deleted.
        Hard = "HARD",
        /// By a text that equals the object's number: it is shown, and keeps nothing from being deleted.
        Soft = "SOFT",
    }
}

/// One reference to an object.
#[derive(Clone, Debug)]
pub struct ReferenceRow {
    /// The object that refers.
    pub owner: Arc<ObjectRow>,
    /// Where it does, as clients write it: `additionalDestinations`, `onBusy`, `0`, `objectId`.
    pub path: Vec<String>,
    /// Whether it is a foreign key, and not a text that equals the number.
    pub hard: bool,
    /// Where it stands among all references to the object.
    pub position: ReferencePlace,
}

/// What is asked of the references to some objects.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Asked {
    /// Only those of objects of these kinds; `None` is all.
    pub kinds: Option<Vec<Kind>>,
    /// Only those behind this one.
    pub after: Option<ReferencePlace>,
    /// At most so many.
    pub limit: i64,
}

/// How many objects' fields refer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReferenceCount {
    /// What refers.
    pub kind: Kind,
    /// Whether by foreign keys, and not by texts that equal the number.
    pub hard: bool,
    /// How many do.
    pub count: i64,
}

fn kind_words(kinds: Option<&[Kind]>) -> Value {
    kinds.unwrap_or(Kind::ALL).iter().map(|kind| kind.word().to_owned()).collect()
}

/// What is bound to `= ANY($2)`.
fn any(values: &HashMap<Value, i64>, by_key: bool) -> Value {
    if by_key {
        values.values().copied().collect()
    } else {
        values.keys().filter_map(|value| value.text().map(str::to_owned)).collect()
    }
}

/// The first references to each of some objects, in order. The number of statements does not depend on how many.
///
/// # Errors
/// What the engine answers.
pub fn references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    asked: &Asked,
) -> Result<HashMap<i64, Vec<ReferenceRow>>> {
    let mut found: Vec<(i64, ReferencePlace)> = Vec::new();
    for (i, source) in sources().iter().enumerate() {
        let values = source.values(targets);
        if values.is_empty() {
            continue;
        }
        let (sql, which) = match (targets, values.keys().next()) {
            ([_], Some(one)) => (source.statements.one, one.clone()),
            _ => (source.statements.page, any(&values, source.kinds.is_some())),
        };
        let head = [which, kind_words(asked.kinds.as_deref()), asked.limit.into()];
        let params = [head.to_vec(), source.behind(i, asked.after.as_ref())].concat();
        query.each(sql, &params, &mut |row| {
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
        if (list.len() as i64) < asked.limit {
            let source = &sources()[position.source];
            let path = source.path(owner, &position.slot, position.position);
            list.push(ReferenceRow { owner: Arc::clone(owner), path, hard: source.kinds.is_some(), position });
        }
    }
    Ok(lists)
}

/// How many references there are to each of some objects: hard and soft ones by the kind of what refers.
///
/// # Errors
/// What the engine answers.
pub fn count_references(
    query: &mut Query<'_>,
    targets: &[Arc<ObjectRow>],
    kinds: Option<&[Kind]>,
) -> Result<HashMap<i64, Vec<ReferenceCount>>> {
    let mut counts: HashMap<i64, BTreeMap<(&'static str, bool), i64>> = HashMap::new();
    for source in sources() {
        let (values, hard) = (source.values(targets), source.kinds.is_some());
        if values.is_empty() {
            continue;
        }
        query.each(source.statements.count, &[any(&values, hard), kind_words(kinds)], &mut |row| {
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
