//! Call groups: calls that pickup groups may answer.

use super::{Detail, Named};
use crate::domain::{GroupNumber, Kind};
use crate::form::section;

section! {
    "call_group", "CallGroupInput";
    /// A call group. Calls that ring for its members may be answered by the pickup group with the same group number.
    pub struct CallGroup {
        /// The engine's number for the group: 0 to 63, 0 by default, unique among the tenant's call groups.
        pub group_number: GroupNumber,
    }
}

impl Detail for CallGroup {
    const KIND: Kind = Kind::CallGroup;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["group_number"]];
}
