//! Outside numbers (DIDs) that reach the tenant.

use super::Detail;
use crate::domain::{Amount, Kind, PhoneNumber, Text};
use crate::form::{Destinations, section};

section! {
    "did", DidInput, searched: phone_number;
    /// An outside number (DID) that reaches the tenant.
    #[graphql(name = "DidDetail")]
    pub struct Did {
        /// The number: 2 to 20 digits with an optional + in front, unique among the tenant's outside numbers.
        pub phone_number: PhoneNumber,
        /// The country that it belongs to, at most 40 characters.
        pub country: Text<40>,
        /// The area that it belongs to, at most 80 characters.
        pub area: Text<80>,
        /// A note for administrators, at most 255 characters.
        pub remark: Text<255>,
        /// How many calls it takes at once: 1 to 10000, 0 is unlimited.
        pub max_channels: Amount<0, 10_000>,
        /// Whether emergency services may be called with, and may call back, this number.
        pub emergency: bool,
        /// Where a call to it goes, in order.
        pub destinations: Destinations,
    }
}

impl Detail for Did {
    const KIND: Kind = Kind::Did;
}
