//! Checks that one value alone cannot answer: fields that depend on each other, and on what stands around the form.
//!
//! [`check`] is a pure function of the form and of [`Facts`], which the service gathers in the same transaction. Rules
//! stand in the order of the form. A rule that must hold is an error; what only looks wrong is a warning.

use std::collections::HashMap;

use super::{
    Destination, Destinations, FollowMeCallerId, FollowMeDialMethod, Form, InternalCallerIdMode, OutboundMode,
    Reference, TwoFactorType,
};
use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem, SecretText};

/// What the tenant looks like around the form.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The extension itself; `None` for one that is being created and for the tenant's defaults.
    pub own: Option<ObjectId>,
    /// Whether the form is the tenant's defaults, which have no number, name or login.
    pub defaults: bool,
    /// Who holds the form's number, if it is somebody else.
    pub number_holder: Option<Holder>,
    /// Parking slots that contain the form's number.
    pub parking: Option<SlotRange>,
    /// A free number near the form's number.
    pub free_number: Option<ExtensionNumber>,
    /// Whether another extension has the form's login name.
    pub login_taken: bool,
    /// Whether the tenant has transcription, and summaries and moods of transcripts.
    pub transcription: bool,
    /// Whether the tenant has AI summaries and moods of transcripts.
    pub ai: bool,
    /// Whether the tenant has an LDAP server.
    pub ldap: bool,
    /// Whether the external caller ID is one of the tenant's outside numbers.
    pub owns_external_number: bool,
    /// Every object that the form refers to and that exists in the tenant.
    pub known: HashMap<ObjectId, Known>,
    /// The object that an internal number in follow-me leads to.
    pub follow_me_target: Option<ObjectId>,
}

/// Who has a number.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The object.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// The slots of a parking lot, both ends included.
#[derive(Clone, Debug)]
pub struct SlotRange {
    /// The lot.
    pub lot: ObjectId,
    /// Its name.
    pub name: String,
    /// The first slot.
    pub first: String,
    /// The last slot.
    pub last: String,
}

/// What the checks must know of an object that the form refers to.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is.
    pub kind: Kind,
    /// Its name, for messages.
    pub name: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Of a condition: whether it only asks the time.
    pub of_time: bool,
    /// Of a condition: whether it can never be true (again).
    pub never_true: bool,
    /// Of a user profile: whether it is for the panel.
    pub for_panel: bool,
}

/// The verdict on a form.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Rules that are broken: the form cannot be saved.
    pub errors: Vec<Problem>,
    /// What looks wrong: the form can be saved.
    pub warnings: Vec<Problem>,
}

impl Checked {
    fn error(&mut self, section: &str, field: &str, problem: Problem) {
        self.errors.push(problem.at(section, field));
    }

    fn warn(&mut self, section: &str, field: &str, code: Code, rule: impl Into<String>) {
        self.warnings.push(Problem::new(code, rule).at(section, field));
    }

    /// An error when something is on that needs something else.
    fn required_when(&mut self, broken: bool, section: &str, field: &str, why: &str) {
        if broken {
            self.error(section, field, Problem::new(Code::RequiredWhen, format!("is required when {why}")));
        }
    }
}

/// Checks a whole form. `password` is what the client sent as a new web password, which must not be the name or number.
pub fn check(form: &Form, password: Option<&SecretText>, facts: &Facts) -> Checked {
    let mut checked = Checked::default();
    references(form, facts, &mut checked);
    information(form, facts, &mut checked);
    outbound_recording(form, facts, &mut checked);
    security(form, facts, &mut checked);
    web_user_panel(form, password, facts, &mut checked);
    outbound_calls(form, facts, &mut checked);
    follow_me(form, facts, &mut checked);
    additional_destinations(form, facts, &mut checked);
    checked
}

