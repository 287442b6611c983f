//! Problems that fields of several types can have.

use crate::domain::{Code, Problem};

/// The problem of a stored value whose shape is not the field's: the file was not written by this program.
pub(super) fn misplaced() -> Problem {
    Problem::new(Code::InvalidFormat, "is stored in a form that this field does not have")
}

/// The problem of a list that is too long, if it is.
pub(super) fn too_many(length: usize, max: usize) -> Vec<Problem> {
    let problem = || Problem::new(Code::OutOfRange, format!("must have at most {max} entries")).value(length);
    if length > max { vec![problem()] } else { Vec::new() }
}
