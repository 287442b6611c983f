//! Call lists: outside numbers that are blocked, or that are the only ones allowed.

use super::ruled_text::ruled_text;
use super::{Detail, Named};
use crate::domain::{Kind, Text};
use crate::form::{Entries, section};

section! {
    "call_list", "CallListInput";
    /// A list of outside numbers. The field that refers to it decides whether these numbers are blocked or the only
    /// ones allowed.
    pub struct CallList {
        /// The numbers in the list, at most 1000.
        pub entries: Entries<CallListEntry>,
    }
}

section! {
    "call_list_entry", "CallListEntryInput";
    /// One number in a call list.
    pub struct CallListEntry {
        /// The number as it is after the area code has been added: 1 to 20 digits with an optional + in front.
        pub number: ListedNumber,
        /// Whether the entry covers all numbers that begin with `number`. Off by default: it covers this number only.
        pub prefix: bool,
        /// Why the number is in the list, at most 255 characters.
        pub remark: Text<255>,
    }
}

ruled_text!(
    /// A number or prefix in a call list.
    ListedNumber<21>, "must be 1 to 20 digits with an optional + in front", |text| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
    }
);

impl CallListEntry {
    /// Whether the entry covers a dialled number, with its area code.
    pub fn matches(&self, number: &str) -> bool {
        if self.prefix {
            number.starts_with(self.number.as_str())
        } else {
            number == self.number.as_str()
        }
    }
}

impl Detail for CallList {
    const KIND: Kind = Kind::CallList;
    type Common = Named;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Scalar};

    fn entry(number: &str, prefix: bool) -> CallListEntry {
        CallListEntry { number: ListedNumber::parse(&number.into()).unwrap(), prefix, remark: Text::default() }
    }

    #[test]
    fn a_prefix_covers_all_numbers_that_begin_with_it() {
        assert!(entry("0900", true).matches("0900123") && entry("0900", true).matches("0900"));
        assert!(entry("+39055", false).matches("+39055") && !entry("+39055", false).matches("+390551"));
        assert!(!entry("0900", true).matches("10900"));
    }

    #[test]
    fn an_entry_is_digits() {
        assert_eq!(entry("0", true).number.as_str(), "0");
        for bad in ["", "+", "0900*", "++39", "123456789012345678901"] {
            assert_eq!(ListedNumber::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat, "{bad}");
        }
    }
}