/// Every reference leads to an enabled object of a kind that fits.
fn references(form: &Form, facts: &Facts, checked: &mut Checked) {
    form.references(&mut |reference| {
        let Reference { object, kinds, path } = reference;
        let problem = |code, rule: String| Problem {
            path: path.clone(),
            ..Problem::new(code, rule).value(object.opaque().as_str())
        };
        let member = path.iter().any(|step| step == "memberIds");
        match facts.known.get(&object) {
            // Another tenant's object and one that never was answer alike.
            None => checked.errors.push(Problem { path, ..Problem::not_found(kinds, &object.opaque()) }),
            Some(known) if !kinds.contains(&known.kind) && member => {
                let rule = format!("must be a real extension, not the {} {}", known.kind.label(), known.name);
                checked.errors.push(problem(Code::MemberNotReal, rule).related(object));
            }
            Some(known) if !kinds.contains(&known.kind) => {
                let fitting = kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                let rule = format!("must be one of: {fitting}; {} is a {}", known.name, known.kind.label());
                checked.errors.push(problem(Code::WrongKind, rule).related(object));
            }
            Some(known) if !known.enabled => {
                let code = if member { Code::MemberDisabled } else { Code::ReferenceDisabled };
                checked
                    .warnings
                    .push(problem(code, format!("points at {}, which is disabled", known.name)).related(object));
            }
            Some(known) if known.never_true => {
                let rule = format!("points at the condition {}, which can never be true", known.name);
                checked.warnings.push(problem(Code::NeverTrue, rule).related(object));
            }
            Some(_) => {}
        }
    });
}

fn information(form: &Form, facts: &Facts, checked: &mut Checked) {
    let section = "information";
    let info = &form.information;
    if facts.defaults {
        if let Some(number) = &info.number {
            checked.error(
                section,
                "number",
                Problem::new(Code::Contradiction, "cannot be a default, it is unique").value(number.as_str()),
            );
        }
    } else {
        if info.number.is_none() {
            let mut problem = Problem::new(Code::Required, "is required");
            problem.suggestion = facts.free_number.as_ref().map(|n| n.as_str().to_owned());
            checked.error(section, "number", problem);
        }
        if info.name.is_empty() {
            checked.error(section, "name", Problem::new(Code::Required, "is required"));
        }
    }
    if let Some(number) = &info.number {
        let mut taken = |mut problem: Problem, by| {
            problem = problem.value(number.as_str()).related(by);
            problem.suggestion = facts.free_number.as_ref().map(|n| n.as_str().to_owned());
            checked.error(section, "number", problem);
        };
        if let Some(Holder { object, kind, name }) = &facts.number_holder {
            taken(Problem::new(Code::NumberTaken, format!("is taken by the {} {name}", kind.label())), *object);
        }
        if let Some(SlotRange { lot, name, first, last }) = &facts.parking {
            let rule = format!("lies in the slots {first} to {last} of the parking lot {name}");
            taken(Problem::new(Code::NumberReserved, rule), *lot);
        }
    }
    let custom = info.internal_caller_id_mode == InternalCallerIdMode::Custom;
    let why = "internalCallerIdMode is CUSTOM";
    checked.required_when(custom && info.internal_caller_id_name.is_empty(), section, "internalCallerIdName", why);
    checked.required_when(custom && info.internal_caller_id_number.is_none(), section, "internalCallerIdNumber", why);
    if info.voicemail_mwi_mailbox_id.is_some() && !reaches_voicemail(form, facts) {
        let rule = "lights a lamp, but no switched-on destination leads to a voicemail box";
        checked.warn(section, "voicemailMwiMailboxId", Code::VoicemailNeverReached, rule);
    }
}

/// Whether a call can reach some voicemail box, or a condition whose own destinations the form cannot see.
fn reaches_voicemail(form: &Form, facts: &Facts) -> bool {
    slots(form).filter(|slot| slot.enabled).flat_map(|slot| &slot.list.0).any(|destination| {
        let kind = destination.leads_to().and_then(|o| facts.known.get(&o)).map(|known| known.kind);
        matches!(kind, Some(Kind::VoicemailBox | Kind::Condition))
    })
}

