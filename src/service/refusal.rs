//! Reasons to refuse a change whatever it does: missing permissions, an unknown id, or an outdated version.

use super::viewer::Viewer;
use crate::domain::{Code, Kind, Problem, TenantId};
use crate::store::{self, ObjectRow, Query, Result};

/// The reason why a viewer may not change objects of a tenant, if there is one. A tenant that the viewer cannot see
/// gets the same answer as one that does not exist.
pub(super) fn refusal(viewer: &Viewer, tenant: TenantId, kind: Kind) -> Option<Problem> {
    if !viewer.write {
        return Some(Problem::new(Code::Forbidden, "needs a token with the scope write"));
    }
    (!viewer.sees(tenant)).then(|| not_found(kind))
}

/// The answer for an id that is not the id of an object of this kind in a tenant that the viewer can see.
pub(super) fn not_found(kind: Kind) -> Problem {
    Problem { value: None, ..Problem::not_found(&[kind], "") }.under("id")
}

/// One problem for the version, and one for each field that has changed since then.
pub(super) fn conflict(query: &mut Query<'_>, row: &ObjectRow, expected: i64) -> Result<Vec<Problem>> {
    let fields = store::fields_changed_since(query, row.id.local, expected)?;
    let names = fields.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ");
    let since = if fields.is_empty() { String::new() } else { format!("; changed since: {names}") };
    let rule = format!("is not the saved version, which is {}{since}", row.version);
    let version = Problem::new(Code::Conflict, rule).value(expected).under("expectedVersion");
    let field = |(path, actor): &(String, String)| {
        let problem = Problem::new(Code::Conflict, format!("was changed by {actor} since version {expected}"));
        Problem { path: path.split('.').map(str::to_owned).collect(), ..problem }
    };
    Ok(std::iter::once(version).chain(fields.iter().map(field)).collect())
}
