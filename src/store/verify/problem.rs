//! The text of a problem.

use super::super::error::StoreError;

/// Describes an error and its place in one line.
pub(super) fn describe_problem(place: impl std::fmt::Display, error: StoreError) -> String {
    match error {
        StoreError::Corrupt(why) => format!("{place}: {why}"),
        other => format!("{place}: {other}"),
    }
}
