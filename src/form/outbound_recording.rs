//! Outbound Recording: recording outside calls, and what is made of the recordings.

use super::section::{Rules, section};
use super::{Checked, Facts, Form};
use crate::domain::{Amount, Code, EmailList, Id, Problem, kind};

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

impl Rules for OutboundRecording {
    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "outboundRecording";
        let recording = &form.outbound_recording;
        let features = [
            ("transcript", recording.transcript, facts.transcription),
            ("aiSummary", recording.ai_summary, facts.ai),
            ("aiSentiment", recording.ai_sentiment, facts.ai),
        ];
        for (field, on, available) in features {
            if on && !available {
                checked.error(
                    section,
                    field,
                    Problem::new(Code::FeatureNotAvailable, "is a feature that the tenant does not have"),
                );
            }
        }
        let needed = [("aiSummary", recording.ai_summary), ("aiSentiment", recording.ai_sentiment)];
        for (field, _) in needed.into_iter().filter(|(_, on)| *on && !recording.transcript) {
            checked.required_when(true, section, "transcript", &format!("{field} is on"));
        }
        if !recording.always_record_outbound && !recording.recording_email.is_empty() {
            checked.warn(section, "recordingEmail", Code::NoEffect, "has no effect while alwaysRecordOutbound is off");
        }
    }
}
