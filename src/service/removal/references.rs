//! What refers to an object that is to be deleted, and what can take its place.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::domain::{Code, Kind, ObjectId, Problem, hex};
use crate::store::{self, ObjectRow, Query, ReferenceQuery, ReferenceRow, Result};

/// The most references that one delete changes; one transaction holds up all other changes of the tenant.
pub(in crate::service) const MOST_REFERENCES: usize = 5000;

/// The object with all references to it, up to one more than a delete may change.
pub(super) fn with_references(
    query: &mut Query<'_>,
    object: ObjectId,
) -> Result<Option<(Arc<ObjectRow>, Vec<ReferenceRow>)>> {
    // A tenant's defaults stay as long as the tenant.
    let there = |row: &ObjectRow| row.kind != Kind::FormDefaults;
    let row = store::load_objects(query, &[object.local])?.remove(&object.local).filter(there);
    let Some(row) = row.map(Arc::new) else { return Ok(None) };
    let asked = ReferenceQuery { kinds: None, after: None, limit: MOST_REFERENCES as i64 + 1 };
    let references = store::references(query, std::slice::from_ref(&row), &asked)?.remove(&object.local);
    Ok(Some((row, references.unwrap_or_default())))
}

/// The one answer for an id that is not one of an object in a tenant that the viewer sees.
pub(super) fn no_such() -> Problem {
    Problem::new(Code::NotFound, "must be the id of an object of this tenant").under("id")
}

/// Names the object and what refers to it now, so that a reference that comes or goes gives another token.
pub(super) fn token(row: &ObjectRow, references: &[ReferenceRow]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {} {}", row.id, row.kind.word(), references.len()));
    for ReferenceRow { owner, path, hard, .. } in references {
        hash.update(format!("\n{} {} {hard}", owner.id.local, path.join(".")));
    }
    hex(&hash.finalize()[..16])
}

/// What keeps references from being changed at all.
pub(super) fn too_many(references: &[ReferenceRow]) -> Option<Problem> {
    let rule = format!("changes at most {MOST_REFERENCES} references in one go, and there are more");
    (references.len() > MOST_REFERENCES).then(|| Problem::new(Code::OutOfRange, rule).under("onReferences"))
}

pub(super) fn hard(references: &[ReferenceRow]) -> impl Iterator<Item = &ReferenceRow> {
    references.iter().filter(|reference| reference.hard)
}

/// Why an object cannot take the place of another, whatever refers to that.
pub(super) fn unfit(query: &mut Query<'_>, object: ObjectId, replacement: ObjectId) -> Result<Option<Problem>> {
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
