//! Voicemail boxes.

use super::problems::required_when;
use super::{Detail, Numbered, Preset, Soft};
use crate::domain::{
    Amount, Code, Digits, DisplayName, EmailList, Kind, Pin, Problem, Seconds, Secret, Text, TimeZone,
};
use crate::form::{self, Checked, Destinations, Facts, section};

section! {
    "voicemail_box", "VoicemailBoxInput";
    /// A voicemail box: what callers leave in it and who is told.
    pub struct VoicemailBox {
        /// The number of the box, at most 10 digits; empty is the object's own number.
        pub mailbox: Soft<Digits<10>>,
        /// The owner's full name, as mails and the directory say it: at most 80 characters without `"`, `<` and `>`.
        pub full_name: DisplayName<80>,
        /// The PIN, 4 to 10 digits, that is asked before messages are played. Write-only; answered as whether it is set.
        pub pin: Secret<Pin>,
        /// The addresses that are told of new messages, at most 20.
        pub emails: EmailList,
        /// Whether the recording is attached to the mail.
        pub attach_recording: bool,
        /// Whether a message is deleted from the box once it was mailed.
        pub delete_after_mail: bool,
        /// Whether the caller's number is said before a message.
        pub say_caller_id: bool,
        /// Whether callers may listen to their message and record it anew before they leave it.
        pub review: bool,
        /// Whether date and time are said before a message.
        pub envelope: bool,
        /// How many messages the box holds: 1 to 9999.
        pub max_messages: Preset<Amount<1, 9999>, 100>,
        /// The length below which a message is dropped: 0 to 60 seconds, less than `maxSeconds`.
        pub min_seconds: Preset<Seconds<0, 60>, 3>,
        /// The length at which a message is cut: 1 to 3600 seconds.
        pub max_seconds: Preset<Seconds<1, 3600>, 180>,
        /// The zone in which the times of messages are said; null is the tenant's.
        pub timezone: Option<TimeZone>,
        /// The language of the prompts, such as `en` or `de_CH`, at most 16 characters; empty is the tenant's.
        pub prompt_language: Text<16>,
        /// Whether messages are transcribed to text; the tenant must have the feature.
        pub transcript: bool,
        /// The age at which messages are deleted: 1 to 3650 days, 0 never.
        pub auto_delete_days: Amount<0, 3650>,
        /// Where callers go that ask for the operator, in order.
        pub operator_destinations: Destinations,
        /// Where callers go after they left a message, in order; empty hangs up.
        pub follow_destinations: Destinations,
        /// Whom a message is passed on to, in order.
        pub broadcast_destinations: Destinations,
    }
}

impl Detail for VoicemailBox {
    const KIND: Kind = Kind::VoicemailBox;
    type Head = Numbered;
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

    fn check_around(&self, facts: &Facts, checked: &mut Checked) {
        checked.errors.extend(form::unavailable([("transcript", self.transcript)], facts));
    }
}
