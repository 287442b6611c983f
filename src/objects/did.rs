//! Outside numbers (DIDs) that reach the tenant.

use super::problems::required_when;
use super::{Detail, Named};
use crate::domain::{Amount, Kind, PhoneNumber, Problem, Text};
use crate::form::{self, Checked, Destinations, Facts, section};

section! {
    "did", "DidInput", searched: phone_number, branch, department;
    /// An outside number (DID) that reaches the tenant.
    pub struct Did {
        /// The number: 2 to 20 digits with an optional + in front, unique among the tenant's outside numbers.
        pub phone_number: PhoneNumber,
        /// The country that it belongs to, at most 40 characters.
        pub country: Text<40>,
        /// The area that it belongs to, at most 80 characters.
        pub area: Text<80>,
        /// A note for administrators, at most 255 characters.
        pub remark: Text<255>,
        /// How many calls it takes at once: 1 to 10000, 0 is unlimited.
        pub max_channels: Amount<0, 10_000>,
        /// Whether emergency services may be called with, and may call back, this number.
        pub emergency: bool,
        /// Where a call to it goes, in order.
        pub destinations: Destinations,
        /// Whether every call goes to `unconditional` instead.
        pub unconditional_enabled: bool,
        /// Where every call goes while `unconditionalEnabled` is on, in order.
        pub unconditional: Destinations,
        /// Where a short message to it goes, in order.
        pub on_sms: Destinations,
        /// What is done once a fax to it was received, in order.
        pub on_fax_success: Destinations,
        /// The branch that it belongs to, at most 80 characters.
        pub branch: Text<80>,
        /// The department that it belongs to, at most 80 characters.
        pub department: Text<80>,
        /// Whether the name that belongs to a caller's number is looked up (CNAM).
        pub caller_name_lookup: bool,
        /// Whether every call to it is recorded.
        pub always_record: bool,
        /// Whether recordings are transcribed after the call; the tenant must have the feature.
        pub transcript: bool,
        /// Whether transcripts are summarised; needs `transcript`, and the tenant must have the feature.
        pub ai_summary: bool,
        /// Whether the mood of transcripts is assessed; needs `transcript`, and the tenant must have the feature.
        pub ai_sentiment: bool,
    }
}

impl Detail for Did {
    const KIND: Kind = Kind::Did;
    type Head = Named;
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

    fn check_around(&self, facts: &Facts, checked: &mut Checked) {
        let made = [("aiSummary", self.ai_summary), ("aiSentiment", self.ai_sentiment)];
        let switches = [("transcript", self.transcript)].into_iter().chain(made);
        checked.errors.extend(form::unavailable(switches, facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::problems;
    use serde_json::json;

    #[test]
    fn what_is_on_has_what_it_needs() {
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
