//! Providers: trunks that carry calls to and from the outside.

use super::problems::required_when;
use super::{Detail, Named};
use crate::domain::{Amount, DigitCount, Digits, Kind, PhoneNumber, Problem, Text, choice};
use crate::form::section;

section! {
    "provider", "ProviderInput";
    /// A provider: a trunk that carries calls to and from the outside.
    pub struct Provider {
        /// How the trunk is connected. `PJSIP` by default.
        pub technology: ProviderTechnology,
        /// The engine's name for the trunk, at most 80 characters. Required unless `status` is `DISABLED`.
        pub peer_name: Text<80>,
        /// Which calls use the trunk. `ENABLED` by default.
        pub status: ProviderStatus,
        /// Digits put in front of a dialled number, after `digitsToRemove` have been removed; at most 20.
        pub digits_to_add: Digits<20>,
        /// How many digits are removed from the start of a dialled number: 0 to 20, 0 by default.
        pub digits_to_remove: DigitCount,
        /// The number that people outside see instead of the extension's: 2 to 20 digits with an optional + in front;
        /// null keeps the extension's.
        pub caller_id_number: Option<PhoneNumber>,
        /// How many calls the trunk carries at once: 1 to 10000. While it is full, it is skipped. 0, the default, is no
        /// limit.
        pub max_channels: Amount<0, 10_000>,
        /// Orders trunks that are otherwise equal, lowest first: 0 to 1000, 0 by default.
        pub penalty: Amount<0, 1000>,
        /// Whether the next route is tried if the provider reports that the called number is busy. Off by default.
        pub ignore_busy: bool,
    }
}

choice! {
    /// How a trunk is connected.
    pub enum ProviderTechnology {
        /// As a PJSIP endpoint.
        Pjsip = "PJSIP",
        /// As a peer of the older SIP channel driver.
        Sip = "SIP",
        /// As an IAX2 peer.
        Iax2 = "IAX2",
        /// As a DAHDI group, for ISDN or analogue lines.
        Dahdi = "DAHDI",
        /// Through the engine's own local channel.
        Local = "LOCAL",
        /// Through a gateway for text messages.
        Sms = "SMS",
    }
}

choice! {
    /// Which calls use a trunk.
    pub enum ProviderStatus {
        /// Calls in both directions.
        Enabled = "ENABLED",
        /// No calls.
        Disabled = "DISABLED",
        /// Only calls from outside.
        InboundOnly = "INBOUND_ONLY",
    }
}

impl Detail for Provider {
    const KIND: Kind = Kind::Provider;
    type Common = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.peer_name.is_empty() && self.status != ProviderStatus::Disabled {
            report(required_when("status is not DISABLED").under("peerName"));
        }
    }
}
