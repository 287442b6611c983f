//! Call groups: who is ringing.

use super::{Detail, Named};
use crate::domain::{GroupNumber, Kind};
use crate::form::section;

section! {
    "call_group", "CallGroupInput";
    /// A call group: calls that ring a member may be picked up by those whose pickup groups have the same group number.
    pub struct CallGroup {
        /// The engine's number of the group: 0 to 63, unique among the tenant's call groups.
        pub group_number: GroupNumber,
    }
}

impl Detail for CallGroup {
    const KIND: Kind = Kind::CallGroup;
    type Head = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["group_number"]];
}
