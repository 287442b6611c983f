//! The references to an object that is deleted, and possible replacements.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::domain::{Code, Kind, ObjectId, Problem, hex};
use crate::store::{self, ObjectRow, Query, ReferenceQuery, ReferenceRow, Result};

/// The maximum number of references that one delete changes, because its transaction delays all other changes of the
/// tenant.
pub(in crate::service) const MAX_REFERENCES: usize = 5000;

/// Loads an object with all references to it, up to one more than a delete may change.
pub(super) fn load_with_references(
    query: &mut Query<'_>,
    object: ObjectId,
) -> Result<Option<(Arc<ObjectRow>, Vec<ReferenceRow>)>> {
    // A tenant's defaults cannot be deleted.
    let deletable = |row: &ObjectRow| row.kind != Kind::FormDefaults;
    let row = store::load_objects(query, &[object.local])?.remove(&object.local).filter(deletable);
    let Some(row) = row.map(Arc::new) else { return Ok(None) };
    let asked = ReferenceQuery { kinds: None, after: None, limit: MAX_REFERENCES as i64 + 1 };
    let references = store::references(query, std::slice::from_ref(&row), &asked)?.remove(&object.local);
    Ok(Some((row, references.unwrap_or_default())))
}

/// The answer for an id that is not the id of an object in a tenant that the viewer can see.
pub(super) fn not_found() -> Problem {
    Problem::new(Code::NotFound, "must be the id of an object of this tenant").under("id")
}

/// Identifies the object and the current references to it: the token changes if a reference is added or removed.
pub(super) fn plan_token(row: &ObjectRow, references: &[ReferenceRow]) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {} {}", row.id, row.kind.word(), references.len()));
    for ReferenceRow { owner, path, hard, .. } in references {
        hash.update(format!("\n{} {} {hard}", owner.id.local, path.join(".")));
    }
    hex(&hash.finalize()[..16])
}

/// The problem of an object with too many references to change them at once.
pub(super) fn too_many(references: &[ReferenceRow]) -> Option<Problem> {
    let rule = format!("can change at most {MAX_REFERENCES} references at once, and there are more");
    (references.len() > MAX_REFERENCES).then(|| Problem::new(Code::OutOfRange, rule).under("onReferences"))
}

pub(super) fn hard_references(references: &[ReferenceRow]) -> impl Iterator<Item = &ReferenceRow> {
    references.iter().filter(|reference| reference.hard)
}

/// The reason why an object cannot replace another one, whatever refers to it.
pub(super) fn replacement_problem(
    query: &mut Query<'_>,
    object: ObjectId,
    replacement: ObjectId,
) -> Result<Option<Problem>> {
    let exists = replacement.tenant == query.tenant()
        && store::load_objects(query, &[replacement.local])?
            .get(&replacement.local)
            .is_some_and(|row| row.kind != Kind::FormDefaults);
    Ok(if !exists {
        let problem = Problem::new(Code::NotFound, "must be the id of an object of this tenant");
        Some(problem.value(replacement.opaque()).under("replacement"))
    } else if replacement == object {
        Some(Problem::new(Code::SelfReference, "must be another object").under("replacement"))
    } else {
        None
    })
}
