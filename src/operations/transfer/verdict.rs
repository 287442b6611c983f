//! What is wrong with a file, as far as anybody reads it: nothing here grows with the file.

use std::collections::HashSet;

use super::{LineProblem, TransferError};
use crate::domain::Problem;

/// The most problems that are told.
pub(super) const MOST_PROBLEMS: usize = 200;
/// The most objects and sections that are remembered as refused.
const MOST_REFUSED: usize = 10_000;
/// The most characters of a part of a problem, and the most steps of its path. A line may be one long name.
const MOST_SHOWN: usize = 400;
const MOST_STEPS: usize = 16;

/// What is wrong, and what was refused and is therefore not reported as missing.
#[derive(Debug, Default)]
pub(super) struct ImportVerdict {
    problems: Vec<LineProblem>,
    /// How many of them were found line by line.
    of_lines: Option<usize>,
    /// Objects by id, with an empty text, and their sections by name.
    refused: HashSet<(i64, String)>,
}

impl ImportVerdict {
    /// Adds a problem, unless enough are known.
    pub(super) fn add(&mut self, line: u64, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(LineProblem { line, problem: shortened(problem) });
        }
    }

    /// Notes that the lines are read: what is found from now on may only follow from what was found before, such as an
    /// object that is missing because its line was refused, and is told behind it.
    pub(super) fn lines_are_read(&mut self) {
        self.of_lines = Some(self.problems.len());
    }

    /// Notes what was refused: an object with an empty text, or one of its sections.
    pub(super) fn refuse(&mut self, what: Option<(i64, String)>) {
        if self.refused.len() < MOST_REFUSED {
            self.refused.extend(what);
        }
    }

    pub(super) fn extend(&mut self, other: ImportVerdict) {
        other.problems.into_iter().for_each(|LineProblem { line, problem }| self.add(line, problem));
        other.refused.into_iter().for_each(|what| self.refuse(Some(what)));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether so much is wrong that reading on would tell nobody more.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST_PROBLEMS || self.refused.len() >= MOST_REFUSED
    }

    /// Whether this object, or this section of it, was refused.
    pub(super) fn has_refused(&self, object: i64, name: &str) -> bool {
        self.refused.contains(&(object, name.to_owned()))
    }

    /// The objects that were refused.
    pub(super) fn broken(&self) -> HashSet<i64> {
        self.refused.iter().filter(|(_, name)| name.is_empty()).map(|(object, _)| *object).collect()
    }

    /// What to answer, in the order of the lines and then of the whole file; `stopped` is the line behind which nothing was read.
    pub(super) fn told(mut self, stopped: Option<u64>) -> TransferError {
        let of_lines = self.of_lines.unwrap_or(self.problems.len());
        let (of_lines, of_all) = self.problems.split_at_mut(of_lines);
        of_lines.sort_by_key(|found| found.line);
        of_all.sort_by_key(|found| found.line);
        TransferError::Problems { found: self.problems, stopped }
    }
}

fn shortened(problem: Problem) -> Problem {
    let short = |text: String| match text.char_indices().nth(MOST_SHOWN) {
        // A copy: what is cut off must not stay in memory.
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let Problem { mut path, rule, value, suggestion, .. } = problem;
    path.truncate(MOST_STEPS);
    let path = path.into_iter().map(short).collect();
    Problem { path, rule: short(rule), value: value.map(short), suggestion: suggestion.map(short), ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn it_does_not_grow_with_the_file() {
        let mut verdict = ImportVerdict::default();
        assert!(verdict.is_empty() && !verdict.is_full());
        for line in 1..100_000 {
            let long = "é".repeat(3 * MOST_SHOWN);
            let problem = Problem::new(Code::NotFound, long.clone()).value(&long).under(&long);
            verdict.add(line, (0..100).fold(problem, Problem::under));
            if verdict.is_full() {
                break;
            }
        }
        verdict.lines_are_read();
        verdict.add(0, Problem::new(Code::NotFound, "one more"));
        let TransferError::Problems { found, stopped: Some(7) } = verdict.told(Some(7)) else { panic!() };
        assert_eq!((found.len(), found[0].line, found[MOST_PROBLEMS - 1].line), (MOST_PROBLEMS, 1, 200));
        let Problem { path, rule, value, .. } = &found[0].problem;
        assert_eq!((path.len(), rule.chars().count()), (MOST_STEPS, MOST_SHOWN + 1));
        assert!(value.as_ref().is_some_and(|value| value.ends_with('…')));

        let mut verdict = ImportVerdict::default();
        for (line, read) in [(7, false), (3, false), (1, true)] {
            if read {
                verdict.lines_are_read();
            }
            verdict.add(line, Problem::new(Code::NotFound, "is missing"));
        }
        let TransferError::Problems { found, stopped: None } = verdict.told(None) else { panic!() };
        assert_eq!(found.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 7, 1]);

        let mut verdict = ImportVerdict::default();
        for object in 0..=MOST_REFUSED as i64 {
            verdict.refuse(Some((object, String::new())));
        }
        assert!(verdict.is_full() && verdict.has_refused(7, "") && !verdict.has_refused(7, "note"));
        assert_eq!(verdict.broken().len(), MOST_REFUSED);
    }
}
