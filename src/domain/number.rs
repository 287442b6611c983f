//! Dialled numbers, which are kept as text because a leading zero matters, and counted numbers.

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, ValueRef, json, scalar};

/// Declares a text type for dialled numbers: `dialled!(/// doc  Name, "GraphQL name", "rule", |text| fits, dials:
/// bool)`.
macro_rules! dialled {
    (
        $(#[doc = $doc:literal])* $Name:ident, $graphql:literal, $rule:literal, $fits:expr, dials: $dials:literal
        $(, $url:literal)?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $Name(String);

        impl $Name {
            /// The number as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Reads a number from text.
            ///
            /// # Errors
            /// The text is not such a number.
            pub fn read(text: &str) -> Result<Self, Problem> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Problem::new(Code::InvalidFormat, $rule).value(text))
                }
            }
        }

        impl Scalar for $Name {
            const DIALS: bool = $dials;

            const TAKES: Shape = scalar!($(#[doc = $doc])* $graphql, String $(, $url)?);

            fn parse(sent: &Sent) -> Result<Self, Problem> {
                Self::read(sent.text()?)
            }

            fn to_value(&self) -> Value {
                self.0.as_str().into()
            }

            fn from_value(value: Value) -> Result<Self, Problem> {
                match value {
                    Value::Text(text) => Self::read(&text),
                    _ => Err(corrupt("a number")),
                }
            }

            fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
                let text = stored.text().ok_or_else(|| corrupt("a number"))?;
                Self::read(text).map(|number| json::write(number.as_str(), json))
            }
        }
    };
}

/// Whether `text` consists of digits and characters from `extra`, and its length is in the range.
fn made_of(text: &str, extra: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || extra.as_bytes().contains(&b))
}

/// The number without one leading plus sign.
fn unplussed(text: &str) -> &str {
    text.strip_prefix('+').unwrap_or(text)
}

dialled!(
    /// A number that is dialled inside a tenant: 2 to 10 digits.
    ExtensionNumber, "ExtensionNumber",
    "must be 2 to 10 digits", |text| made_of(text, "", 2..=10), dials: false
);
dialled!(
    /// An outside number: 2 to 20 digits with an optional + in front, as in E.164.
    PhoneNumber, "PhoneNumber",
    "must be 2 to 20 digits with an optional + in front", |text| made_of(unplussed(text), "", 2..=20), dials: false,
    "https://www.itu.int/rec/T-REC-E.164"
);
dialled!(
    /// The number in an internal caller ID: 1 to 32 digits, `*`, `#` or `+`.
    CallerIdDigits, "CallerIdNumber",
    "must be 1 to 32 digits or * # +", |text| made_of(text, "*#+", 1..=32), dials: false
);
dialled!(
    /// A number that a phone can dial, inside or outside: 2 to 32 digits, `*` or `#` with an optional + in front.
    DialNumber, "DialNumber",
    "must be 2 to 32 digits, * or # with an optional + in front", |text| made_of(unplussed(text), "*#", 2..=32), dials: true
);

dialled!(
    /// One key of a phone's keypad: a digit, `*` or `#`.
    KeypadKey, "KeypadKey",
    "must be one of 0 to 9, * or #", |text| made_of(text, "*#", 1..=1), dials: false
);

impl DialNumber {
    /// Whether this is certainly an outside number: international, or longer than any extension number.
    pub fn is_outside(&self) -> bool {
        self.0.starts_with('+') || self.0.starts_with("00") || self.0.len() > 10
    }
}

/// 0 to `MAX` digits: an area code or a prefix.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Digits<const MAX: usize>(String);

impl<const MAX: usize> Digits<MAX> {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Result<Self, Problem> {
        if made_of(text, "", 0..=MAX) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(Code::InvalidFormat, format!("must be at most {MAX} digits")).value(text))
        }
    }
}

impl<const MAX: usize> Scalar for Digits<MAX> {
    const TAKES: Shape = Shape::String;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn empty() -> Option<Self> {
        Some(Self::default())
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Self::read(&text),
            _ => Err(corrupt("digits")),
        }
    }
}

