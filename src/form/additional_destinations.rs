//! Additional Destinations: where calls go instead of the members, or when nobody answers.

use super::rules::Rules;
use super::section::section;
use super::{Checked, Destination, Destinations, Facts, Form, TenantFacts};
use crate::domain::{Code, EmailList, Id, ObjectId, Problem, kind};

section! {
    "additional_destinations", "AdditionalDestinationsInput";
    /// Where calls go instead of the members or when nobody answers, and who is notified of missed calls. A list is
    /// kept while its switch is off, and cannot be empty while it is on.
    pub struct AdditionalDestinations {
        /// Whether every call goes straight to `unconditional`, ahead of all other destinations here. Off by default.
        pub unconditional_enabled: bool,
        /// Where every call goes while `unconditionalEnabled` is on, in order; at most 20.
        pub unconditional: Destinations,
        /// Whether calls go to `onCondition` while the condition in `conditionId` is true. Off by default.
        pub on_condition_enabled: bool,
        /// The condition that sends calls to `onCondition`, for example outside office hours. Required while
        /// `onConditionEnabled` is on.
        pub condition_id: Option<Id<kind::Condition>>,
        /// Where calls go while the condition is true, in order; at most 20.
        pub on_condition: Destinations,
        /// Whether calls go to `onBusy` when the extension is busy or set to Do Not Disturb. Off by default.
        pub on_busy_enabled: bool,
        /// Where calls go when the extension is busy, in order; at most 20.
        pub on_busy: Destinations,
        /// Whether calls go to `onOffline` when no member's phone is registered. Off by default.
        pub on_offline_enabled: bool,
        /// Where calls go when no member's phone is registered, in order; at most 20.
        pub on_offline: Destinations,
        /// Whether calls go to `onNoAnswer` when nobody answers in time. Off by default.
        pub on_no_answer_enabled: bool,
        /// Where calls go when nobody answers in time, in order; at most 20.
        pub on_no_answer: Destinations,
        /// The addresses that get an e-mail about each missed call, at most 20.
        pub missed_call_emails: EmailList,
        /// Whether a missed call from a colleague sends no e-mail. Off by default.
        pub ignore_internal_missed: bool,
        /// Whether a missed call that came from a queue sends no e-mail. Off by default.
        pub ignore_queue_missed: bool,
    }
}

impl Rules for AdditionalDestinations {
    const DEPENDS_ON: &'static [&'static str] = &["information", "followMe"];

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "additionalDestinations";
        let destinations = &form.additional_destinations;
        for Slot { switch, field, enabled, list } in destinations.slots() {
            checked.required_when(enabled && list.0.is_empty(), section, field, &format!("{switch} is on"));
            let own = |to: &Destination| facts.leads_back(to, form.information.number.as_ref());
            if let Some(i) = list.0.iter().position(own) {
                let problem = Problem::new(Code::SelfReference, "leads back to the extension itself");
                checked.errors.push(problem.under(list.0[i].field_name()).under(i).at(section, field));
            }
        }
        if let Some((i, next)) = destinations.certain_target(facts)
            && facts.own != Some(next)
            && let Some(way) = facts.path_back_to_self(next)
        {
            let rule = format!("leads back to the extension itself: {}", way.join(" → "));
            let problem = Problem::new(Code::RoutingLoop, rule).related(next);
            let step = destinations.unconditional.0[i].field_name();
            checked.errors.push(problem.under(step).under(i).at(section, "unconditional"));
        }
        let unconditioned = destinations.on_condition_enabled && destinations.condition_id.is_none();
        checked.required_when(unconditioned, section, "conditionId", "onConditionEnabled is on");
        let answered =
            destinations.on_no_answer_enabled || destinations.unconditional_enabled || form.follow_me.enabled;
        if !answered && !facts.defaults {
            let rule = "is off and there is no follow-me, so a call that nobody answers is dropped";
            checked.warn(section, "onNoAnswerEnabled", Code::CallsDropped, rule);
        }
    }
}

/// One row of the section: a switch and its list.
pub(super) struct Slot<'a> {
    switch: &'static str,
    field: &'static str,
    /// Whether the switch is on.
    pub(super) enabled: bool,
    /// Where calls go while the switch is on.
    pub(super) list: &'a Destinations,
}

impl AdditionalDestinations {
    /// The object that every call certainly reaches, with its position in `unconditional`.
    pub fn certain_target(&self, tenant: &TenantFacts) -> Option<(usize, ObjectId)> {
        let end = self.unconditional.last_step(tenant).filter(|_| self.unconditional_enabled)?;
        Some((end, tenant.target_object(&self.unconditional.0[end])?))
    }

    /// The five rows in form order.
    pub(super) fn slots(&self) -> [Slot<'_>; 5] {
        let slot = |switch, enabled, field, list| Slot { switch, field, enabled, list };
        [
            slot("unconditionalEnabled", self.unconditional_enabled, "unconditional", &self.unconditional),
            slot("onConditionEnabled", self.on_condition_enabled, "onCondition", &self.on_condition),
            slot("onBusyEnabled", self.on_busy_enabled, "onBusy", &self.on_busy),
            slot("onOfflineEnabled", self.on_offline_enabled, "onOffline", &self.on_offline),
            slot("onNoAnswerEnabled", self.on_no_answer_enabled, "onNoAnswer", &self.on_no_answer),
        ]
    }
}
