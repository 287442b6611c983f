//! Short numbers: they stand for longer ones.

use super::{Detail, Numbered};
use crate::domain::{DialNumber, Kind};
use crate::form::section;

section! {
    "short_number", "ShortNumberInput";
    /// A short number: who dials it is connected with another number.
    pub struct ShortNumber {
        /// The number that is dialled instead, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in front.
        pub destination: DialNumber,
    }
}

impl Detail for ShortNumber {
    const KIND: Kind = Kind::ShortNumber;
    type Head = Numbered;
    const NEEDS_NUMBER: bool = true;
}
