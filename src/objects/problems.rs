//! Problems that objects of several kinds share.

use crate::domain::{Code, Problem};

/// The problem of a missing value that another field requires.
pub(super) fn required_when(why: &str) -> Problem {
    Problem::new(Code::RequiredWhen, format!("is required when {why}"))
}

/// Reports the position of each entry whose key already occurred in the list, with its problem.
pub(super) fn duplicates<K: PartialEq>(keys: &[K], report: &mut dyn FnMut(usize, Problem)) {
    for i in (0..keys.len()).filter(|&i| keys[..i].contains(&keys[i])) {
        report(i, Problem::new(Code::Duplicate, "is in the list twice"));
    }
}
