//! Information: the identity of the extension, the phones that ring for it and its groups.

use super::check::check_number;
use super::rules::Rules;
use super::section::section;
use super::{Checked, Facts, Form, Links};
use crate::domain::{
    CallerIdDigits, Code, DisplayName, EmailList, ExtensionNumber, Id, Kind, Pin, Problem, Seconds, Secret, Text,
    choice, kind,
};

section! {
    "information", "InformationInput";
    /// Who the extension is, which phones ring for it and which groups it belongs to.
    pub struct Information {
        /// The number that others dial to reach the extension: 2 to 10 digits, unique in the tenant. Required, except
        /// in a tenant's defaults, which cannot have one.
        pub number: Option<ExtensionNumber>,
        /// The name that colleagues see on displays, in lists and in reports: 1 to 80 characters without `"`, `<` and
        /// `>`.
        pub name: DisplayName<80>,
        /// A note for administrators, at most 255 characters.
        pub description: Text<255>,
        /// The user's addresses for notifications, at most 20.
        pub emails: EmailList,
        /// The PIN that a phone must enter to join this extension: 4 to 10 digits, neither one repeated digit nor a run
        /// such as 1234. Write-only: `securityPinSet` tells whether there is one.
        pub security_pin: Secret<Pin>,
        /// The caller ID that colleagues see on internal calls: the extension's name and number, which is the default,
        /// or `internalCallerIdName` and `internalCallerIdNumber`.
        pub internal_caller_id_mode: InternalCallerIdMode,
        /// The name that colleagues see in mode `CUSTOM`, which requires it: at most 35 characters.
        pub internal_caller_id_name: DisplayName<35>,
        /// The number that colleagues see in mode `CUSTOM`, which requires it: 1 to 32 digits, `*`, `#` or `+`.
        pub internal_caller_id_number: Option<CallerIdDigits>,
        /// The real extensions that ring, and may act, for this number, in order; at most 64. Virtual extensions cannot
        /// be members.
        pub member_ids: Links<kind::Extension, 64>,
        /// The call groups of the calls that ring here, at most 64. Extensions in a pickup group with the same group
        /// number may answer these calls.
        pub call_group_ids: Links<kind::CallGroup, 64>,
        /// The pickup groups of this extension, at most 64. It may answer calls that ring in the call groups with the
        /// same group numbers.
        pub pickup_group_ids: Links<kind::PickupGroup, 64>,
        /// The spy groups whose supervisors may listen in on this extension, at most 64.
        pub spy_group_ids: Links<kind::SpyGroup, 64>,
        /// The voicemail box whose new messages light the message lamp (MWI) on the members' phones. It sends no calls
        /// to the box; a destination such as `onNoAnswer` does.
        pub voicemail_mwi_mailbox_id: Option<Id<kind::VoicemailBox>>,
        /// Do Not Disturb: no phone rings and callers find the extension busy. Off by default.
        pub dnd: bool,
        /// How long the members ring before a call counts as unanswered: 1 to 600 seconds, 30 by default.
        pub inbound_timeout_seconds: Seconds<1, 600>,
    }
}

impl Information {
    /// The fields that are stored in the object's row, as for every object with a number.
    pub const OF_OBJECT: &'static [&'static str] = &["number", "name", "description"];
}

impl Rules for Information {
    fn initial() -> Self {
        Self { inbound_timeout_seconds: Seconds::of::<30>(), ..Self::blank() }
    }

    fn copied(self) -> Self {
        Self { number: None, name: DisplayName::default(), security_pin: Secret::default(), ..self }
    }

    const DEPENDS_ON: &'static [&'static str] = &["additionalDestinations"];

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "information";
        let info = &form.information;
        if facts.defaults {
            if let Some(number) = &info.number {
                checked.error(
                    section,
                    "number",
                    Problem::new(Code::Contradiction, "cannot have a default, because it must be unique")
                        .value(number.as_str()),
                );
            }
        } else {
            if info.name.is_empty() {
                checked.error(section, "name", Problem::new(Code::Required, "is required"));
            }
        }
        for problem in check_number(info.number.as_ref(), !facts.defaults, facts) {
            checked.error(section, "number", problem);
        }
        let custom = info.internal_caller_id_mode == InternalCallerIdMode::Custom;
        let why = "internalCallerIdMode is CUSTOM";
        checked.required_when(custom && info.internal_caller_id_name.is_empty(), section, "internalCallerIdName", why);
        checked.required_when(
            custom && info.internal_caller_id_number.is_none(),
            section,
            "internalCallerIdNumber",
            why,
        );
        if info.voicemail_mwi_mailbox_id.is_some() && !reaches_voicemail(form, facts) {
            let rule = "lights the message lamp, but no destination that is on leads to a voicemail box";
            checked.warn(section, "voicemailMwiMailboxId", Code::VoicemailNeverReached, rule);
        }
    }

    /// An extension without members is offline, so destinations for unanswered calls do not help.
    fn lint(form: &Form, facts: &Facts, checked: &mut Checked) {
        let destinations = &form.additional_destinations;
        let diverted =
            destinations.unconditional_enabled || destinations.on_condition_enabled || destinations.on_offline_enabled;
        if form.information.member_ids.is_empty() && !diverted && !form.follow_me.enabled && !facts.defaults {
            // This warning includes the one about onNoAnswer.
            checked.warnings.retain(|warning| warning.code != Code::CallsDropped);
            let rule = "is empty and onOffline is off, so every call is dropped as long as no phone has joined";
            checked.warn("information", "memberIds", Code::CallsDropped, rule);
        }
    }
}

choice! {
    /// Which caller ID colleagues see on internal calls.
    pub enum InternalCallerIdMode {
        /// The extension's own name and number.
        Auto = "AUTO",
        /// `internalCallerIdName` and `internalCallerIdNumber`.
        Custom = "CUSTOM",
    }
}

/// Whether a call can reach a voicemail box, or an object with destinations that are not part of the form.
fn reaches_voicemail(form: &Form, facts: &Facts) -> bool {
    form.additional_destinations.slots().into_iter().filter(|slot| slot.enabled).flat_map(|slot| &slot.list.0).any(
        |destination| {
            let kind = facts.target_object(destination).and_then(|object| facts.kind_of(object));
            use Kind::{Condition, Flow, HuntList, Ivr, Queue, VoicemailBox};
            matches!(kind, Some(VoicemailBox | Condition | Flow | HuntList | Ivr | Queue))
        },
    )
}
