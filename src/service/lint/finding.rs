//! Findings, and the selection of findings that a client wants.

use std::sync::Arc;

use super::place::LintPlace;
use crate::domain::{Code, Kind, Problem, words};
use crate::store::ObjectRow;

words! {
    "Severity";
    /// How serious a finding is.
    pub enum Severity {
        /// A rule is broken: saving this part of the object would be refused.
        Error = "ERROR",
        /// It looks wrong, but can be saved.
        Warning = "WARNING",
    }
}

/// Which findings a client wants.
#[derive(Clone, Debug, Default)]
pub struct Lint {
    /// Only those of this severity; `None` for all.
    pub severity: Option<Severity>,
    /// Only those with these codes; `None` for all.
    pub codes: Option<Vec<Code>>,
    /// Only those about objects of these kinds; `None` for all, including those about the tenant itself.
    pub kinds: Option<Vec<Kind>>,
}

impl Lint {
    pub(super) fn includes(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Whether expressions have to be tried at all.
    pub(super) fn tries_expressions(&self) -> bool {
        self.severity != Some(Severity::Error)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&Code::MatchesNothing))
    }

    pub(super) fn wants(&self, finding: &Finding) -> bool {
        self.severity.is_none_or(|severity| finding.severity == severity)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&finding.problem.code))
    }
}

/// An error or a warning in a tenant.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The object that it is about; `None` for the tenant itself.
    pub object: Option<Arc<ObjectRow>>,
    /// How serious it is.
    pub severity: Severity,
    /// The problem.
    pub problem: Problem,
    /// Its place among all findings of the tenant.
    pub place: LintPlace,
}

/// A page of findings.
#[derive(Debug)]
pub struct Findings {
    /// The findings in order.
    pub findings: Vec<Finding>,
    /// Whether there may be more findings.
    pub more: bool,
    /// Where the next page begins, if not right after the last finding.
    pub resume_at: Option<LintPlace>,
}
