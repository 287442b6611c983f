//! The place of a request in a distributed trace, from the header `traceparent` of W3C Trace Context
//! (w3.org/TR/trace-context, section 3.2).

use axum::http::HeaderMap;

use crate::service::App;

/// A request's place in a trace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Trace {
    /// 32 hexadecimal digits in lower case.
    pub(super) id: String,
    /// The client's span that the request belongs to: 16 hexadecimal digits.
    pub(super) parent: Option<String>,
    /// Whether the client records the trace.
    pub(super) sampled: bool,
}

impl Trace {
    /// The client's trace, or a new one if the header is missing, repeated or invalid.
    pub(super) fn from_headers(headers: &HeaderMap, app: &App) -> Self {
        let mut values = headers.get_all("traceparent").iter();
        let sent = values.next().and_then(|value| value.to_str().ok()).filter(|_| values.next().is_none());
        let new = || Self { id: app.trace_id(), parent: None, sampled: true };
        sent.and_then(Self::parse).unwrap_or_else(new)
    }

    /// Parses the header's value. Of a later version it reads the part that all versions share (section 4.3 of the
    /// recommendation).
    fn parse(value: &str) -> Option<Self> {
        let hex = |from, to| value.get(from..to).filter(|text| text.bytes().all(is_hex));
        let (version, id, parent, flags) = (hex(0, 2)?, hex(3, 35)?, hex(36, 52)?, hex(53, 55)?);
        let dash = |place: usize| value.as_bytes().get(place) == Some(&b'-');
        let has_valid_end = value.len() == 55 || (version != "00" && dash(55));
        let is_zero = |text: &str| text.bytes().all(|digit| digit == b'0');
        if version == "ff" || ![2, 35, 52].into_iter().all(dash) || !has_valid_end || is_zero(id) || is_zero(parent) {
            return None;
        }
        let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
        Some(Self { id: id.to_owned(), parent: Some(parent.to_owned()), sampled })
    }
}

/// Whether a byte is a hexadecimal digit; upper case is not allowed here.
fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    #[test]
    fn a_valid_trace_is_read() {
        for (end, sampled) in [("01", true), ("00", false), ("03", true), ("fe", false)] {
            let found = Trace::parse(&format!("00-{ID}-{PARENT}-{end}")).unwrap();
            assert_eq!(found, Trace { id: ID.into(), parent: Some(PARENT.into()), sampled });
        }
        // Later versions may append something after a dash.
        for value in [format!("01-{ID}-{PARENT}-01"), format!("cc-{ID}-{PARENT}-01-what-comes")] {
            assert_eq!(Trace::parse(&value).unwrap().id, ID, "{value}");
        }
    }

    #[test]
    fn an_invalid_trace_is_ignored() {
        let zeros = "0".repeat(32);
        for value in [
            String::new(),
            "00".into(),
            format!("00-{ID}-{PARENT}"),
            format!("00-{ID}-{PARENT}-"),
            format!("00-{ID}-{PARENT}-1"),
            format!("00-{ID}-{PARENT}-01-"),
            format!("00-{ID}-{PARENT}-01-more"),
            format!("01-{ID}-{PARENT}-01.more"),
            format!("ff-{ID}-{PARENT}-01"),
            format!("00-{}-{PARENT}-01", ID.to_uppercase()),
            format!("00-{ID}-{}-01", PARENT.to_uppercase()),
            format!("00-{ID}-{PARENT}-0A"),
            format!("0x-{ID}-{PARENT}-01"),
            format!("00-{zeros}-{PARENT}-01"),
            format!("00-{ID}-{}-01", &zeros[..16]),
            format!("00_{ID}_{PARENT}_01"),
            format!("00-{}-{PARENT}-01", &ID[1..]),
            format!("00-{}g-{PARENT}-01", &ID[1..]),
            format!("00-{}é-{PARENT}-01", &ID[2..]),
            format!(" 00-{ID}-{PARENT}-01"),
        ] {
            assert_eq!(Trace::parse(&value), None, "{value}");
        }
    }
}
