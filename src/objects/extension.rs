//! Real extensions: the devices that ring.

use super::problems::required_when;
use super::{Detail, Numbered};
use crate::domain::{Kind, PhoneNumber, Problem, Text, choice};
use crate::form::section;

section! {
    "extension", "ExtensionInput";
    /// A real extension: the device that rings for a virtual one.
    pub struct Extension {
        /// How the device is connected.
        pub technology: ExtensionTechnology,
        /// The name under which the device registers, at most 80 characters; needed unless the technology is CUSTOM.
        pub peer_name: Text<80>,
        /// What the engine dials, at most 255 characters; needed in technology CUSTOM and unused in the others.
        pub dial_string: Option<Text<255>>,
        /// The device's own Do Not Disturb: it is passed over when the virtual extension rings.
        pub dnd: bool,
        /// The number that the device itself shows outside: 2 to 20 digits with an optional + in front; null is the tenant's.
        pub external_caller_id_number: Option<PhoneNumber>,
    }
}

choice! {
    /// How a device is connected.
    pub enum ExtensionTechnology {
        /// A PJSIP endpoint.
        Pjsip = "PJSIP",
        /// A peer of the old SIP channel.
        Sip = "SIP",
        /// Whatever the dial string says.
        Custom = "CUSTOM",
    }
}

impl Detail for Extension {
    const KIND: Kind = Kind::Extension;
    type Head = Numbered;
    const NEEDS_NUMBER: bool = true;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.technology != ExtensionTechnology::Custom {
            if self.peer_name.is_empty() {
                report(required_when("technology is SIP or PJSIP").under("peerName"));
            }
        } else if self.dial_string.as_ref().is_none_or(Text::is_empty) {
            report(required_when("technology is CUSTOM").under("dialString"));
        }
    }
}
