//! Problems that fields of several types share.

use crate::domain::{Code, Problem};

/// The problem of a stored value that does not have the shape of its field: this program did not write it.
pub(super) fn wrong_shape() -> Problem {
    Problem::new(Code::InvalidFormat, "is stored in a format that does not fit the field")
}

/// The problem of a list that is too long, if it is.
pub(super) fn too_many(length: usize, max: usize) -> Vec<Problem> {
    let problem = || Problem::new(Code::OutOfRange, format!("must have at most {max} entries")).value(length);
    if length > max { vec![problem()] } else { Vec::new() }
}
