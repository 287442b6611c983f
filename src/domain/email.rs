//! E-mail addresses.

use serde_json::Value as Json;

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, scalar};

/// One e-mail address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Email(String);

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A practical subset of RFC 5321: one `@`, before it a dot-atom of at most 64 characters, after it a host name
    /// with at least two labels or an address literal, and at most 254 characters in all. Quoted local parts are
    /// refused: no mail system in use assigns them, and every notification template would have to quote them.
    fn is_address(text: &str) -> bool {
        let Some((local, host)) = text.rsplit_once('@') else { return false };
        let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
        let local_fits =
            (1..=64).contains(&local.len()) && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.chars().all(|c| c.is_alphanumeric() || c == '-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host_fits = match literal {
            Some(address) => address.trim_start_matches("IPv6:").parse::<std::net::IpAddr>().is_ok(),
            None => host.contains('.') && host.split('.').all(label),
        };
        text.len() <= 254 && local_fits && host_fits
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        if Self::is_address(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(Code::InvalidFormat, "must be an e-mail address such as ivy@example.com").value(text))
        }
    }
}

impl Scalar for Email {
    const TAKES: Shape = scalar!(
        /// An e-mail address such as `ivy@example.com`.
        "EmailAddress", String, "https://datatracker.ietf.org/doc/html/rfc5321#section-4.1.2"
    );

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Self::read(&text),
            _ => Err(corrupt("an e-mail address")),
        }
    }
}

/// At most 20 e-mail addresses, in the order given. A text with commas counts as several addresses.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EmailList(Vec<Email>);

impl EmailList {
    const MAX: usize = 20;

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn read(texts: &[&str]) -> Result<Self, Problem> {
        let pieces = texts.iter().flat_map(|text| text.split(','));
        let list: Vec<Email> =
            pieces.enumerate().map(|(i, one)| Email::read(one).map_err(|p| p.under(i))).collect::<Result<_, _>>()?;
        if list.len() > Self::MAX {
            return Err(
                Problem::new(Code::OutOfRange, format!("must have at most {} addresses", Self::MAX)).value(list.len())
            );
        }
        match (1..list.len()).find(|&i| list[..i].contains(&list[i])) {
            Some(i) => Err(Problem::new(Code::Duplicate, "is in the list twice").value(list[i].as_str()).under(i)),
            None => Ok(Self(list)),
        }
    }
}

impl Scalar for EmailList {
    const TAKES: Shape = Shape::List(&Email::TAKES);

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        let texts: Vec<_> = sent.list()?.iter().map(Sent::text).collect::<Result<_, _>>()?;
        Self::read(&texts)
    }

    fn empty() -> Option<Self> {
        Some(Self::default())
    }

    fn to_value(&self) -> Value {
        self.0.iter().map(Email::as_str).collect::<Vec<_>>().join(",").into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) if text.is_empty() => Ok(Self::default()),
            Value::Text(text) => Self::read(&[&text]),
            _ => Err(corrupt("e-mail addresses")),
        }
    }

    fn answer(&self) -> Json {
        self.0.iter().map(Scalar::answer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(texts: &[&str]) -> Result<EmailList, Problem> {
        EmailList::parse(&texts.to_vec().into())
    }

    #[test]
    fn only_addresses_are_accepted() {
        for good in ["ivy@example.com", "i.m+pbx@mail.example.co.uk", "a@[192.0.2.1]", "jörg@müller.example"] {
            assert!(Email::is_address(good), "{good}");
        }
        for bad in [
            "",
            "ivy",
            "@example.com",
            "ivy@",
            "ivy@example",
            "i..m@example.com",
            "a b@example.com",
            "a@-x.com",
            "a@b@",
            "a@x..y",
        ] {
            assert!(!Email::is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_problem_names_the_bad_address() {
        let problem = list(&["a@example.com, b@example.com", "nobody"]).unwrap_err();
        assert_eq!((problem.path, problem.value.as_deref()), (vec!["2".to_owned()], Some("nobody")));
        assert_eq!(list(&["a@x.com", "a@x.com"]).unwrap_err().code, Code::Duplicate);
    }

    proptest! {
        #[test]
        fn lists_survive_the_row(local in prop::collection::btree_set("[a-z]{1,8}", 0..20)) {
            let sent: Vec<_> = local.iter().map(|l| format!("{l}@example.com")).collect();
            let kept = EmailList::parse(&sent.into()).unwrap();
            prop_assert_eq!(EmailList::from_value(kept.to_value()).unwrap(), kept);
        }
    }
}
