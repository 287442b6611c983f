//! The results of checks: a row for each.

use std::time::Duration;

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestVerdict {
    /// As expected.
    Ok,
    /// Not as expected.
    Failed,
    /// The check could not be made.
    Skipped,
    /// Possibly intended; the operator should decide.
    Noted,
}

impl TestVerdict {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            TestVerdict::Ok => "ok",
            TestVerdict::Failed => "FAIL",
            TestVerdict::Skipped => "skip",
            TestVerdict::Noted => "note",
        }
    }
}

/// A row of the table.
#[derive(Clone, Debug)]
pub struct ReportRow {
    /// The group of the check.
    pub group: &'static str,
    /// The name of the check.
    pub check: &'static str,
    /// The expected result.
    pub expected: &'static str,
    /// The actual result, in one line.
    pub found: String,
    /// Whether the two agree.
    pub verdict: TestVerdict,
    /// How long it took.
    pub took: Duration,
}

/// Why a check is not passed, and what was found.
#[derive(Debug)]
pub(super) struct NotPassed {
    pub(super) verdict: TestVerdict,
    pub(super) found: String,
}

/// What was found if the check is passed, or else the verdict.
pub(super) type CheckResult<T = String> = Result<T, NotPassed>;

pub(super) fn failed(found: impl Into<String>) -> NotPassed {
    NotPassed { verdict: TestVerdict::Failed, found: found.into() }
}

pub(super) fn skipped(found: impl Into<String>) -> NotPassed {
    NotPassed { verdict: TestVerdict::Skipped, found: found.into() }
}

pub(super) fn noted(found: impl Into<String>) -> NotPassed {
    NotPassed { verdict: TestVerdict::Noted, found: found.into() }
}

/// Shortens a server's text to one line that is safe to print, without control characters.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 100;
    let mut letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut line: String = letters.by_ref().take(LONGEST).collect();
    if letters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_short_and_has_no_control_characters() {
        assert_eq!(one_line("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(one_line(&"é".repeat(101)).chars().count(), 101);
    }
}
