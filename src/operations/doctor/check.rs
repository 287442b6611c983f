//! What a check has found.

use std::fmt;

/// What came out of a check.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum DoctorVerdict {
    /// All is well.
    Ok,
    /// It could not be looked at, because of something else.
    Skip,
    /// It works, and should be changed even so.
    Warn,
    /// It does not work, or not for long, or lets in whom it must not.
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

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct DoctorCheck {
    /// What was looked at, in one word.
    pub name: &'static str,
    /// The worst that was found.
    pub verdict: DoctorVerdict,
    /// What was found and, where it is not well, what to do.
    pub said: Vec<String>,
    /// Each thing that is wrong, where there may be many.
    pub details: Vec<String>,
}

impl DoctorCheck {
    /// A check that has found nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, verdict: DoctorVerdict::Ok, said: Vec::new(), details: Vec::new() }
    }

    /// Something else keeps it from being looked at.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { verdict: DoctorVerdict::Skip, said: vec![why.into()], ..Self::new(name) }
    }

    /// A check that has found this at once.
    pub fn failed(name: &'static str, why: impl Into<String>) -> Self {
        let mut check = Self::new(name);
        check.fail(why);
        check
    }

    /// It does not work.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.found(DoctorVerdict::Fail, why.into());
    }

    /// It works, and should be changed.
    pub fn warn(&mut self, why: impl Into<String>) {
        self.found(DoctorVerdict::Warn, why.into());
    }

    fn found(&mut self, verdict: DoctorVerdict, why: String) {
        self.verdict = self.verdict.max(verdict);
        self.said.push(why);
    }

    /// The check, with what it says when nothing was wrong.
    #[must_use]
    pub fn or(mut self, well: impl Into<String>) -> Self {
        if self.said.is_empty() {
            self.said.push(well.into());
        }
        self
    }
}
