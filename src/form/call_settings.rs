//! Call Settings: audio, directory, phone books, call waiting and parking.

use super::Destinations;
use super::rules::Rules;
use super::section::section;
use crate::domain::{Gain, Id, choice, kind};

section! {
    "call_settings", "CallSettingsInput";
    /// Audio, directory, phone books, call waiting and parking.
    pub struct CallSettings {
        /// The gain of the audio sent by the extension, -10 to 10; null and 0 leave it unchanged.
        pub tx_volume: Option<Gain>,
        /// The gain of the audio received by the extension, -10 to 10; null and 0 leave it unchanged.
        pub rx_volume: Option<Gain>,
        /// What a held caller hears; null is the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether the extension is listed in the spoken dial-by-name directory.
        pub include_in_dial_by_name: bool,
        /// Where the directory entry leads, in order; empty leads to the extension itself.
        pub dial_by_name_destinations: Destinations,
        /// The spoken name that the directory plays.
        pub recorded_name_media_id: Option<Id<kind::MediaFile>>,
        /// Whether the extension appears in the phone books that list extensions.
        pub include_in_phone_books: bool,
        /// Whether a second call is offered to a member that is in a call already.
        pub call_waiting_server_side: CallWaiting,
        /// The lot that is used when this extension parks a call; null is the tenant's default lot.
        pub parking_lot_id: Option<Id<kind::ParkingLot>>,
    }
}

impl Rules for CallSettings {
    fn initial() -> Self {
        Self { include_in_dial_by_name: true, include_in_phone_books: true, ..Self::blank() }
    }
}

choice! {
    /// Whether the PBX offers a second call to a member that is in a call.
    pub enum CallWaiting {
        /// As the tenant has it.
        Inherit = "INHERIT",
        /// Busy members ring too.
        On = "ON",
        /// Busy members are skipped; when all are in a call, the extension is busy.
        Off = "OFF",
    }
}
