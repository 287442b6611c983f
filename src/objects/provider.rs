//! Providers: trunks to the outside.

use super::problems::required_when;
use super::{Detail, Named};
use crate::domain::{Amount, DigitCount, Digits, Kind, PhoneNumber, Problem, Text, choice};
use crate::form::section;

section! {
    "provider", "ProviderInput";
    /// A provider: a trunk to the outside.
    pub struct Provider {
        /// How the trunk is connected.
        pub technology: ProviderTechnology,
        /// The engine's name of the trunk: 1 to 80 characters.
        pub peer_name: Text<80>,
        /// What the trunk is used for.
        pub status: ProviderStatus,
        /// At most 20 digits put in front of a dialled number, after others were removed.
        pub digits_to_add: Digits<20>,
        /// How many digits are removed from the start of a dialled number: 0 to 20.
        pub digits_to_remove: DigitCount,
        /// The number shown outside, 2 to 20 digits with an optional + in front, which replaces the extension's; null keeps that.
        pub caller_id_number: Option<PhoneNumber>,
        /// How many calls it carries at once, 1 to 10000; when all are taken it is passed over. 0 is unlimited.
        pub max_channels: Amount<0, 10_000>,
        /// How far it is put back behind equal ones, 0 to 1000; the lowest is tried first.
        pub penalty: Amount<0, 1000>,
        /// Whether the next route is tried when the provider answers that the called number is busy.
        pub ignore_busy: bool,
    }
}

choice! {
    /// How a trunk is connected.
    pub enum ProviderTechnology {
        /// A PJSIP endpoint.
        Pjsip = "PJSIP",
        /// A peer of the old SIP channel.
        Sip = "SIP",
        /// An IAX2 peer.
        Iax2 = "IAX2",
        /// A DAHDI group: ISDN or analogue lines.
        Dahdi = "DAHDI",
        /// A local channel of the engine.
        Local = "LOCAL",
        /// A gateway for short messages.
        Sms = "SMS",
    }
}

choice! {
    /// What a trunk is used for.
    pub enum ProviderStatus {
        /// Calls in both directions.
        Enabled = "ENABLED",
        /// Nothing.
        Disabled = "DISABLED",
        /// Calls from outside only.
        InboundOnly = "INBOUND_ONLY",
    }
}

impl Detail for Provider {
    const KIND: Kind = Kind::Provider;
    type Head = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.peer_name.is_empty() && self.status != ProviderStatus::Disabled {
            report(required_when("status is not DISABLED").under("peerName"));
        }
    }
}