fn outbound_recording(form: &Form, facts: &Facts, checked: &mut Checked) {
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

fn security(form: &Form, facts: &Facts, checked: &mut Checked) {
    let name = "security";
    let security = &form.security;
    let regex = security.outbound_mode == OutboundMode::Regex;
    checked.required_when(regex && security.outbound_regex.is_none(), name, "outboundRegex", "outboundMode is REGEX");
    checked.required_when(security.locked && !security.lock_pin.is_set(), name, "lockPin", "locked is on");
    let hours = security.working_hours_condition_id;
    checked.required_when(
        security.working_hours_enabled && hours.is_none(),
        name,
        "workingHoursConditionId",
        "workingHoursEnabled is on",
    );
    if let Some((id, known)) = hours.and_then(|id| Some((id.object(), facts.known.get(&id.object())?)))
        && known.kind == Kind::Condition
        && !known.of_time
    {
        let rule = format!(
            "must be a condition that only asks the time (weekday, weektime, hours, calendar); {} is not",
            known.name
        );
        let problem = Problem::new(Code::WrongKind, rule).value(id.opaque().as_str()).related(id);
        checked.error(name, "workingHoursConditionId", problem);
    }
}

fn web_user_panel(form: &Form, password: Option<&SecretText>, facts: &Facts, checked: &mut Checked) {
    let section = "webUserPanel";
    let panel = &form.web_user_panel;
    if facts.defaults && panel.web_user.is_some() {
        checked.error(section, "webUser", Problem::new(Code::Contradiction, "cannot be a default, it is unique"));
    }
    if let (Some(user), true) = (&panel.web_user, facts.login_taken) {
        let suggestion =
            form.information.number.as_ref().map(|number| format!("{}-{}", user.as_str(), number.as_str()));
        let problem = Problem { suggestion, ..Problem::new(Code::LoginTaken, "is in use").value(user.as_str()) };
        checked.error(section, "webUser", problem);
    }
    if !facts.defaults {
        let on = panel.user_panel_enabled;
        checked.required_when(on && panel.web_user.is_none(), section, "webUser", "userPanelEnabled is on");
        let locked_out = on && !panel.use_ldap && !panel.web_password.is_set();
        checked.required_when(locked_out, section, "webPassword", "userPanelEnabled is on and useLdap is off");
    }
    if let Some(password) = password {
        let password = password.expose().to_lowercase();
        let number = form.information.number.as_ref().map(|n| n.as_str().to_owned());
        let name = form.information.name.as_str().to_lowercase();
        let user = panel.web_user.as_ref().map(|u| u.as_str().to_lowercase());
        if Some(&password) == number.as_ref() || Some(&password) == user.as_ref() || password == name {
            checked.error(
                section,
                "webPassword",
                Problem::new(Code::WeakPassword, "must not be the number, the name or the login"),
            );
        }
    }
    if panel.use_ldap && !facts.ldap {
        checked.error(
            section,
            "useLdap",
            Problem::new(Code::NoLdapServer, "needs an LDAP server, and the tenant has none"),
        );
    }
    let factor = panel.two_factor_type;
    let seedless = factor == TwoFactorType::Totp && !panel.two_factor_secret.is_set();
    checked.required_when(seedless, section, "twoFactorSecret", "twoFactorType is TOTP");
    let addressless = factor == TwoFactorType::Email && panel.notification_email.is_none();
    checked.required_when(addressless, section, "notificationEmail", "twoFactorType is EMAIL");
    let phoneless = factor == TwoFactorType::Sms && !panel.two_factor_mobile.is_set();
    checked.required_when(phoneless, section, "twoFactorMobile", "twoFactorType is SMS");
    checked.required_when(panel.use_ip_filter && panel.ip_filter.is_empty(), section, "ipFilter", "useIpFilter is on");
    if let Some((id, known)) = panel.user_profile_id.and_then(|id| Some((id.object(), facts.known.get(&id.object())?)))
        && known.kind == Kind::UserProfile
        && !known.for_panel
    {
        let rule = format!("must be a profile for the panel; {} is not", known.name);
        let problem = Problem::new(Code::WrongKind, rule).value(id.opaque().as_str()).related(id);
        checked.error(section, "userProfileId", problem);
    }
}

fn outbound_calls(form: &Form, facts: &Facts, checked: &mut Checked) {
    let section = "outboundCalls";
    let calls = &form.outbound_calls;
    if let Some(number) = &calls.external_caller_id_number
        && !facts.owns_external_number
    {
        let rule = format!("is not one of the tenant's outside numbers: {}", number.as_str());
        checked.warn(section, "externalCallerIdNumber", Code::NumberNotOwned, rule);
    }
    if calls.use_this_caller_id_in_virtual && calls.external_caller_id_number.is_none() {
        let rule = "has no effect while externalCallerIdNumber is empty";
        checked.warn(section, "useThisCallerIdInVirtual", Code::NoEffect, rule);
    }
    if calls.area_code_min_digits > calls.area_code_max_digits {
        let rule = format!("must not be greater than areaCodeMaxDigits, {}", calls.area_code_max_digits.get());
        checked.error(
            section,
            "areaCodeMinDigits",
            Problem::new(Code::OutOfRange, rule).value(calls.area_code_min_digits.get()),
        );
    }
    for (i, list) in calls.only_allow_call_list_ids.ids().iter().enumerate() {
        if calls.do_not_call_list_ids.ids().contains(list) {
            let problem =
                Problem::new(Code::Contradiction, "is also in doNotCallListIds").value(list.object().opaque().as_str());
            checked.errors.push(problem.related(list.object()).under(i).at(section, "onlyAllowCallListIds"));
        }
    }
}

fn follow_me(form: &Form, facts: &Facts, checked: &mut Checked) {
    let section = "followMe";
    let follow = &form.follow_me;
    if !facts.defaults {
        checked.required_when(follow.enabled && follow.number.is_none(), section, "number", "enabled is on");
    }
    let fixed = follow.caller_id_mode == FollowMeCallerId::Fixed && follow.fixed_caller_id.is_none();
    checked.required_when(fixed, section, "fixedCallerId", "callerIdMode is FIXED");
    let Some(number) = &follow.number else { return };
    let own = form.information.number.as_ref().is_some_and(|own| own.as_str() == number.as_str());
    if own || (facts.own.is_some() && facts.follow_me_target == facts.own) {
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

/// One row of Additional Destinations.
struct Slot<'a> {
    switch: &'static str,
    field: &'static str,
    enabled: bool,
    list: &'a Destinations,
}

fn slots(form: &Form) -> impl Iterator<Item = Slot<'_>> {
    let d = &form.additional_destinations;
    [
        Slot {
            switch: "unconditionalEnabled",
            field: "unconditional",
            enabled: d.unconditional_enabled,
            list: &d.unconditional,
        },
        Slot {
            switch: "onConditionEnabled",
            field: "onCondition",
            enabled: d.on_condition_enabled,
            list: &d.on_condition,
        },
        Slot { switch: "onBusyEnabled", field: "onBusy", enabled: d.on_busy_enabled, list: &d.on_busy },
        Slot { switch: "onOfflineEnabled", field: "onOffline", enabled: d.on_offline_enabled, list: &d.on_offline },
        Slot {
            switch: "onNoAnswerEnabled",
            field: "onNoAnswer",
            enabled: d.on_no_answer_enabled,
            list: &d.on_no_answer,
        },
    ]
    .into_iter()
}

fn additional_destinations(form: &Form, facts: &Facts, checked: &mut Checked) {
    let section = "additionalDestinations";
    let destinations = &form.additional_destinations;
    for slot in slots(form) {
        checked.required_when(
            slot.enabled && slot.list.0.is_empty(),
            section,
            slot.field,
            &format!("{} is on", slot.switch),
        );
        list(slot.list, section, slot.field, facts, checked);
    }
    list(&form.call_settings.dial_by_name_destinations, "callSettings", "dialByNameDestinations", facts, checked);
    let unasked = destinations.on_condition_enabled && destinations.condition_id.is_none();
    checked.required_when(unasked, section, "conditionId", "onConditionEnabled is on");
    let answered = destinations.on_no_answer_enabled || destinations.unconditional_enabled || form.follow_me.enabled;
    if !answered && !facts.defaults {
        let rule = "is off and there is no follow-me, so a call that nobody answers is dropped";
        checked.warn(section, "onNoAnswerEnabled", Code::CallsDropped, rule);
    }
}

/// A list must not lead to its own extension, and nothing should stand behind a step that ends the call.
fn list(list: &Destinations, section: &str, field: &str, facts: &Facts, checked: &mut Checked) {
    let own = |destination: &Destination| destination.leads_to().is_some() && destination.leads_to() == facts.own;
    // A directory entry that leads to the extension itself is what an empty list means.
    if let (Some(i), "additionalDestinations") = (list.0.iter().position(own), section) {
        let problem =
            Problem::new(Code::SelfReference, "leads back to the extension itself").under("objectId").under(i);
        checked.errors.push(problem.at(section, field));
    }
    let plays_on = |destination: &Destination| {
        destination.leads_to().and_then(|o| facts.known.get(&o)).is_some_and(|known| known.kind == Kind::MediaFile)
    };
    if let Some(last) = list.0.iter().position(|destination| !plays_on(destination))
        && last + 1 < list.0.len()
    {
        let rule = format!("is never reached: entry {last} ends the list");
        checked.warnings.push(Problem::new(Code::UnreachableDestination, rule).under(last + 1).at(section, field));
    }
}
