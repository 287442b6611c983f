//! Pickup groups: extensions that may answer the calls of a call group.

use super::{Detail, Named};
use crate::domain::{GroupNumber, Kind};
use crate::form::section;

section! {
    "pickup_group", "PickupGroupInput";
    /// A pickup group. Its members may answer calls that ring in the call group with the same group number.
    pub struct PickupGroup {
        /// The engine's number for the group: 0 to 63, 0 by default, unique among the tenant's pickup groups.
        pub group_number: GroupNumber,
    }
}

impl Detail for PickupGroup {
    const KIND: Kind = Kind::PickupGroup;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["group_number"]];
}
