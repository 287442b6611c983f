//! Voice menus (IVR): callers choose with the keys of their phone.

use super::problems::required_when;
use super::{Detail, Numbered, WithDefault};
use crate::domain::{Amount, Code, Id, Kind, Problem, Seconds, Text, choice, kind};
use crate::form::{Destinations, section};

section! {
    "ivr", "IvrInput";
    /// A voice menu (IVR): callers hear a prompt and choose with the keys of their phone.
    pub struct Ivr {
        /// How callers make their choice. `KEYS` by default.
        pub ivr_type: IvrType,
        /// The language in which callers say the digits, such as `en` or `de_CH`: at most 16 characters. The type
        /// `SPEECH` requires it.
        pub spoken_language: Text<16>,
        /// The prompt that callers hear; null plays none.
        pub prompt_media_id: Option<Id<kind::MediaFile>>,
        /// How long the menu waits for the first key after the prompt: 1 to 120 seconds, 10 by default.
        pub timeout_seconds: WithDefault<Seconds<1, 120>, 10>,
        /// How long the menu waits for the next digit of a number: 1 to 30 seconds, 3 by default.
        pub digit_timeout_seconds: WithDefault<Seconds<1, 30>, 3>,
        /// How many times the prompt plays at most before the call goes to `onTimeout` or `onWrong`: 1 to 20 times, 3
        /// by default.
        pub loops: WithDefault<Amount<1, 20>, 3>,
        /// Which numbers callers may dial instead of pressing a single key. `NONE` by default.
        pub dialing: IvrDialing,
        /// Where callers go who press 0, in order; at most 20. If empty, the key counts as wrong.
        pub key_0: Destinations,
        /// Where callers go who press 1, in order; at most 20. If empty, the key counts as wrong.
        pub key_1: Destinations,
        /// Where callers go who press 2, in order; at most 20. If empty, the key counts as wrong.
        pub key_2: Destinations,
        /// Where callers go who press 3, in order; at most 20. If empty, the key counts as wrong.
        pub key_3: Destinations,
        /// Where callers go who press 4, in order; at most 20. If empty, the key counts as wrong.
        pub key_4: Destinations,
        /// Where callers go who press 5, in order; at most 20. If empty, the key counts as wrong.
        pub key_5: Destinations,
        /// Where callers go who press 6, in order; at most 20. If empty, the key counts as wrong.
        pub key_6: Destinations,
        /// Where callers go who press 7, in order; at most 20. If empty, the key counts as wrong.
        pub key_7: Destinations,
        /// Where callers go who press 8, in order; at most 20. If empty, the key counts as wrong.
        pub key_8: Destinations,
        /// Where callers go who press 9, in order; at most 20. If empty, the key counts as wrong.
        pub key_9: Destinations,
        /// Where callers go who press `*`, in order; at most 20. If empty, the key counts as wrong.
        pub key_star: Destinations,
        /// Where callers go who press `#`, in order; at most 20. If empty, the key counts as wrong.
        pub key_hash: Destinations,
        /// Where callers go whose last choice was a wrong key, in order; at most 20. If empty, the call is hung up.
        pub on_wrong: Destinations,
        /// Where callers go who have not made a choice, in order; at most 20. If empty, the call is hung up.
        pub on_timeout: Destinations,
        /// What runs after a caller has hung up without making a choice, in order; at most 20.
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
    /// Which numbers callers may dial in a voice menu.
    pub enum IvrDialing {
        /// None: callers can only press single keys.
        None = "NONE",
        /// The numbers of real and virtual extensions.
        Extensions = "EXTENSIONS",
        /// Every number of the tenant, including queues and conference rooms.
        Any = "ANY",
    }
}

impl Ivr {
    /// The destinations of the keys: the digits in order, then `*` and `#`.
    pub fn keys(&self) -> [&Destinations; 12] {
        let Self { key_0, key_1, key_2, key_3, key_4, key_5, key_6, key_7, key_8, key_9, key_star, key_hash, .. } =
            self;
        [key_0, key_1, key_2, key_3, key_4, key_5, key_6, key_7, key_8, key_9, key_star, key_hash]
    }
}

impl Detail for Ivr {
    const KIND: Kind = Kind::Ivr;
    type Common = Numbered;
    // A key may play the menu again.
    const MAY_LEAD_BACK: bool = true;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.ivr_type == IvrType::Speech && self.spoken_language.is_empty() {
            report(required_when("ivrType is SPEECH").under("spokenLanguage"));
        }
    }

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        if self.dialing == IvrDialing::None && self.keys().iter().all(|key| key.0.is_empty()) {
            let rule = "is NONE and no key leads anywhere, so callers reach nobody";
            report(Problem::new(Code::NoMembers, rule).value(self.dialing.word()).under("dialing"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::testing::{warnings, parsed, problems};
    use serde_json::json;

    #[test]
    fn speech_has_a_language() {
        assert_eq!(problems::<Ivr>(&json!({})), [] as [&str; 0]);
        assert_eq!(problems::<Ivr>(&json!({ "ivrType": "SPEECH" })), ["spokenLanguage REQUIRED_WHEN"]);
        assert_eq!(problems::<Ivr>(&json!({ "ivrType": "SPEECH", "spokenLanguage": "it" })), [] as [&str; 0]);
    }

    #[test]
    fn a_menu_without_choices_gets_a_warning() {
        assert_eq!(warnings::<Ivr>(&json!({})), ["dialing NO_MEMBERS"]);
        assert_eq!(warnings::<Ivr>(&json!({ "onTimeout": [{ "number": "101" }] })), ["dialing NO_MEMBERS"]);
        assert_eq!(warnings::<Ivr>(&json!({ "dialing": "EXTENSIONS" })), [] as [&str; 0]);
        let keys = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "Star", "Hash"];
        for (i, key) in keys.into_iter().enumerate() {
            let ivr = json!({ format!("key{key}"): [{ "number": "101" }] });
            assert_eq!(warnings::<Ivr>(&ivr), [] as [&str; 0], "{key}");
            assert_eq!(parsed::<Ivr>(&ivr).keys().map(|key| key.0.len()), std::array::from_fn(|k| usize::from(k == i)));
        }
    }
}
