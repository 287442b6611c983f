//! Problems that objects of several kinds can have.

use crate::domain::{Code, Problem};

/// The problem of a value that another field asks for.
pub(super) fn required_when(why: &str) -> Problem {
    Problem::new(Code::RequiredWhen, format!("is required when {why}"))
}

/// Hands out the positions of entries whose key stands in the list before, each with its problem.
pub(super) fn duplicates<K: PartialEq>(keys: &[K], report: &mut dyn FnMut(usize, Problem)) {
    for i in (0..keys.len()).filter(|&i| keys[..i].contains(&keys[i])) {
        report(i, Problem::new(Code::Duplicate, "stands in the list twice"));
    }
}
