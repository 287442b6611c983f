//! The result of a check.

use std::fmt;

/// The verdict of a check.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DoctorVerdict {
    /// Nothing is wrong.
    Ok,
    /// It could not be checked because of another problem.
    Skip,
    /// It works but should be changed.
    Warn,
    /// It does not work, will soon stop working, or gives access to people who must not have it.
    Fail,
}

impl fmt::Display for DoctorVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// A check and its result.
#[derive(Clone, Debug)]
pub struct DoctorCheck {
    /// What was checked, in one word.
    pub name: &'static str,
    /// The worst verdict found.
    pub verdict: DoctorVerdict,
    /// What was found and, if it is a problem, what to do.
    pub messages: Vec<String>,
    /// The single problems, if there can be many.
    pub details: Vec<String>,
}

impl DoctorCheck {
    /// A check that has found nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, verdict: DoctorVerdict::Ok, messages: Vec::new(), details: Vec::new() }
    }

    /// A check that could not run because of another problem.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { verdict: DoctorVerdict::Skip, messages: vec![why.into()], ..Self::new(name) }
    }

    /// A check that failed for one reason.
    pub fn failed(name: &'static str, why: impl Into<String>) -> Self {
        let mut check = Self::new(name);
        check.fail(why);
        check
    }

    /// Adds a failure.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.add(DoctorVerdict::Fail, why.into());
    }

    /// Adds a warning.
    pub fn warn(&mut self, why: impl Into<String>) {
        self.add(DoctorVerdict::Warn, why.into());
    }

    fn add(&mut self, verdict: DoctorVerdict, why: String) {
        self.verdict = self.verdict.max(verdict);
        self.messages.push(why);
    }

    /// The check, with this message if nothing was found.
    #[must_use]
    pub fn or_ok(mut self, message: impl Into<String>) -> Self {
        if self.messages.is_empty() {
            self.messages.push(message.into());
        }
        self
    }
}
