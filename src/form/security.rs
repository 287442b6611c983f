//! Security: which outside numbers may be dialled, when and for how long, and the lock.

use super::rules::Rules;
use super::section::section;
use super::{AreaCode, Checked, Expression, Facts, Form, Samples};
use crate::domain::{Code, Id, Kind, Pattern, Pin, Problem, Seconds, Secret, Text, choice, kind};

section! {
    "security", "SecurityInput";
    /// Which outside numbers may be dialled, when and for how long, and the lock.
    pub struct Security {
        /// Whether the extension may dial all outside numbers, none, or only those that match `outboundRegex`. `ALL` by
        /// default.
        pub outbound_mode: OutboundMode,
        /// The expression that an outside number must match to be dialled in mode `REGEX`, which requires it. It is
        /// tried after the area code has been added.
        pub outbound_regex: Option<Pattern>,
        /// A note for administrators on why calls are restricted, at most 255 characters.
        pub outbound_block_reason: Text<255>,
        /// The PIN with which the user locks and unlocks the extension: 4 to 10 digits, neither one repeated digit nor
        /// a run such as 1234. Write-only: `lockPinSet` tells whether there is one.
        pub lock_pin: Secret<Pin>,
        /// Whether the extension is locked, which needs a `lockPin`. It still takes calls, but the only outside numbers
        /// it can dial are emergency ones. Off by default.
        pub locked: bool,
        /// How long an outside call may last before it is cut off: 1 to 86400 seconds. 0, the default, is no limit.
        pub max_outbound_seconds: Seconds<0, 86_400>,
        /// Whether outside calls are allowed only while the condition in `workingHoursConditionId` is true. Off by
        /// default.
        pub working_hours_enabled: bool,
        /// The condition that defines the working hours. It must depend on the time alone: weekday, weektime, hours or
        /// calendar, or a combination of these.
        pub working_hours_condition_id: Option<Id<kind::Condition>>,
    }
}

impl Rules for Security {
    fn copied(self) -> Self {
        Self { lock_pin: Secret::default(), locked: false, ..self }
    }

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let name = "security";
        let security = &form.security;
        let regex = security.outbound_mode == OutboundMode::Regex;
        checked.required_when(
            regex && security.outbound_regex.is_none(),
            name,
            "outboundRegex",
            "outboundMode is REGEX",
        );
        checked.required_when(security.locked && !security.lock_pin.is_set(), name, "lockPin", "locked is on");
        let hours = security.working_hours_condition_id;
        checked.required_when(
            security.working_hours_enabled && hours.is_none(),
            name,
            "workingHoursConditionId",
            "workingHoursEnabled is on",
        );
        if let Some((id, known)) = hours.and_then(|id| Some((id.object(), facts.referenced.get(&id.object())?)))
            && known.kind == Kind::Condition
            && !known.time_only
        {
            let rule = format!(
                "must be a condition that depends on the time alone (weekday, weektime, hours, calendar); {} does not",
                known.name
            );
            let problem = Problem::new(Code::WrongKind, rule).value(id.opaque().as_str()).related(id);
            checked.error(name, "workingHoursConditionId", problem);
        }
    }

    /// The expression is applied after the area code has been added.
    fn expressions<'a>(form: &'a Form, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        let Some(pattern) = &form.security.outbound_regex else { return };
        if form.security.outbound_mode == OutboundMode::Regex {
            let area = form.outbound_calls.effective_area_code(area);
            visit(Expression::new(pattern, Samples::Dialled(area), &["security", "outboundRegex"]));
        }
    }
}

choice! {
    /// Which outside numbers an extension may dial.
    pub enum OutboundMode {
        /// All outside numbers.
        All = "ALL",
        /// No outside numbers except emergency ones.
        None = "NONE",
        /// Only those that match `outboundRegex`.
        Regex = "REGEX",
    }
}
