//! The bounds of numbers and times in the file.

use crate::domain::{Code, Counter, DateTime, Problem, Scalar as _};

pub(super) fn within(range: std::ops::RangeInclusive<i64>, value: i64, report: impl FnOnce(Problem)) {
    if !range.contains(&value) {
        let rule = format!("must be {} to {}", range.start(), range.end());
        report(Problem::new(Code::OutOfRange, rule).value(value));
    }
}

/// A counter is not negative, and can be counted on.
pub(super) fn counted(counter: Counter, least: i64, value: i64, report: impl FnOnce(Problem)) {
    within(least..=counter.max_imported(), value, report);
}

pub(super) fn moment(value: i64, report: impl FnOnce(Problem)) {
    if let Err(problem) = DateTime::load_untrusted(value.into()) {
        report(problem);
    }
}
