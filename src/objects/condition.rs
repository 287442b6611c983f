//! Conditions: true or false at the time of a call.

use super::problems::required_when;
use super::{ConditionSpan, Detail, Named};
use crate::domain::{Code, Kind, ObjectId, Pattern, Problem, TimeZone, choice, kind};
use crate::form::{AreaCode, Checked, Destinations, Entries, Expression, Facts, Links, TenantFacts, Samples, section};

section! {
    "condition", "ConditionInput";
    /// A condition that is true or false at the time of a call. Its type decides which of the other fields matter.
    pub struct Condition {
        /// What the condition depends on. `WEEKDAY` by default.
        pub condition_type: ConditionType,
        /// The IANA time zone in which weekdays and times of day are read, such as Europe/Rome; null uses the tenant's.
        pub timezone: Option<TimeZone>,
        /// For the types `WEEKDAY`, `WEEKTIME`, `HOURS` and `CALENDAR`: the spans of time during which the condition is
        /// true. At most 3 for `HOURS`, 1000 for the others.
        pub spans: Entries<ConditionSpan>,
        /// For the types `ALL_OF`, `ANY_OF` and `NOT`: the conditions that this one combines, at most 32. It cannot
        /// contain itself.
        pub part_ids: Links<kind::Condition, 32>,
        /// For the type `EXTENSION_STATUS`: the real extensions whose state counts, at most 64.
        pub extension_ids: Links<kind::Extension, 64>,
        /// For the type `EXTENSION_STATUS`: the state that the extensions must be in. `ONLINE` by default.
        pub extension_state: ExtensionState,
        /// For the type `EXTENSION_STATUS`: whether all of the extensions must be in the state or one is enough. `ALL`
        /// by default.
        pub combine: ConditionCombine,
        /// For the type `CALLER_ID`: the expression that the caller's number must match.
        pub caller_id_pattern: Option<Pattern>,
        /// Where a call goes if the condition is true, in order; at most 20.
        pub true_destinations: Destinations,
        /// Where a call goes if the condition is false, in order; at most 20.
        pub false_destinations: Destinations,
    }
}

choice! {
    /// What a condition depends on.
    pub enum ConditionType {
        /// True on certain days of the week.
        Weekday = "WEEKDAY",
        /// True during certain spans of the week.
        Weektime = "WEEKTIME",
        /// True during at most three spans of every day.
        Hours = "HOURS",
        /// True between two moments, for example over a holiday.
        Calendar = "CALENDAR",
        /// True if all of its parts are true.
        AllOf = "ALL_OF",
        /// True if at least one of its parts is true.
        AnyOf = "ANY_OF",
        /// True if none of its parts is true.
        Not = "NOT",
        /// True if real extensions are in a certain state.
        ExtensionStatus = "EXTENSION_STATUS",
        /// True if the caller's number matches an expression.
        CallerId = "CALLER_ID",
    }
}

choice! {
    /// The state of an extension. A virtual extension is in a state if one of its members is.
    pub enum ExtensionState {
        /// Its phone is registered, whether or not it is in a call.
        Online = "ONLINE",
        /// Its phone is not registered.
        Offline = "OFFLINE",
        /// Its phone is registered and not in a call.
        Idle = "IDLE",
        /// It is in a call.
        InUse = "IN_USE",
        /// It is ringing.
        Ringing = "RINGING",
    }
}

choice! {
    /// How many of several extensions must be in the state.
    pub enum ConditionCombine {
        /// All of them.
        All = "ALL",
        /// At least one of them.
        Any = "ANY",
    }
}

impl Condition {
    /// Whether the condition depends on the time alone.
    pub fn time_only(&self) -> bool {
        use ConditionType::{Calendar, Hours, Weekday, Weektime};
        matches!(self.condition_type, Weekday | Weektime | Hours | Calendar)
    }

    /// Whether the condition can never be true at or after `now`, in epoch milliseconds, whatever its parts are.
    pub fn never_true_alone(&self, now: i64) -> bool {
        let spans = &self.spans.0;
        match self.condition_type {
            ConditionType::Weekday => spans.iter().all(|span| span.weekday.is_none()),
            ConditionType::Weektime | ConditionType::Hours => spans.iter().all(ConditionSpan::has_no_minute),
            ConditionType::Calendar => spans.iter().all(|span| span.has_no_moment_from(now)),
            ConditionType::AllOf | ConditionType::AnyOf | ConditionType::Not => self.part_ids.is_empty(),
            ConditionType::ExtensionStatus => self.extension_ids.is_empty(),
            ConditionType::CallerId => self.caller_id_pattern.is_none(),
        }
    }
}

