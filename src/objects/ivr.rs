//! Voice menus (IVR): callers choose with the keys of their telephone.

use super::problems::required_when;
use super::{Detail, Numbered, Preset};
use crate::domain::{Amount, Code, Id, Kind, Problem, Seconds, Text, choice, kind};
use crate::form::{Destinations, section};

section! {
    "ivr", "IvrInput";
    /// A voice menu (IVR): callers hear a prompt and choose with the keys of their telephone.
    pub struct Ivr {
        /// How callers choose.
        pub ivr_type: IvrType,
        /// The language in which digits are said in type SPEECH, such as `en` or `de_CH`: at most 16 characters.
        pub spoken_language: Text<16>,
        /// The prompt that callers hear; null is silence.
        pub prompt_media_id: Option<Id<kind::MediaFile>>,
        /// How long the first key is waited for after the prompt: 1 to 120 seconds.
        pub timeout_seconds: Preset<Seconds<1, 120>, 10>,
        /// How long a further digit is waited for, where numbers can be dialled: 1 to 30 seconds.
        pub digit_timeout_seconds: Preset<Seconds<1, 30>, 3>,
        /// How often the prompt is played at most, before the call goes to `onTimeout` or `onWrong`: 1 to 20 times.
        pub loops: Preset<Amount<1, 20>, 3>,
        /// Which numbers callers may dial instead of pressing a key.
        pub dialing: IvrDialing,
        /// Where a caller goes that presses 0, in order; empty makes it a wrong key.
        pub key_0: Destinations,
        /// Where a caller goes that presses 1, in order; empty makes it a wrong key.
        pub key_1: Destinations,
        /// Where a caller goes that presses 2, in order; empty makes it a wrong key.
        pub key_2: Destinations,
        /// Where a caller goes that presses 3, in order; empty makes it a wrong key.
        pub key_3: Destinations,
        /// Where a caller goes that presses 4, in order; empty makes it a wrong key.
        pub key_4: Destinations,
        /// Where a caller goes that presses 5, in order; empty makes it a wrong key.
        pub key_5: Destinations,
        /// Where a caller goes that presses 6, in order; empty makes it a wrong key.
        pub key_6: Destinations,
        /// Where a caller goes that presses 7, in order; empty makes it a wrong key.
        pub key_7: Destinations,
        /// Where a caller goes that presses 8, in order; empty makes it a wrong key.
        pub key_8: Destinations,
        /// Where a caller goes that presses 9, in order; empty makes it a wrong key.
        pub key_9: Destinations,
        /// Where a caller goes that presses `*`, in order; empty makes it a wrong key.
        pub key_star: Destinations,
        /// Where a caller goes that presses `#`, in order; empty makes it a wrong key.
        pub key_hash: Destinations,
        /// Where a caller goes whose last choice was a wrong key, in order; empty hangs up.
        pub on_wrong: Destinations,
        /// Where a caller goes that has not chosen, in order; empty hangs up.
        pub on_timeout: Destinations,
        /// What is done for a caller that hung up instead of choosing, in order.
        pub on_hangup: Destinations,
    }
}

choice! {
    /// How callers choose in a voice menu.
    pub enum IvrType {
        /// They press keys.
        Keys = "KEYS",
        /// They press keys or say the digits.
        Speech = "SPEECH",
    }
}

choice! {
    /// Which numbers may be dialled in a voice menu.
    pub enum IvrDialing {
        /// None: keys only.
        None = "NONE",
        /// The numbers of extensions, real and virtual.
        Extensions = "EXTENSIONS",
        /// Every number of the tenant, those of queues and conference rooms too.
        Any = "ANY",
    }
}

impl Ivr {
    /// What the keys lead to: the digits in order, then `*` and `#`.
    pub fn keys(&self) -> [&Destinations; 12] {
        let Self { key_0, key_1, key_2, key_3, key_4, key_5, key_6, key_7, key_8, key_9, key_star, key_hash, .. } =
            self;
        [key_0, key_1, key_2, key_3, key_4, key_5, key_6, key_7, key_8, key_9, key_star, key_hash]
    }
}

impl Detail for Ivr {
    const KIND: Kind = Kind::Ivr;
    type Head = Numbered;
    // A key that plays the menu again.
    const REPEATS: bool = true;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.ivr_type == IvrType::Speech && self.spoken_language.is_empty() {
            report(required_when("ivrType is SPEECH").under("spokenLanguage"));
        }
    }

    fn doubts(&self, report: &mut dyn FnMut(Problem)) {
        if self.dialing == IvrDialing::None && self.keys().iter().all(|key| key.0.is_empty()) {
            let rule = "is NONE and no key leads anywhere, so callers reach nobody";
            report(Problem::new(Code::NoMembers, rule).value(self.dialing.word()).under("dialing"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{doubted, made, problems};
    use serde_json::json;

    #[test]
    fn speech_has_a_language() {
        assert_eq!(problems::<Ivr>(&json!({})), [] as [&str; 0]);
        assert_eq!(problems::<Ivr>(&json!({ "ivrType": "SPEECH" })), ["spokenLanguage REQUIRED_WHEN"]);
        assert_eq!(problems::<Ivr>(&json!({ "ivrType": "SPEECH", "spokenLanguage": "it" })), [] as [&str; 0]);
    }

    #[test]
    fn callers_should_reach_somebody() {
        assert_eq!(doubted::<Ivr>(&json!({})), ["dialing NO_MEMBERS"]);
        assert_eq!(doubted::<Ivr>(&json!({ "onTimeout": [{ "number": "101" }] })), ["dialing NO_MEMBERS"]);
        assert_eq!(doubted::<Ivr>(&json!({ "dialing": "EXTENSIONS" })), [] as [&str; 0]);
        let keys = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "Star", "Hash"];
        for (i, key) in keys.into_iter().enumerate() {
            let ivr = json!({ format!("key{key}"): [{ "number": "101" }] });
            assert_eq!(doubted::<Ivr>(&ivr), [] as [&str; 0], "{key}");
            assert_eq!(made::<Ivr>(&ivr).keys().map(|key| key.0.len()), std::array::from_fn(|k| usize::from(k == i)));
        }
    }
}
