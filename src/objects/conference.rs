//! Conference rooms: several callers talk to each other.

use super::problems::required_when;
use super::{Detail, Numbered};
use crate::domain::{Amount, Id, Kind, Pin, Problem, Secret, kind};
use crate::form::section;

section! {
    "conference", "ConferenceInput";
    /// A conference room: everyone who calls it can talk to everyone else in it.
    pub struct Conference {
        /// The PIN that participants must enter: 4 to 10 digits, neither one repeated digit nor a run such as 1234.
        /// Write-only: `pinSet` tells whether there is one.
        pub pin: Secret<Pin>,
        /// The PIN that makes a participant the leader: 4 to 10 digits, neither one repeated digit nor a run such as
        /// 1234. Write-only: `adminPinSet` tells whether there is one.
        pub admin_pin: Secret<Pin>,
        /// How many participants the room holds: 1 to 1000. 0, the default, is no limit.
        pub max_members: Amount<0, 1000>,
        /// The music that a participant hears while alone or waiting for the leader; null uses the tenant's default
        /// class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether the conference is recorded. Off by default.
        pub record: bool,
        /// Whether an announcement plays when somebody joins or leaves. Off by default.
        pub announce_join_leave: bool,
        /// Whether participants wait until the leader has joined; requires `adminPin`. Off by default.
        pub wait_for_leader: bool,
    }
}

impl Detail for Conference {
    const KIND: Kind = Kind::Conference;
    type Common = Numbered;
    const NEEDS_NUMBER: bool = true;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        // Otherwise nobody could ever be the leader.
        if self.wait_for_leader && !self.admin_pin.is_set() {
            report(required_when("waitForLeader is on").under("adminPin"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{problems, parse};
    use serde_json::json;

    #[test]
    fn a_leader_needs_a_pin() {
        assert_eq!(problems::<Conference>(&json!({ "waitForLeader": true })), ["adminPin REQUIRED_WHEN"]);
        let pins = json!({ "waitForLeader": true, "pin": "5108", "adminPin": "9134" });
        assert_eq!(problems::<Conference>(&pins), [] as [&str; 0]);
        let weak = parse::<Conference>(&json!({ "pin": "1234", "adminPin": "12" })).unwrap_err();
        assert_eq!(weak, ["pin WEAK_PIN", "adminPin INVALID_FORMAT"]);
    }
}
