//! Findings, and which of them are asked for.

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

/// Which findings are asked for.
#[derive(Clone, Debug, Default)]
pub struct Lint {
    /// Only those of this severity; `None` is all.
    pub severity: Option<Severity>,
    /// Only those with these codes; `None` is all.
    pub codes: Option<Vec<Code>>,
    /// Only those about objects of these kinds; `None` is all, and the tenant itself.
    pub kinds: Option<Vec<Kind>>,
}

impl Lint {
    pub(super) fn asks_for(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Whether expressions are tried at all.
    pub(super) fn tries(&self) -> bool {
        self.severity != Some(Severity::Error)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&Code::MatchesNothing))
    }

    pub(super) fn wants(&self, finding: &Finding) -> bool {
        self.severity.is_none_or(|severity| finding.severity == severity)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&finding.problem.code))
    }
}

/// Something that is wrong, or looks wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is about; `None` for the tenant itself.
    pub object: Option<Arc<ObjectRow>>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub problem: Problem,
    /// Where it stands among all of the tenant's.
    pub place: LintPlace,
}

/// A page of findings.
#[derive(Debug)]
pub struct Findings {
    /// The findings in order.
    pub findings: Vec<Finding>,
    /// Whether there may be more behind them.
    pub more: bool,
    /// Where the next page begins, when that is not right behind the last finding.
    pub goes_on: Option<LintPlace>,
}
