//! Spans of time in conditions.

use crate::domain::{DateTime, MinuteOfDay, Weekday};
use crate::form::section;

section! {
    "condition_span", "ConditionSpanInput";
    /// One span of time of a condition. It includes its start but not its end.
    pub struct ConditionSpan {
        /// For the types `WEEKDAY` and `WEEKTIME`: the day of the week. `WEEKDAY` requires it; in a `WEEKTIME`, null
        /// means every day.
        pub weekday: Option<Weekday>,
        /// For the types `WEEKTIME` and `HOURS`: the time of day at which the span starts; null means 00:00.
        pub from_time: Option<MinuteOfDay>,
        /// For the types `WEEKTIME` and `HOURS`: the time of day at which the span ends; null means 24:00. If it is
        /// before `fromTime`, the span ends on the next day.
        pub to_time: Option<MinuteOfDay>,
        /// For the type `CALENDAR`: the moment at which the span starts; null means that it has no start.
        pub starts_at: Option<DateTime>,
        /// For the type `CALENDAR`: the moment at which the span ends, which must be later than `startsAt`; null means
        /// that it has no end.
        pub ends_at: Option<DateTime>,
    }
}

impl ConditionSpan {
    /// Whether the times of day enclose no time.
    pub(super) fn has_no_minute(&self) -> bool {
        let (midnight, end) = (MinuteOfDay::at(0, 0), MinuteOfDay::at(24, 0));
        let (from, to) = (self.from_time.or(midnight), self.to_time.or(end));
        // The end of one day is the start of the next.
        from == to || (from == end && to == midnight)
    }

    /// Whether the span is empty or over at `now`.
    pub(super) fn has_no_moment_from(&self, now: i64) -> bool {
        self.ends_at.is_some_and(|ends| ends.0 <= now || self.starts_at.is_some_and(|starts| starts >= ends))
    }
}
