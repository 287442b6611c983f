//! Conference rooms: several callers talk with each other.

use super::problems::required_when;
use super::{Detail, Numbered};
use crate::domain::{Amount, Id, Kind, Pin, Problem, Secret, kind};
use crate::form::section;

section! {
    "conference", "ConferenceInput";
    /// A conference room: all who call it talk with each other.
    pub struct Conference {
        /// The PIN, 4 to 10 digits, that participants are asked for. Write-only; answered as whether it is set.
        pub pin: Secret<Pin>,
        /// The PIN, 4 to 10 digits, that makes a participant the leader. Write-only; answered as whether it is set.
        pub admin_pin: Secret<Pin>,
        /// How many participants the room holds: 1 to 1000, 0 is unlimited.
        pub max_members: Amount<0, 1000>,
        /// What a participant hears who is alone or waits for the leader; null is the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether what is said is recorded.
        pub record: bool,
        /// Whether the others hear who comes and who goes.
        pub announce_join_leave: bool,
        /// Whether participants wait until the leader is there; needs `adminPin`.
        pub wait_for_leader: bool,
    }
}

impl Detail for Conference {
    const KIND: Kind = Kind::Conference;
    type Head = Numbered;
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
    use crate::objects::testing::{problems, sent};
    use serde_json::json;

    #[test]
    fn who_is_waited_for_can_be_told_from_others() {
        assert_eq!(problems::<Conference>(&json!({ "waitForLeader": true })), ["adminPin REQUIRED_WHEN"]);
        let pins = json!({ "waitForLeader": true, "pin": "5108", "adminPin": "9134" });
        assert_eq!(problems::<Conference>(&pins), [] as [&str; 0]);
        let weak = sent::<Conference>(&json!({ "pin": "1234", "adminPin": "12" })).unwrap_err();
        assert_eq!(weak, ["pin WEAK_PIN", "adminPin INVALID_FORMAT"]);
    }
}
