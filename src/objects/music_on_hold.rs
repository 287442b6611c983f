//! Music-on-hold classes: what waiting callers hear.

use super::ruled_text::ruled_text;
use super::problems::required_when;
use super::{Detail, Named};
use crate::domain::{Gain, Kind, Problem, choice, kind};
use crate::form::{Links, section};

section! {
    "music_on_hold", "MusicOnHoldInput";
    /// A music-on-hold class: what waiting callers hear.
    pub struct MusicOnHold {
        /// Where the music comes from. `FILES` by default.
        pub play_mode: MusicOnHoldMode,
        /// The gain for the music: -10 (quieter) to 10 (louder). 0, the default, leaves it unchanged.
        pub volume: Gain,
        /// Whether the media files play in random order. Off by default.
        pub random_order: bool,
        /// Whether this is the tenant's default class; only one can be. Off by default.
        pub is_default: bool,
        /// The address of the stream, which begins with `http://` or `https://`: at most 255 characters. The mode
        /// `STREAM` requires it.
        pub stream_url: Option<StreamUrl>,
        /// The files that play in the modes `FILES` and `PLAYLIST`, in order; at most 64.
        pub media_ids: Links<kind::MediaFile, 64>,
    }
}

choice! {
    /// Where music on hold comes from.
    pub enum MusicOnHoldMode {
        /// Media files, which start from the first for every caller.
        Files = "FILES",
        /// Media files that play continuously: callers join wherever the playlist is.
        Playlist = "PLAYLIST",
        /// An audio stream from the network.
        Stream = "STREAM",
    }
}

ruled_text!(
    /// The address of an audio stream.
    StreamUrl<255>, "must be an address that begins with http:// or https://", |text| {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric() || c == '[') && !rest.contains(char::is_whitespace))
    }
);

impl Detail for MusicOnHold {
    const KIND: Kind = Kind::MusicOnHold;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default"]];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.play_mode == MusicOnHoldMode::Stream && self.stream_url.is_none() {
            report(required_when("playMode is STREAM").under("streamUrl"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Scalar;

    #[test]
    fn a_stream_has_a_web_address() {
        for good in ["http://radio.example/live", "https://[2001:db8::1]:8000/a.mp3"] {
            assert!(StreamUrl::parse(&good.into()).is_ok(), "{good}");
        }
        for bad in ["", "radio.example", "http://", "https:///etc/passwd", "file:///etc/passwd", "http://a b"] {
            assert!(StreamUrl::parse(&bad.into()).is_err(), "{bad}");
        }
    }
}
