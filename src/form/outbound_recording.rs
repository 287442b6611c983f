//! Outbound Recording: whether outside calls are recorded, and how the recordings are used.

use super::rules::Rules;
use super::section::section;
use super::{Checked, Facts, Form};
use crate::domain::{Amount, Code, EmailList, Id, Problem, kind};

section! {
    "outbound_recording", "OutboundRecordingInput";
    /// Whether outside calls are recorded, who gets the recordings and how they are analysed.
    pub struct OutboundRecording {
        /// Whether every outside call placed through this extension is recorded. Off by default.
        pub always_record_outbound: bool,
        /// The addresses that get each recording by e-mail, at most 20. No effect while `alwaysRecordOutbound` is off.
        pub recording_emails: EmailList,
        /// The smallest recording that is e-mailed, so that empty calls are skipped: 0 to 1000000000 bytes, 0 by
        /// default.
        pub min_recording_bytes: Amount<0, 1_000_000_000>,
        /// The announcement that plays when a recording starts, such as that the call is recorded.
        pub recording_announcement_media_id: Option<Id<kind::MediaFile>>,
        /// Experimental: whether the user may pause a recording to keep part of a call private. Off by default.
        pub privacy_recording: bool,
        /// Whether recordings are transcribed after the call. Off by default; refused unless the tenant has
        /// `transcription`.
        pub transcript: bool,
        /// Whether transcripts are summarised. Off by default; needs `transcript`, and is refused unless the tenant has
        /// `ai`.
        pub ai_summary: bool,
        /// Whether the mood of the call is assessed from its transcript. Off by default; needs `transcript`, and is
        /// refused unless the tenant has `ai`.
        pub ai_sentiment: bool,
    }
}

/// The problems of transcript settings that are on although the tenant does not have the feature. Paths start with the
/// field.
pub fn unavailable_features(
    switches: impl IntoIterator<Item = (&'static str, bool)>,
    facts: &Facts,
) -> impl Iterator<Item = Problem> {
    let lacks = |field: &str| if field == "transcript" { !facts.transcription } else { !facts.ai };
    let on = switches.into_iter().filter(move |(field, on)| *on && lacks(field));
    let problem = || Problem::new(Code::FeatureNotAvailable, "needs a feature that the tenant does not have");
    on.map(move |(field, _)| problem().under(field))
}

impl Rules for OutboundRecording {
    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "outboundRecording";
        let recording = &form.outbound_recording;
        let needed = [("aiSummary", recording.ai_summary), ("aiSentiment", recording.ai_sentiment)];
        let features = [("transcript", recording.transcript)].into_iter().chain(needed);
        checked.errors.extend(unavailable_features(features, facts).map(|problem| problem.under(section)));
        for (field, _) in needed.into_iter().filter(|(_, on)| *on && !recording.transcript) {
            checked.required_when(true, section, "transcript", &format!("{field} is on"));
        }
        if !recording.always_record_outbound && !recording.recording_emails.is_empty() {
            checked.warn(section, "recordingEmails", Code::NoEffect, "has no effect while alwaysRecordOutbound is off");
        }
    }
}
