//! Short numbers: they dial another, usually longer number.

use super::{Detail, Numbered};
use crate::domain::{DialNumber, Kind};
use crate::form::section;

section! {
    "short_number", "ShortNumberInput";
    /// A short number: whoever dials it is connected to another, usually longer number.
    pub struct ShortNumber {
        /// The number that is dialled instead, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in
        /// front. Required.
        pub destination: DialNumber,
    }
}

impl Detail for ShortNumber {
    const KIND: Kind = Kind::ShortNumber;
    type Common = Numbered;
    const NEEDS_NUMBER: bool = true;
}
