//! Outbound Recording: recording outside calls, and what is made of the recordings.

use super::section::{Initial, section};
use crate::domain::{Amount, EmailList, Id, kind};

section! {
    "outbound_recording", OutboundRecordingInput;
    /// Recording of outside calls, and what is made of the recordings.
    #[graphql(complex)]
    pub struct OutboundRecording {
        /// Whether every outside call placed through this extension is recorded.
        pub always_record_outbound: bool,
        /// The addresses that each recording is sent to, at most 20.
        pub recording_email: EmailList,
        /// Recordings smaller than this many bytes are not sent, which skips empty calls: 0 to 1000000000.
        pub min_recording_bytes: Amount<0, 1_000_000_000>,
        /// The announcement that is played when a recording starts.
        pub recording_announcement_media_id: Option<Id<kind::MediaFile>>,
        /// Experimental: whether the user may pause a recording to keep a part of the call private.
        pub privacy_recording: bool,
        /// Whether recordings are transcribed after the call; the tenant must have the feature.
        pub transcript: bool,
        /// Whether transcripts are summarised; needs `transcript`, and the tenant must have the feature.
        pub ai_summary: bool,
        /// Whether the mood of transcripts is assessed; needs `transcript`, and the tenant must have the feature.
        pub ai_sentiment: bool,
    }
}

impl Initial for OutboundRecording {}
