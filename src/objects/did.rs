//! Outside numbers (DIDs) on which people outside reach the tenant.

use super::problems::required_when;
use super::{Detail, Named};
use crate::domain::{Amount, Kind, PhoneNumber, Problem, Text};
use crate::form::{self, Checked, Destinations, Facts, section};

section! {
    "did", "DidInput", searched: phone_number, branch, department;
    /// An outside number (DID) on which people outside reach the tenant.
    pub struct Did {
        /// The number: 2 to 20 digits with an optional + in front, unique among the tenant's outside numbers. Required.
        pub phone_number: PhoneNumber,
        /// The country that the number belongs to, at most 40 characters.
        pub country: Text<40>,
        /// The area that the number belongs to, at most 80 characters.
        pub area: Text<80>,
        /// A second note for administrators, at most 255 characters.
        pub remark: Text<255>,
        /// How many calls the number can take at once: 1 to 10000. 0, the default, is no limit.
        pub max_channels: Amount<0, 10_000>,
        /// Whether emergency services may be called with this number and may call it back. Off by default.
        pub emergency: bool,
        /// Where calls to the number go, in order; at most 20.
        pub destinations: Destinations,
        /// Whether calls go to `unconditional` instead of `destinations`. Off by default.
        pub unconditional_enabled: bool,
        /// Where calls go while `unconditionalEnabled` is on, which requires it, in order; at most 20.
        pub unconditional: Destinations,
        /// Where text messages to the number go, in order; at most 20.
        pub on_sms: Destinations,
        /// What happens after a fax has been received on the number, in order; at most 20.
        pub on_fax_success: Destinations,
        /// The branch that the number belongs to: text of at most 80 characters, found by `search`.
        pub branch: Text<80>,
        /// The department that the number belongs to: text of at most 80 characters, found by `search`.
        pub department: Text<80>,
        /// Whether the name for a caller's number is looked up (CNAM). Off by default.
        pub caller_name_lookup: bool,
        /// Whether every call to the number is recorded. Off by default.
        pub always_record: bool,
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

impl Detail for Did {
    const KIND: Kind = Kind::Did;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["phone_number"]];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.unconditional_enabled && self.unconditional.0.is_empty() {
            report(required_when("unconditionalEnabled is on").under("unconditional"));
        }
        let needed = [("aiSummary", self.ai_summary), ("aiSentiment", self.ai_sentiment)];
        for (field, _) in needed.into_iter().filter(|(_, on)| *on && !self.transcript) {
            report(required_when(&format!("{field} is on")).under("transcript"));
        }
    }

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        let made = [("aiSummary", self.ai_summary), ("aiSentiment", self.ai_sentiment)];
        let switches = [("transcript", self.transcript)].into_iter().chain(made);
        checked.errors.extend(form::unavailable_features(switches, facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::problems;
    use serde_json::json;

    #[test]
    fn settings_that_are_on_have_what_they_require() {
        let number = "+390550100100";
        for (did, found) in [
            (json!({ "phoneNumber": number }), vec![]),
            (json!({ "phoneNumber": number, "unconditionalEnabled": true }), vec!["unconditional REQUIRED_WHEN"]),
            (
                json!({ "phoneNumber": number, "unconditionalEnabled": true, "unconditional": [{ "number": "110" }] }),
                vec![],
            ),
            (json!({ "phoneNumber": number, "aiSummary": true }), vec!["transcript REQUIRED_WHEN"]),
            (
                json!({ "phoneNumber": number, "aiSummary": true, "aiSentiment": true }),
                vec!["transcript REQUIRED_WHEN", "transcript REQUIRED_WHEN"],
            ),
            (json!({ "phoneNumber": number, "aiSentiment": true, "transcript": true }), vec![]),
        ] {
            assert_eq!(problems::<Did>(&did), found, "{did}");
        }
    }
}