/// Declares a counted type: `counted!(/// doc  Name, shape, "unit in the rule")`.
macro_rules! counted {
    ($(#[doc = $doc:literal])* $Name:ident, $shape:expr, $unit:literal) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
        pub struct $Name<const MIN: i64, const MAX: i64>(i64);

        impl<const MIN: i64, const MAX: i64> $Name<MIN, MAX> {
            /// A number from the program itself: one that is out of range does not compile.
            pub const fn of<const N: i64>() -> Self {
                const { assert!(MIN <= N && N <= MAX, "out of range") };
                Self(N)
            }

            /// The plain number.
            pub fn get(self) -> i64 {
                self.0
            }

            fn checked(n: i64) -> Result<Self, Problem> {
                if (MIN..=MAX).contains(&n) {
                    Ok(Self(n))
                } else {
                    let range = format!("{MIN} to {MAX}");
                    Err(Problem::new(Code::OutOfRange, format!("must be {range}{}", $unit)).value(n).suggest(range))
                }
            }
        }

        impl<const MIN: i64, const MAX: i64> Scalar for $Name<MIN, MAX> {
            const TAKES: Shape = $shape;

            fn parse(sent: &Sent) -> Result<Self, Problem> {
                Self::checked(sent.int()?)
            }

            /// Zero, or the number in the range that is closest to it.
            fn blank() -> Option<Self> {
                Some(Self(0.clamp(MIN, MAX)))
            }

            fn to_value(&self) -> Value {
                self.0.into()
            }

            fn from_value(value: Value) -> Result<Self, Problem> {
                Self::checked(value.int().ok_or_else(|| corrupt("a whole number"))?)
            }

            fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
                let n = stored.int().ok_or_else(|| corrupt("a whole number"))?;
                Self::checked(n).map(|n| json::write(&n.0, json))
            }
        }
    };
}

counted!(
    /// A time span of `MIN` to `MAX` whole seconds.
    Seconds, SECONDS, " seconds"
);
counted!(
    /// A plain amount of `MIN` to `MAX`.
    Amount, Shape::Int, ""
);

/// The shape of a time span for clients.
const SECONDS: Shape = scalar!(
    /// A time span in whole seconds; the description of the field gives its range.
    "Seconds", Int
);

/// The gain of one direction of audio: -10 to 10, where 0 leaves the audio unchanged.
pub type Gain = Amount<-10, 10>;
/// How many digits a number has: 0 to 20.
pub type DigitCount = Amount<0, 20>;
/// The number of a call or pickup group: 0 to 63, the engine's limit.
pub type GroupNumber = Amount<0, 63>;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_extension_number_is_two_to_ten_digits() {
        for good in ["10", "0108", "1234567890"] {
            assert_eq!(ExtensionNumber::parse(&good.into()).unwrap().as_str(), good);
        }
        for bad in ["", "1", "10B", "1 0", "12345678901", "+10", "１０", "10\0"] {
            let problem = ExtensionNumber::parse(&bad.into()).unwrap_err();
            assert_eq!(problem.code, Code::InvalidFormat, "{bad:?}");
        }
    }

    #[test]
    fn plus_stands_in_front_only() {
        assert!(PhoneNumber::parse(&"+390551234567".into()).is_ok());
        assert!(DialNumber::parse(&"*78".into()).is_ok());
        for bad in ["39+055", "++39", "+", "+3"] {
            assert!(PhoneNumber::parse(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_one_key() {
        for good in ["0", "9", "*", "#"] {
            assert_eq!(KeypadKey::parse(&good.into()).unwrap().as_str(), good);
        }
        for bad in ["", "10", "A", "+", "**", " "] {
            assert_eq!(KeypadKey::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat, "{bad:?}");
        }
    }

    #[test]
    fn a_range_is_named_in_its_error() {
        let problem = Seconds::<1, 600>::parse(&0.into()).unwrap_err();
        assert_eq!((problem.code, problem.rule.as_str()), (Code::OutOfRange, "must be 1 to 600 seconds"));
        assert_eq!(problem.value.as_deref(), Some("0"));
    }

    proptest! {
        #[test]
        fn counted_numbers_keep_their_range(n in any::<i64>()) {
            prop_assert_eq!(Gain::parse(&n.into()).is_ok(), (-10..=10).contains(&n));
            if let Ok(gain) = Gain::parse(&n.into()) {
                prop_assert_eq!(Gain::from_value(gain.to_value()).unwrap(), gain);
            }
        }

        #[test]
        fn dialled_numbers_survive_the_row(text in "[+*#0-9]{0,40}") {
            if let Ok(number) = DialNumber::parse(&text.into()) {
                prop_assert_eq!(DialNumber::from_value(number.to_value()).unwrap(), number);
            }
        }
    }
}
