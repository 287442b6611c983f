//! Dates and times, times of day, time zones and durations.

use std::time::Duration;

use serde_json::Value as Json;

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, choice, scalar};

/// A moment: epoch milliseconds inside, RFC 3339 in UTC outside.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DateTime(pub i64);

impl DateTime {
    /// The first moment that can be shown: the start of the year 1. RFC 3339 has no signs.
    pub const FIRST: i64 = -62_135_596_800_000;
    /// The last moment that can be shown, on the second to last day of the year 9999.
    pub const LAST: i64 = 253_402_207_200_000;

    /// Whether RFC 3339 can show this moment.
    pub fn is_shown(self) -> bool {
        (Self::FIRST..=Self::LAST).contains(&self.0)
    }

    /// The problem of a moment that cannot be shown.
    fn out_of_range() -> Problem {
        Problem::new(Code::OutOfRange, "must be a date and time from 0001-01-01 to 9999-12-30")
    }
}

impl Scalar for DateTime {
    const TAKES: Shape = scalar!(
        /// A date and time in UTC in the format of RFC 3339, such as `2026-11-23T09:00:00Z`.
        "DateTime", String, "https://scalars.graphql.org/andimarek/date-time"
    );

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        let text = sent.text()?;
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            Problem::new(Code::InvalidFormat, "must be a date and time such as 2026-11-23T09:00:00Z").value(text)
        })?;
        let moment = Self(moment.as_millisecond());
        if moment.is_shown() { Ok(moment) } else { Err(Self::out_of_range().value(text)) }
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }

    /// A stored moment that cannot be shown stays readable; `vext verify` reports it.
    fn from_value(value: Value) -> Result<Self, Problem> {
        value.int().map(Self).ok_or_else(|| corrupt("a date and time"))
    }

    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        let moment = Self::from_value(value)?;
        if moment.is_shown() { Ok(moment) } else { Err(Self::out_of_range().value(moment.0)) }
    }

    /// A moment that cannot be shown is answered as the nearest one that can, because the field may not be nullable.
    fn answer(&self) -> Json {
        let nearest = self.0.clamp(Self::FIRST, Self::LAST);
        jiff::Timestamp::from_millisecond(nearest).map_or(Json::Null, |moment| moment.to_string().into())
    }
}

/// A wall-clock time as minutes since midnight: 0 to 1440, where 1440 is the end of the day.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct MinuteOfDay(i64);

impl MinuteOfDay {
    /// `hour:minute`, or `None` outside 00:00 to 24:00.
    pub fn at(hour: i64, minute: i64) -> Option<Self> {
        let fits = (0..=24).contains(&hour) && (0..=59).contains(&minute) && hour * 60 + minute <= 1440;
        fits.then_some(Self(hour * 60 + minute))
    }
}

impl Scalar for MinuteOfDay {
    const TAKES: Shape = scalar!(
        /// A time of day in the format `HH:MM`, from `00:00` to `24:00`.
        "TimeOfDay", String
    );

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        let text = sent.text()?;
        let digits = |text: &str| {
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
        };
        text.split_once(':')
            .and_then(|(hour, minute)| Self::at(digits(hour)?, digits(minute)?))
            .ok_or_else(|| Problem::new(Code::InvalidFormat, "must be a time from 00:00 to 24:00").value(text))
    }

    fn to_value(&self) -> Value {
        self.0.into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        value.int().filter(|n| (0..=1440).contains(n)).map(Self).ok_or_else(|| corrupt("a time of day"))
    }

    fn answer(&self) -> Json {
        format!("{:02}:{:02}", self.0 / 60, self.0 % 60).into()
    }
}

/// A time zone from the IANA database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TimeZone(String);

impl TimeZone {
    /// The name of the zone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Result<Self, Problem> {
        match jiff::tz::TimeZone::get(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => {
                Err(Problem::new(Code::InvalidFormat, "must be an IANA time zone such as Europe/Rome").value(text))
            }
        }
    }
}

