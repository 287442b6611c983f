//! Call Settings: audio, directory, phone books, call waiting and parking.

use super::Destinations;
use super::rules::Rules;
use super::section::section;
use crate::domain::{Gain, Id, choice, kind};

section! {
    "call_settings", "CallSettingsInput";
    /// Audio, directory, phone books, call waiting and parking.
    pub struct CallSettings {
        /// The gain for the audio that the extension sends: -10 (quieter) to 10 (louder). Null, the default, and 0
        /// leave it unchanged.
        pub tx_volume: Option<Gain>,
        /// The gain for the audio that the extension receives: -10 (quieter) to 10 (louder). Null, the default, and 0
        /// leave it unchanged.
        pub rx_volume: Option<Gain>,
        /// The music that callers hear while they are on hold; null uses the tenant's default class.
        pub music_on_hold_id: Option<Id<kind::MusicOnHold>>,
        /// Whether callers can find the extension in the spoken dial-by-name directory. On by default.
        pub include_in_dial_by_name: bool,
        /// Where the directory sends callers who choose this entry, in order; at most 20. If empty, they reach the
        /// extension itself.
        pub dial_by_name_destinations: Destinations,
        /// The recording of the user's name that the dial-by-name directory plays.
        pub recorded_name_media_id: Option<Id<kind::MediaFile>>,
        /// Whether the extension appears in the phone books that list extensions. On by default.
        pub include_in_phone_books: bool,
        /// Whether a member that is already in a call is offered a second one. By default the tenant's setting applies.
        pub call_waiting_server_side: CallWaiting,
        /// The lot that takes the calls this extension parks; null uses the tenant's default lot.
        pub parking_lot_id: Option<Id<kind::ParkingLot>>,
    }
}

impl Rules for CallSettings {
    fn initial() -> Self {
        Self { include_in_dial_by_name: true, include_in_phone_books: true, ..Self::blank() }
    }
}

choice! {
    /// Whether the PBX offers a second call to a member that is already in one.
    pub enum CallWaiting {
        /// The tenant's setting applies.
        Inherit = "INHERIT",
        /// Members that are in a call ring too.
        On = "ON",
        /// Members that are in a call are skipped; when all are in one, the extension is busy.
        Off = "OFF",
    }
}
