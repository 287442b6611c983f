//! Voicemail boxes.

use super::problems::required_when;
use super::{Detail, Numbered, WithDefault, NumberReference};
use crate::domain::{
    Amount, Code, Digits, DisplayName, EmailList, Kind, Pin, Problem, Seconds, Secret, Text, TimeZone,
};
use crate::form::{self, Checked, Destinations, Facts, section};

section! {
    "voicemail_box", "VoicemailBoxInput";
    /// A voicemail box: callers leave messages in it, and its owner is notified.
    pub struct VoicemailBox {
        /// The number of the box: at most 10 digits, unique among the tenant's boxes. If empty, the object's own number
        /// is used.
        pub mailbox: NumberReference<Digits<10>>,
        /// The full name of the owner, for e-mails and the directory: at most 80 characters without `"`, `<` and `>`.
        pub full_name: DisplayName<80>,
        /// The PIN that the owner must enter to hear messages: 4 to 10 digits, neither one repeated digit nor a run
        /// such as 1234. Write-only: `pinSet` tells whether there is one.
        pub pin: Secret<Pin>,
        /// The addresses that get an e-mail about each new message, at most 20.
        pub emails: EmailList,
        /// Whether the recording is attached to the e-mail. Off by default.
        pub attach_recording: bool,
        /// Whether a message is deleted from the box once it has been e-mailed; requires `emails`. Off by default.
        pub delete_after_mail: bool,
        /// Whether the caller's number is read out before a message. Off by default.
        pub say_caller_id: bool,
        /// Whether callers may listen to their message and record it again before they leave it. Off by default.
        pub review: bool,
        /// Whether the date and time are read out before a message. Off by default.
        pub envelope: bool,
        /// How many messages the box holds: 1 to 9999, 100 by default.
        pub max_messages: WithDefault<Amount<1, 9999>, 100>,
        /// Shorter messages are dropped: 0 to 60 seconds, 3 by default, and less than `maxSeconds`.
        pub min_seconds: WithDefault<Seconds<0, 60>, 3>,
        /// Longer messages are cut off: 1 to 3600 seconds, 180 by default.
        pub max_seconds: WithDefault<Seconds<1, 3600>, 180>,
        /// The IANA time zone in which the times of messages are read out, such as Europe/Rome; null uses the tenant's.
        pub timezone: Option<TimeZone>,
        /// The language of the prompts, such as `en` or `de_CH`: at most 16 characters; if empty, the tenant's is used.
        pub prompt_language: Text<16>,
        /// Whether messages are transcribed. Off by default; refused unless the tenant has `transcription`.
        pub transcript: bool,
        /// The age at which messages are deleted: 1 to 3650 days. 0, the default, keeps them.
        pub auto_delete_days: Amount<0, 3650>,
        /// Where callers go who ask for the operator, in order; at most 20.
        pub operator_destinations: Destinations,
        /// Where callers go after they have left a message, in order; at most 20. If empty, the call is hung up.
        pub follow_destinations: Destinations,
        /// Where copies of a message are sent, in order; at most 20.
        pub broadcast_destinations: Destinations,
    }
}

impl Detail for VoicemailBox {
    const KIND: Kind = Kind::VoicemailBox;
    type Common = Numbered;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["mailbox"]];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        // Otherwise nobody would ever hear the message.
        if self.delete_after_mail && self.emails.is_empty() {
            report(required_when("deleteAfterMail is on").under("emails"));
        }
        let (min, max) = (self.min_seconds.value().get(), self.max_seconds.value().get());
        if min >= max {
            let rule = format!("must be less than maxSeconds, which is {max}");
            report(Problem::new(Code::Contradiction, rule).value(min).under("minSeconds"));
        }
    }

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        checked.errors.extend(form::unavailable_features([("transcript", self.transcript)], facts));
    }
}