impl Condition {
    /// The field that decides whether the condition is true.
    fn deciding_field(&self) -> &'static str {
        match self.condition_type {
            ConditionType::Weekday | ConditionType::Weektime | ConditionType::Hours | ConditionType::Calendar => {
                "spans"
            }
            ConditionType::AllOf | ConditionType::AnyOf | ConditionType::Not => "partIds",
            ConditionType::ExtensionStatus => "extensionIds",
            ConditionType::CallerId => "callerIdPattern",
        }
    }
}

impl Detail for Condition {
    const KIND: Kind = Kind::Condition;
    type Common = Named;

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        let spans = &self.spans.0;
        if self.condition_type == ConditionType::Hours && spans.len() > 3 {
            let rule = "must have at most 3 entries when conditionType is HOURS";
            report(Problem::new(Code::OutOfRange, rule).value(spans.len()).under("spans"));
        }
        for (i, span) in spans.iter().enumerate() {
            let mut report = |field: &str, problem: Problem| report(problem.under(field).under(i).under("spans"));
            match self.condition_type {
                ConditionType::Weekday if span.weekday.is_none() => {
                    report("weekday", required_when("conditionType is WEEKDAY"));
                }
                ConditionType::Calendar
                    if span.starts_at.zip(span.ends_at).is_some_and(|(starts, ends)| starts >= ends) =>
                {
                    report("endsAt", Problem::new(Code::Contradiction, "must be later than startsAt"));
                }
                _ => {}
            }
        }
    }

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        for (i, part) in self.part_ids.ids().iter().enumerate() {
            if let Some(path) = facts.path_back_to_self(part.object()) {
                let problem = Problem::new(Code::RoutingLoop, format!("contains itself: {}", path.join(" → ")));
                checked.errors.push(problem.related(part.object()).under(i).under("partIds"));
            }
        }
        if self.never_true_alone(facts.now) {
            let why = match self.condition_type {
                ConditionType::Calendar => "lies in the past or is empty, so the condition can never be true",
                _ => "has nothing that could make the condition true",
            };
            checked.warnings.push(Problem::new(Code::NeverTrue, why).under(self.deciding_field()));
        }
    }

    fn expressions<'a>(&'a self, _: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        if let Some(pattern) =
            self.caller_id_pattern.as_ref().filter(|_| self.condition_type == ConditionType::CallerId)
        {
            visit(Expression::new(pattern, Samples::Callers, &["callerIdPattern"]));
        }
    }

    fn certain_targets(&self, _: &TenantFacts) -> Vec<ObjectId> {
        self.part_ids.ids().iter().map(|part| part.object()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DateTime, Id, MinuteOfDay, Patch, Scalar, TenantId, Weekday};
    use crate::form;

    const NOW: i64 = 1_000_000;

    fn condition(condition_type: ConditionType, spans: &[ConditionSpan]) -> Condition {
        let blank = form::build(&Patch::default(), &mut |p| panic!("{p:?}")).unwrap();
        Condition { condition_type, spans: Entries(spans.to_vec()), ..blank }
    }

    fn span() -> ConditionSpan {
        ConditionSpan { weekday: None, from_time: None, to_time: None, starts_at: None, ends_at: None }
    }

    fn times(from: Option<(i64, i64)>, to: Option<(i64, i64)>) -> ConditionSpan {
        let time = |t: Option<(i64, i64)>| t.map(|(hour, minute)| MinuteOfDay::at(hour, minute).unwrap());
        ConditionSpan { from_time: time(from), to_time: time(to), ..span() }
    }

    fn moments(starts: Option<i64>, ends: Option<i64>) -> ConditionSpan {
        ConditionSpan { starts_at: starts.map(DateTime), ends_at: ends.map(DateTime), ..span() }
    }

    fn id<K>(local: i64) -> Id<K> {
        Id::new(ObjectId { tenant: TenantId(1), local })
    }

    #[test]
    fn four_types_depend_on_the_time_alone() {
        let timed = [ConditionType::Weekday, ConditionType::Weektime, ConditionType::Hours, ConditionType::Calendar];
        for word in
            ["WEEKDAY", "WEEKTIME", "HOURS", "CALENDAR", "ALL_OF", "ANY_OF", "NOT", "EXTENSION_STATUS", "CALLER_ID"]
        {
            let condition_type = ConditionType::from_word(word).unwrap();
            assert_eq!(condition(condition_type, &[]).time_only(), timed.contains(&condition_type), "{word}");
            assert!(condition(condition_type, &[]).never_true_alone(NOW), "{word}");
        }
    }

    #[test]
    fn a_weekday_is_true_once_a_week() {
        let sunday = ConditionSpan { weekday: Some(Weekday::Sunday), ..span() };
        assert!(!condition(ConditionType::Weekday, &[span(), sunday]).never_true_alone(NOW));
        assert!(condition(ConditionType::Weekday, &[span()]).never_true_alone(NOW));
    }

    #[test]
    fn equal_times_leave_nothing() {
        for of in [ConditionType::Weektime, ConditionType::Hours] {
            let never = |from, to| condition(of, &[times(from, to)]).never_true_alone(NOW);
            assert!(!never(Some((9, 0)), Some((17, 0))));
            assert!(!never(Some((22, 0)), Some((6, 0))), "it crosses midnight");
            assert!(!never(None, None), "it is the whole day");
            assert!(!never(Some((24, 0)), Some((6, 0))), "it starts at midnight");
            assert!(never(Some((9, 0)), Some((9, 0))));
            assert!(never(Some((24, 0)), Some((0, 0))));
            assert!(never(Some((24, 0)), None));
            assert!(never(None, Some((0, 0))));
            let one_of_two = [times(Some((9, 0)), Some((9, 0))), times(Some((9, 0)), Some((10, 0)))];
            assert!(!condition(of, &one_of_two).never_true_alone(NOW));
        }
    }

    #[test]
    fn a_calendar_ends() {
        let never = |starts, ends| condition(ConditionType::Calendar, &[moments(starts, ends)]).never_true_alone(NOW);
        assert!(never(Some(1), Some(NOW - 1)));
        assert!(never(Some(1), Some(NOW)), "its end is exclusive");
        assert!(never(Some(NOW + 9), Some(NOW + 9)));
        assert!(!never(Some(1), Some(NOW + 1)));
        assert!(!never(Some(NOW + 1), Some(NOW + 2)));
        assert!(!never(Some(1), None));
        assert!(!never(None, None));
        let past_and_future = [moments(Some(1), Some(2)), moments(Some(NOW), Some(NOW + 1))];
        assert!(!condition(ConditionType::Calendar, &past_and_future).never_true_alone(NOW));
    }

    #[test]
    fn the_other_types_need_their_fields() {
        for of in [ConditionType::AllOf, ConditionType::AnyOf, ConditionType::Not] {
            let made = Condition { part_ids: [id(1)].into_iter().collect(), ..condition(of, &[]) };
            assert!(!made.never_true_alone(NOW));
        }
        let status = condition(ConditionType::ExtensionStatus, &[]);
        assert!(!Condition { extension_ids: [id(1)].into_iter().collect(), ..status }.never_true_alone(NOW));
        let pattern = Pattern::parse(&"^0".into()).unwrap();
        let caller = condition(ConditionType::CallerId, &[]);
        assert!(!Condition { caller_id_pattern: Some(pattern), ..caller }.never_true_alone(NOW));
    }

    #[test]
    fn spans_must_fit_the_type() {
        let problems = |condition: Condition| {
            let mut found = Vec::new();
            condition.check(&mut |p| found.push((p.path.join("."), p.code)));
            found
        };
        assert_eq!(problems(condition(ConditionType::Hours, &vec![span(); 3])), []);
        assert_eq!(problems(condition(ConditionType::Hours, &vec![span(); 4])), [("spans".into(), Code::OutOfRange)]);
        assert_eq!(
            problems(condition(ConditionType::Weekday, &[span()])),
            [("spans.0.weekday".into(), Code::RequiredWhen)]
        );
        let backwards = condition(ConditionType::Calendar, &[span(), moments(Some(2), Some(1))]);
        assert_eq!(problems(backwards), [("spans.1.endsAt".into(), Code::Contradiction)]);
    }
}
