//! Collects the problems of a file, up to a limit, so that memory does not grow with the file.

use std::collections::HashSet;

use super::{LineProblem, TransferError};
use crate::domain::Problem;

/// The maximum number of problems that are reported.
pub(super) const MAX_PROBLEMS: usize = 200;
/// The maximum number of objects and sections that are remembered as refused.
const MAX_REFUSED: usize = 10_000;
/// The maximum number of characters in each part of a problem, and of steps in its path. A line may be one long name.
const MAX_SHOWN: usize = 400;
const MAX_STEPS: usize = 16;

/// The problems of a file, and the objects and sections that were refused and so are not reported as missing.
#[derive(Debug, Default)]
pub(super) struct ImportProblems {
    problems: Vec<LineProblem>,
    /// How many of the problems were found line by line, once all lines are read.
    line_count: Option<usize>,
    /// Objects, by id and an empty name, and their sections, by id and name.
    refused: HashSet<(i64, String)>,
}

impl ImportProblems {
    /// Adds a problem, unless the maximum is reached.
    pub(super) fn add(&mut self, line: u64, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(LineProblem { line, problem: shortened(problem) });
        }
    }

    /// Notes that all lines are read. Later problems may only be consequences of earlier ones, such as an object that
    /// is missing because its line was refused, and so are reported after them.
    pub(super) fn end_of_lines(&mut self) {
        self.line_count = Some(self.problems.len());
    }

    /// Notes what was refused: an object, with an empty name, or one of its sections.
    pub(super) fn refuse(&mut self, target: Option<(i64, String)>) {
        if self.refused.len() < MAX_REFUSED {
            self.refused.extend(target);
        }
    }

    pub(super) fn extend(&mut self, other: ImportProblems) {
        other.problems.into_iter().for_each(|LineProblem { line, problem }| self.add(line, problem));
        other.refused.into_iter().for_each(|target| self.refuse(Some(target)));
    }

    /// Whether there are no problems so far.
    pub(super) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether a limit is reached, so that reading on would add nothing.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS || self.refused.len() >= MAX_REFUSED
    }

    /// Whether this object, or this section of it, was refused.
    pub(super) fn is_refused(&self, object: i64, name: &str) -> bool {
        self.refused.contains(&(object, name.to_owned()))
    }

    /// The objects that were refused.
    pub(super) fn refused_objects(&self) -> HashSet<i64> {
        self.refused.iter().filter(|(_, name)| name.is_empty()).map(|(object, _)| *object).collect()
    }

    /// The error to return: problems of lines in their order, then those of the whole file. `stopped` is the line after
    /// which nothing was read.
    pub(super) fn into_error(mut self, stopped: Option<u64>) -> TransferError {
        let line_count = self.line_count.unwrap_or(self.problems.len());
        let (of_lines, of_file) = self.problems.split_at_mut(line_count);
        of_lines.sort_by_key(|found| found.line);
        of_file.sort_by_key(|found| found.line);
        TransferError::Problems { found: self.problems, stopped }
    }
}

fn shortened(problem: Problem) -> Problem {
    let short = |text: String| match text.char_indices().nth(MAX_SHOWN) {
        // A copy, so that the part cut off does not stay in memory.
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    let Problem { mut path, rule, value, suggestion, .. } = problem;
    path.truncate(MAX_STEPS);
    let path = path.into_iter().map(short).collect();
    Problem { path, rule: short(rule), value: value.map(short), suggestion: suggestion.map(short), ..problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    #[test]
    fn problems_do_not_grow_with_the_file() {
        let mut problems = ImportProblems::default();
        assert!(problems.is_empty() && !problems.is_full());
        for line in 1..100_000 {
            let long = "é".repeat(3 * MAX_SHOWN);
            let problem = Problem::new(Code::NotFound, long.clone()).value(&long).under(&long);
            problems.add(line, (0..100).fold(problem, Problem::under));
            if problems.is_full() {
                break;
            }
        }
        problems.end_of_lines();
        problems.add(0, Problem::new(Code::NotFound, "one more"));
        let TransferError::Problems { found, stopped: Some(7) } = problems.into_error(Some(7)) else { panic!() };
        assert_eq!((found.len(), found[0].line, found[MAX_PROBLEMS - 1].line), (MAX_PROBLEMS, 1, 200));
        let Problem { path, rule, value, .. } = &found[0].problem;
        assert_eq!((path.len(), rule.chars().count()), (MAX_STEPS, MAX_SHOWN + 1));
        assert!(value.as_ref().is_some_and(|value| value.ends_with('…')));

        let mut problems = ImportProblems::default();
        for (line, read) in [(7, false), (3, false), (1, true)] {
            if read {
                problems.end_of_lines();
            }
            problems.add(line, Problem::new(Code::NotFound, "is missing"));
        }
        let TransferError::Problems { found, stopped: None } = problems.into_error(None) else { panic!() };
        assert_eq!(found.iter().map(|problem| problem.line).collect::<Vec<_>>(), [3, 7, 1]);

        let mut problems = ImportProblems::default();
        for object in 0..=MAX_REFUSED as i64 {
            problems.refuse(Some((object, String::new())));
        }
        assert!(problems.is_full() && problems.is_refused(7, "") && !problems.is_refused(7, "note"));
        assert_eq!(problems.refused_objects().len(), MAX_REFUSED);
    }
}
