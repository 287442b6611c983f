//! Checks that numbers and times in the file are within their bounds.

use crate::domain::{Code, Counter, DateTime, Problem, Scalar as _};

pub(super) fn check_range(range: std::ops::RangeInclusive<i64>, value: i64, report: impl FnOnce(Problem)) {
    if !range.contains(&value) {
        let rule = format!("must be {} to {}", range.start(), range.end());
        report(Problem::new(Code::OutOfRange, rule).value(value));
    }
}

/// Checks that a counter is at least `least`, and leaves room to count on.
pub(super) fn check_counter(counter: Counter, least: i64, value: i64, report: impl FnOnce(Problem)) {
    check_range(least..=counter.max_imported(), value, report);
}

pub(super) fn check_time(value: i64, report: impl FnOnce(Problem)) {
    if let Err(problem) = DateTime::load_untrusted(value.into()) {
        report(problem);
    }
}
