//! What is found out: a row for each check.

use std::time::Duration;

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TestVerdict {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Failed,
    /// Not judged.
    Skipped,
    /// For the operator to judge: it may be meant.
    Noted,
}

impl TestVerdict {
    /// The word of the table.
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
    /// Which part of the door.
    pub group: &'static str,
    /// What is tried.
    pub check: &'static str,
    /// What should come of it.
    pub expected: &'static str,
    /// What came of it; one line.
    pub seen: String,
    /// How they compare.
    pub verdict: TestVerdict,
    /// How long it took.
    pub took: Duration,
}

/// Why a check is not passed, and what was seen.
#[derive(Debug)]
pub(super) struct Other {
    pub(super) verdict: TestVerdict,
    pub(super) seen: String,
}

/// What was seen where it is as it should be, or else the verdict.
pub(super) type Judged<T = String> = Result<T, Other>;

pub(super) fn failed(seen: impl Into<String>) -> Other {
    Other { verdict: TestVerdict::Failed, seen: seen.into() }
}

pub(super) fn skipped(seen: impl Into<String>) -> Other {
    Other { verdict: TestVerdict::Skipped, seen: seen.into() }
}

pub(super) fn noted(seen: impl Into<String>) -> Other {
    Other { verdict: TestVerdict::Noted, seen: seen.into() }
}

/// What a server said, as it can be shown: one line, not long, without characters that a terminal obeys.
pub(super) fn shown(text: &str) -> String {
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
    fn what_is_shown_is_a_short_line() {
        assert_eq!(shown("a\n\u{1b}[31mb"), "a  [31mb");
        assert_eq!(shown(&"é".repeat(101)).chars().count(), 101);
    }
}