impl Scalar for TimeZone {
    const TAKES: Shape = Shape::String;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    /// A stored name is not looked up again: time zone databases change, and an old name must stay readable.
    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Ok(Self(text)),
            _ => Err(corrupt("a time zone")),
        }
    }

    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        Self::from_value(value).and_then(|zone| Self::read(&zone.0))
    }
}

choice! {
    /// A day of the week.
    pub enum Weekday {
        /// Monday.
        Monday = "MONDAY",
        /// Tuesday.
        Tuesday = "TUESDAY",
        /// Wednesday.
        Wednesday = "WEDNESDAY",
        /// Thursday.
        Thursday = "THURSDAY",
        /// Friday.
        Friday = "FRIDAY",
        /// Saturday.
        Saturday = "SATURDAY",
        /// Sunday.
        Sunday = "SUNDAY",
    }
}

/// Makes a parser of durations of at least `least`, such as `300ms`, `5s` or `24h`. A unit is required, because a bare
/// number means seconds to some people and hours to others. The parser's error is a sentence without the value.
pub fn duration_at_least(least: Duration) -> impl Fn(&str) -> Result<Duration, String> + Clone {
    move |text| {
        let duration = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
        duration.filter(|duration| *duration >= least).ok_or_else(|| {
            let bound = if least.is_zero() { String::new() } else { format!(", not less than {least:?}") };
            format!("must be a duration such as 300ms, 5s or 24h{bound}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_run_to_midnight() {
        for (text, minutes) in [("00:00", 0), ("09:30", 570), ("24:00", 1440)] {
            let time = MinuteOfDay::parse(&text.into()).unwrap();
            assert_eq!((time.0, time.answer()), (minutes, Json::from(text)));
        }
        for bad in ["24:01", "9:30", "09:60", "", "noon", "+9:30", "09:3"] {
            assert!(MinuteOfDay::parse(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn moments_are_rfc_3339() {
        let moment = DateTime::parse(&"2026-11-23T10:00:00+01:00".into()).unwrap();
        assert_eq!(moment.answer(), "2026-11-23T09:00:00Z");
        assert!(DateTime::parse(&"yesterday".into()).is_err());
    }

    #[test]
    fn every_moment_is_shown_as_one_with_four_digits_of_the_year() {
        for (moment, shown) in [
            (i64::MIN, "0001-01-01T00:00:00Z"),
            (DateTime::FIRST - 1, "0001-01-01T00:00:00Z"),
            (DateTime::FIRST, "0001-01-01T00:00:00Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (DateTime::LAST, "9999-12-30T22:00:00Z"),
            (DateTime::LAST + 1, "9999-12-30T22:00:00Z"),
            (i64::MAX, "9999-12-30T22:00:00Z"),
        ] {
            let moment = DateTime(moment);
            assert_eq!(moment.answer(), shown);
            assert_eq!(DateTime::load_untrusted(moment.to_value()).is_ok(), moment.is_shown(), "{shown}");
            assert!(DateTime::parse(&shown.into()).is_ok_and(DateTime::is_shown), "{shown}");
        }
        let early = DateTime::parse(&"-000001-01-01T00:00:00Z".into()).unwrap_err();
        assert_eq!(early.code, Code::OutOfRange);
    }

    #[test]
    fn time_zones_are_known_ones() {
        assert!(TimeZone::parse(&"Europe/Rome".into()).is_ok());
        assert_eq!(TimeZone::parse(&"Europe/Atlantis".into()).unwrap_err().code, Code::InvalidFormat);
    }

    #[test]
    fn a_duration_has_a_unit() {
        let read = duration_at_least(Duration::from_millis(10));
        for (text, millis) in [("10s", 10_000), ("10ms", 10), ("1m 30s", 90_000), ("24h", 86_400_000)] {
            assert_eq!(read(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "9ms", "10", "-1", "-5s", "5 parsecs", "1.5.5s", "99999999999999999999s"] {
            let why = read(text).unwrap_err();
            assert_eq!(why, "must be a duration such as 300ms, 5s or 24h, not less than 10ms", "{text}");
        }
        assert_eq!(duration_at_least(Duration::ZERO)("0s"), Ok(Duration::ZERO));
        assert!(!duration_at_least(Duration::ZERO)("x").unwrap_err().contains("less"));
    }
}
