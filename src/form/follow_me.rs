//! Find me/Follow me (FMFM): another number that rings as well, or instead.

use super::rules::Rules;
use super::section::section;
use super::{Checked, Facts, Form};
use crate::domain::{Code, DialNumber, Digits, DisplayName, Id, PhoneNumber, Problem, Seconds, choice, kind};

section! {
    "follow_me", "FollowMeInput";
    /// Find me/Follow me: another number, usually a mobile, that rings after the members, with them or instead of them.
    pub struct FollowMe {
        /// Whether follow-me rings `number`, which is then required. Off by default.
        pub enabled: bool,
        /// The number to ring, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in front. It cannot be
        /// the extension's own.
        pub number: Option<DialNumber>,
        /// The condition that must be true for the number to ring; null means that it always rings.
        pub condition_id: Option<Id<kind::Condition>>,
        /// Whether the number rings after the members, with them or instead of them. `AFTER_NO_ANSWER` by default.
        pub dial_method: FollowMeDialMethod,
        /// Whether whoever answers must press a key to take the call, so that a mobile's own voicemail cannot take it.
        /// Off by default.
        pub confirm: bool,
        /// The prompt that asks for the key; null uses the stock prompt.
        pub confirm_media_id: Option<Id<kind::MediaFile>>,
        /// The message that the caller hears while waiting.
        pub hold_media_id: Option<Id<kind::MediaFile>>,
        /// Which caller ID the follow-me number sees. `ORIGINAL_CALLER` by default.
        pub caller_id_mode: FollowMeCallerId,
        /// The number that is shown in mode `FIXED`, which requires it: 2 to 20 digits with an optional + in front.
        pub fixed_caller_id: Option<PhoneNumber>,
        /// Digits put in front of the caller's number, so that a work call can be told from others; at most 8.
        pub number_prefix: Digits<8>,
        /// Text put in front of the caller's name, so that a work call can be told from others; at most 20 characters.
        pub name_prefix: DisplayName<20>,
        /// How long to wait before dialling the number: 0 to 120 seconds, 0 by default. With `SIMULTANEOUS` it must be
        /// shorter than `inboundTimeoutSeconds`, or the number never rings.
        pub delay_seconds: Seconds<0, 120>,
        /// How long the number rings: 1 to 300 seconds, 30 by default.
        pub timeout_seconds: Seconds<1, 300>,
    }
}

impl Rules for FollowMe {
    fn initial() -> Self {
        Self { timeout_seconds: Seconds::of::<30>(), ..Self::blank() }
    }

    const DEPENDS_ON: &'static [&'static str] = &["information"];

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "followMe";
        let follow = &form.follow_me;
        if !facts.defaults {
            checked.required_when(follow.enabled && follow.number.is_none(), section, "number", "enabled is on");
        }
        let fixed = follow.caller_id_mode == FollowMeCallerId::Fixed && follow.fixed_caller_id.is_none();
        checked.required_when(fixed, section, "fixedCallerId", "callerIdMode is FIXED");
        let Some(number) = &follow.number else { return };
        let own = form.information.number.as_ref().is_some_and(|own| own.as_str() == number.as_str());
        let target = facts.holders.get(number.as_str()).map(|holder| holder.object);
        if own || (facts.own.is_some() && target == facts.own) {
            let problem =
                Problem::new(Code::SelfReference, "must not be the extension's own number").value(number.as_str());
            checked.error(section, "number", problem);
        }
        if !follow.enabled {
            return;
        }
        let inbound = form.information.inbound_timeout_seconds.get();
        if follow.dial_method == FollowMeDialMethod::Simultaneous && follow.delay_seconds.get() >= inbound {
            let rule = format!("must be less than the inbound timeout of {inbound} seconds, or the number never rings");
            checked.warn(section, "delaySeconds", Code::NeverRings, rule);
        }
        if number.is_outside() && follow.caller_id_mode == FollowMeCallerId::OriginalCaller {
            let rule = "shows the caller's own number on an outside call, which carriers often refuse";
            checked.warn(section, "callerIdMode", Code::CallerIdRefused, rule);
        }
    }
}

choice! {
    /// When the follow-me number rings.
    pub enum FollowMeDialMethod {
        /// After the members have rung for `inboundTimeoutSeconds`.
        AfterNoAnswer = "AFTER_NO_ANSWER",
        /// Together with the members, once `delaySeconds` have passed.
        Simultaneous = "SIMULTANEOUS",
        /// Instead of the members.
        Immediate = "IMMEDIATE",
    }
}

choice! {
    /// Which caller ID the follow-me number sees.
    pub enum FollowMeCallerId {
        /// The caller's own, which carriers often refuse on outside calls.
        OriginalCaller = "ORIGINAL_CALLER",
        /// The extension's external caller ID.
        Extension = "EXTENSION",
        /// The number in `fixedCallerId`.
        Fixed = "FIXED",
        /// The outside number (DID) that the caller dialled.
        Did = "DID",
    }
}
