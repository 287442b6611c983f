//! Details for the tests of the kinds' rules, made of what a client would send.

use super::Detail;
use crate::domain::{ObjectId, Problem, TenantId};
use crate::form::{self, Info};

/// An opaque id.
pub(super) fn id(local: i64) -> String {
    ObjectId { tenant: TenantId(1), local }.opaque()
}

fn said(problem: &Problem) -> String {
    format!("{} {}", problem.path.join("."), problem.code.word())
}

/// A detail as a client sends it, or what is wrong with its values: `path CODE`.
pub(super) fn sent<D: Detail>(json: &serde_json::Value) -> Result<D, Vec<String>> {
    let info: &Info = D::info_of();
    let patch = info.read(json).unwrap_or_else(|field| panic!("there is no field {field}"));
    let mut problems = Vec::new();
    form::build(&patch, &mut |problem| problems.push(said(&problem))).ok_or(problems)
}

/// A detail whose values are right.
pub(super) fn made<D: Detail>(json: &serde_json::Value) -> D {
    sent(json).unwrap_or_else(|problems| panic!("{json}: {problems:?}"))
}

/// The rules between fields that a detail breaks.
pub(super) fn problems<D: Detail>(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    made::<D>(json).check(&mut |problem| found.push(said(&problem)));
    found
}

/// What looks wrong with a detail.
pub(super) fn doubted<D: Detail>(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    made::<D>(json).doubts(&mut |problem| found.push(said(&problem)));
    found
}
