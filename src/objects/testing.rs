//! Builds details from input like a client's, for the tests of the rules of each kind.

use super::Detail;
use crate::domain::{ObjectId, Problem, TenantId};
use crate::form::{self, SectionInfo};

/// An opaque id.
pub(super) fn id(local: i64) -> String {
    ObjectId { tenant: TenantId(1), local }.opaque()
}

fn describe(problem: &Problem) -> String {
    format!("{} {}", problem.path.join("."), problem.code.word())
}

/// Parses a detail; the errors are problems with its values as `path CODE`.
pub(super) fn parse<D: Detail>(json: &serde_json::Value) -> Result<D, Vec<String>> {
    let info: &SectionInfo = D::section_info();
    let patch = info.read(json).unwrap_or_else(|field| panic!("there is no field {field}"));
    let mut problems = Vec::new();
    form::build(&patch, &mut |problem| problems.push(describe(&problem))).ok_or(problems)
}

/// Parses a detail whose values are valid.
pub(super) fn parsed<D: Detail>(json: &serde_json::Value) -> D {
    parse(json).unwrap_or_else(|problems| panic!("{json}: {problems:?}"))
}

/// The rules between fields that a detail breaks, as `path CODE`.
pub(super) fn problems<D: Detail>(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    parsed::<D>(json).check(&mut |problem| found.push(describe(&problem)));
    found
}

/// The warnings about a detail, as `path CODE`.
pub(super) fn warnings<D: Detail>(json: &serde_json::Value) -> Vec<String> {
    let mut found = Vec::new();
    parsed::<D>(json).check_warnings(&mut |problem| found.push(describe(&problem)));
    found
}
