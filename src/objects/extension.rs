//! Real extensions: the devices that ring.

use super::problems::required_when;
use super::{Detail, Numbered};
use crate::domain::{Kind, PhoneNumber, Problem, Text, choice};
use crate::form::section;

section! {
    "extension", "ExtensionInput";
    /// A real extension: a device that rings for virtual extensions.
    pub struct Extension {
        /// How the device is connected. `PJSIP` by default.
        pub technology: ExtensionTechnology,
        /// The name under which the device registers, at most 80 characters. Required unless `technology` is `CUSTOM`.
        pub peer_name: Text<80>,
        /// What the engine dials, at most 255 characters. Required if `technology` is `CUSTOM`, unused otherwise.
        pub dial_string: Option<Text<255>>,
        /// The device's own Do Not Disturb: it is skipped when a virtual extension rings. Off by default.
        pub dnd: bool,
        /// The number that people outside see when the device calls: 2 to 20 digits with an optional + in front; null
        /// uses the tenant's.
        pub external_caller_id_number: Option<PhoneNumber>,
    }
}

choice! {
    /// How a device is connected.
    pub enum ExtensionTechnology {
        /// As a PJSIP endpoint.
        Pjsip = "PJSIP",
        /// As a peer of the older SIP channel driver.
        Sip = "SIP",
        /// In the way that its dial string describes.
        Custom = "CUSTOM",
    }
}

impl Detail for Extension {
    const KIND: Kind = Kind::Extension;
    type Common = Numbered;
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
