//! The spans of time of conditions.

use crate::domain::{DateTime, MinuteOfDay, Weekday};
use crate::form::section;

section! {
    "condition_span", "ConditionSpanInput";
    /// One span of time of a condition, from its start up to, but not including, its end.
    pub struct ConditionSpan {
        /// In the types WEEKDAY and WEEKTIME, the day of the week; null is every day in type WEEKTIME.
        pub weekday: Option<Weekday>,
        /// In the types WEEKTIME and HOURS, the time of day at which it starts; null is 00:00.
        pub from_time: Option<MinuteOfDay>,
        /// In the types WEEKTIME and HOURS, the time of day at which it ends; null is 24:00. Before the start, it is the next day's.
        pub to_time: Option<MinuteOfDay>,
        /// In type CALENDAR, the moment at which it starts; null is always before.
        pub starts_at: Option<DateTime>,
        /// In type CALENDAR, the moment at which it ends; null is never.
        pub ends_at: Option<DateTime>,
    }
}

impl ConditionSpan {
    /// Whether the times of day leave nothing between them.
    pub(super) fn has_no_minute(&self) -> bool {
        let (midnight, end) = (MinuteOfDay::at(0, 0), MinuteOfDay::at(24, 0));
        let (from, to) = (self.from_time.or(midnight), self.to_time.or(end));
        // The end of one day is the start of the next.
        from == to || (from == end && to == midnight)
    }

    /// Whether the moments leave nothing between them that is not past.
    pub(super) fn has_no_moment_from(&self, now: i64) -> bool {
        self.ends_at.is_some_and(|ends| ends.0 <= now || self.starts_at.is_some_and(|starts| starts >= ends))
    }
}
