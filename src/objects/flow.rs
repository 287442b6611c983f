//! Flows: switches that send calls one way or another.

use super::{Detail, ExtensionState, Numbered};
use crate::domain::{Code, Id, Kind, Pin, Problem, Secret, kind};
use crate::form::{Destinations, section};

section! {
    "flow", "FlowInput";
    /// A flow: a switch with a number. It sends calls one way while it is on and another way while it is off.
    pub struct Flow {
        /// Whether the switch is on. Dialling its number toggles it, and the monitored extension sets it. Off by
        /// default.
        pub switched_on: bool,
        /// The PIN that a caller must enter to toggle the switch: 4 to 10 digits, neither one repeated digit nor a run
        /// such as 1234. Write-only: `pinSet` tells whether there is one.
        pub pin: Secret<Pin>,
        /// The extension, real or virtual, whose state sets the switch; null means that none does.
        pub monitored_extension_id: Option<Id<kind::AnyExtension>>,
        /// The state of the monitored extension that turns the switch on; any other state turns it off. `ONLINE` by
        /// default.
        pub monitored_state: ExtensionState,
        /// Where calls go while the switch is on, in order; at most 20.
        pub on_destinations: Destinations,
        /// Where calls go while the switch is off, in order; at most 20.
        pub off_destinations: Destinations,
    }
}

impl Detail for Flow {
    const KIND: Kind = Kind::Flow;
    type Common = Numbered;

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        if self.on_destinations == self.off_destinations {
            let rule = "has no effect: calls go the same way whether it is on or off";
            report(Problem::new(Code::NoEffect, rule).under("switchedOn"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{warnings, parsed};
    use serde_json::json;

    #[test]
    fn a_switch_without_effect_gets_a_warning() {
        let (night, day) = (json!([{ "hangup": "BUSY" }]), json!([{ "number": "110" }]));
        assert_eq!(warnings::<Flow>(&json!({})), ["switchedOn NO_EFFECT"]);
        assert_eq!(
            warnings::<Flow>(&json!({ "onDestinations": night, "offDestinations": night })),
            ["switchedOn NO_EFFECT"]
        );
        assert_eq!(warnings::<Flow>(&json!({ "onDestinations": night })), [] as [&str; 0]);
        assert_eq!(warnings::<Flow>(&json!({ "onDestinations": night, "offDestinations": day })), [] as [&str; 0]);
        assert!(!parsed::<Flow>(&json!({})).switched_on);
    }
}
