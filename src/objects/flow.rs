//! Flows: named switches that send calls one way or the other.

use super::{Detail, ExtensionState, Numbered};
use crate::domain::{Code, Id, Kind, Pin, Problem, Secret, kind};
use crate::form::{Destinations, section};

section! {
    "flow", "FlowInput";
    /// A flow: a named switch that sends calls one way while it is on, and another way while it is off.
    pub struct Flow {
        /// Whether it is on. Who dials its number turns it the other way; so does the monitored extension.
        pub switched_on: bool,
        /// The PIN, 4 to 10 digits, that is asked before it is turned. Write-only; answered as whether it is set.
        pub pin: Secret<Pin>,
        /// The extension, real or virtual, whose state turns it on and off.
        pub monitored_extension_id: Option<Id<kind::AnyExtension>>,
        /// The state of the monitored extension that turns it on; any other turns it off.
        pub monitored_state: ExtensionState,
        /// Where a call goes while it is on, in order.
        pub on_destinations: Destinations,
        /// Where a call goes while it is off, in order.
        pub off_destinations: Destinations,
    }
}

impl Detail for Flow {
    const KIND: Kind = Kind::Flow;
    type Head = Numbered;

    fn doubts(&self, report: &mut dyn FnMut(Problem)) {
        if self.on_destinations == self.off_destinations {
            let rule = "has no effect: calls go the same way whether it is on or off";
            report(Problem::new(Code::NoEffect, rule).under("switchedOn"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{doubted, made};
    use serde_json::json;

    #[test]
    fn a_switch_should_make_a_difference() {
        let (night, day) = (json!([{ "hangup": "BUSY" }]), json!([{ "number": "110" }]));
        assert_eq!(doubted::<Flow>(&json!({})), ["switchedOn NO_EFFECT"]);
        assert_eq!(
            doubted::<Flow>(&json!({ "onDestinations": night, "offDestinations": night })),
            ["switchedOn NO_EFFECT"]
        );
        assert_eq!(doubted::<Flow>(&json!({ "onDestinations": night })), [] as [&str; 0]);
        assert_eq!(doubted::<Flow>(&json!({ "onDestinations": night, "offDestinations": day })), [] as [&str; 0]);
        assert!(!made::<Flow>(&json!({})).switched_on);
    }
}
