//! How a problem is told.

use super::super::error::StoreError;

/// What is wrong at a place, in one line.
pub(super) fn problem(place: impl std::fmt::Display, error: StoreError) -> String {
    match error {
        StoreError::Corrupt(why) => format!("{place}: {why}"),
        other => format!("{place}: {other}"),
    }
}
