//! Text types. One rule applies to all of them: no NUL and no other control characters.

use serde_json::Value as Json;

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, ValueRef, json};

/// The rule for all text: at most `max` characters and no control characters. Line breaks and tabs are allowed if the
/// text may have several lines.
fn check(text: &str, max: usize, lines: bool) -> Result<(), Problem> {
    let allowed = |c: char| !c.is_control() || (lines && matches!(c, '\n' | '\r' | '\t'));
    if let Some(at) = text.chars().position(|c| !allowed(c)) {
        let rule = format!("must not contain control characters (there is one at character {})", at + 1);
        return Err(Problem::new(Code::InvalidFormat, rule).value(text));
    }
    let length = text.chars().count();
    if length > max {
        let rule = format!("must have at most {max} characters, not {length}");
        return Err(
            Problem::new(Code::OutOfRange, rule).value(text.chars().take(40).chain("…".chars()).collect::<String>())
        );
    }
    Ok(())
}

/// Declares a text type: `text_type!(/// doc  Name, may have several lines, |text| extra rule)`.
macro_rules! text_type {
    ($(#[$doc:meta])* $Name:ident, $lines:literal, $extra:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        pub struct $Name<const MAX: usize>(String);

        impl<const MAX: usize> $Name<MAX> {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether the text is empty.
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }

            fn read(text: &str) -> Result<Self, Problem> {
                let text = text.trim();
                check(text, MAX, $lines)?;
                let extra: fn(&str) -> Result<String, Problem> = $extra;
                extra(text).map(Self)
            }
        }

        impl<const MAX: usize> Scalar for $Name<MAX> {
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
                    _ => Err(corrupt("text")),
                }
            }

            fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
                let text = stored.text().ok_or_else(|| corrupt("text"))?;
                Self::read(text).map(|text| json::write(text.as_str(), json))
            }
        }
    };
}

text_type!(
    /// One line of at most `MAX` characters; leading and trailing white space is removed.
    Text, false, |text| Ok(text.to_owned())
);
text_type!(
    /// Text of at most `MAX` characters, possibly with several lines.
    LongText, true, |text| Ok(text.to_owned())
);
text_type!(
    /// A name for displays and SIP headers: one line without `"`, `<` and `>`, which would break a caller-ID header.
    DisplayName, false, |text| match text.chars().find(|c| matches!(c, '"' | '<' | '>')) {
        Some(_) => Err(Problem::new(Code::InvalidFormat, "must not contain \", < or >").value(text)),
        None => Ok(text.to_owned()),
    }
);
text_type!(
    /// A login name: 2 to `MAX` of `a-z 0-9 . _ @ + -`; upper case is stored as lower case.
    WebUser, false, |text| {
        let fits = text.chars().count() >= 2
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '+' | '-'));
        if fits {
            Ok(text.to_ascii_lowercase())
        } else {
            Err(Problem::new(Code::InvalidFormat, "must be 2 to 64 letters, digits or . _ @ + -").value(text))
        }
    }
);

/// The key of an extension in another system, such as a CRM.
pub type ReferenceId = Text<64>;

/// Networks in CIDR notation, such as `192.0.2.0/24` or `2001:db8::/32`; a bare address is a network of one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CidrList(Vec<String>);

impl CidrList {
    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn read(texts: &[&str]) -> Result<Self, Problem> {
        let network = |(i, text): (usize, &&str)| cidr(text.trim()).map_err(|p| p.under(i));
        texts.iter().enumerate().map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// Parses a network into its canonical text.
fn cidr(text: &str) -> Result<String, Problem> {
    let wrong =
        || Problem::new(Code::InvalidFormat, "must be an IP address or a network such as 192.0.2.0/24").value(text);
    let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
    let address: std::net::IpAddr = address.parse().map_err(|_| wrong())?;
    let widest = if address.is_ipv4() { 32 } else { 128 };
    match bits.map(str::parse::<u8>) {
        None => Ok(address.to_string()),
        Some(Ok(bits)) if bits <= widest => Ok(format!("{address}/{bits}")),
        Some(_) => Err(wrong()),
    }
}

impl Scalar for CidrList {
    const TAKES: Shape = Shape::List(&Shape::String);

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        let texts: Vec<_> = sent.list()?.iter().map(Sent::text).collect::<Result<_, _>>()?;
        Self::read(&texts)
    }

    fn empty() -> Option<Self> {
        Some(Self::default())
    }

    fn to_value(&self) -> Value {
        self.0.join(",").into()
    }

    fn answer(&self) -> Json {
        self.0.as_slice().into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        let text = value.text().ok_or_else(|| corrupt("networks"))?;
        Self::read(&text.split(',').filter(|t| !t.is_empty()).collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn accepted_text_has_no_control_characters_and_survives_the_row(text in any::<String>()) {
            if let Ok(kept) = Text::<80>::parse(&text.as_str().into()) {
                prop_assert!(kept.as_str().chars().all(|c| !c.is_control()));
                prop_assert!(kept.as_str().chars().count() <= 80);
                prop_assert_eq!(Text::from_value(kept.to_value()).unwrap(), kept);
            }
        }
    }

    #[test]
    fn nul_and_control_characters_are_refused_everywhere() {
        for bad in ["a\0b", "a\u{1}b", "a\u{7f}b", "a\u{85}b"] {
            assert_eq!(Text::<9>::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat);
            assert_eq!(LongText::<9>::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat);
        }
        assert!(Text::<9>::parse(&"a\nb".into()).is_err());
        assert_eq!(LongText::<9>::parse(&"a\nb".into()).unwrap().as_str(), "a\nb");
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Text::<3>::parse(&"äöü".into()).is_ok());
        assert_eq!(Text::<3>::parse(&"äöüß".into()).unwrap_err().code, Code::OutOfRange);
    }

    #[test]
    fn a_display_name_keeps_out_of_headers() {
        assert!(DisplayName::<80>::parse(&"Ivy O'Morgan (HQ)".into()).is_ok());
        assert_eq!(DisplayName::<80>::parse(&"Ivy <108>".into()).unwrap_err().code, Code::InvalidFormat);
    }

    #[test]
    fn networks_are_checked_one_by_one() {
        let sent = ["192.0.2.0/24", "2001:db8::1", "10.0.0.0/33"];
        let problem = CidrList::parse(&sent.to_vec().into()).unwrap_err();
        assert_eq!((problem.path, problem.value.as_deref()), (vec!["2".to_owned()], Some("10.0.0.0/33")));
        let kept = CidrList::parse(&sent[..2].to_vec().into()).unwrap();
        assert_eq!(CidrList::from_value(kept.to_value()).unwrap(), kept);
    }
}
