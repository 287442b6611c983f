//! Phones: handsets with their lines and keys, for provisioning.

use super::problems::{duplicates, required_when};
use super::{Detail, Named};
use crate::domain::{Amount, Code, DialNumber, Id, Kind, MacAddress, Password, Problem, Sealed, Text, choice, kind};
use crate::form::{Entries, Links, section};

section! {
    "phone", "PhoneInput";
    /// A phone: a handset that fetches its lines and keys from this configuration.
    pub struct Phone {
        /// The hardware address (MAC) that identifies the phone: 12 hexadecimal digits, unique in the tenant. Required
        /// unless `isDefault` or `isVirtual` is on.
        pub mac_address: Option<MacAddress>,
        /// The maker and model, at most 80 characters.
        pub model: Text<80>,
        /// The user name with which the phone fetches its configuration over HTTP, at most 64 characters. Goes together
        /// with `httpPassword`.
        pub http_user: Text<64>,
        /// The password for `httpUser`: 10 to 128 characters, at least 4 of them different. Write-only:
        /// `httpPasswordSet` tells whether there is one.
        pub http_password: Sealed<Password>,
        /// Whether phones of this model that have no entry of their own get this configuration; only one per model can
        /// be the default. Off by default.
        pub is_default: bool,
        /// Whether the configuration is for an app on a computer or mobile instead of a handset. Off by default.
        pub is_virtual: bool,
        /// The lines of the phone, at most 1000.
        pub lines: Entries<PhoneLine>,
        /// The programmable keys, in their order on the phone; at most 1000.
        pub keys: Entries<PhoneKey>,
        /// The phone books that the phone shows, in order; at most 16.
        pub phone_book_ids: Links<kind::PhoneBook, 16>,
    }
}

section! {
    "phone_line", "PhoneLineInput";
    /// A line of a phone.
    pub struct PhoneLine {
        /// The number of the line: 0 to 200, 0 by default, unique on the phone.
        pub line_number: Amount<0, 200>,
        /// The extension, real or virtual, that the line calls and answers for.
        pub extension_id: Id<kind::AnyExtension>,
    }
}

section! {
    "phone_key", "PhoneKeyInput";
    /// A programmable key of a phone. Its type decides which of the other fields matter.
    pub struct PhoneKey {
        /// What the key does. `BLF` by default.
        pub key_type: PhoneKeyType,
        /// The text beside the key, at most 40 characters.
        pub label: Text<40>,
        /// For the types `BLF`, `SPEED_DIAL` and `LINE`: the extension, real or virtual, that the key is for. For
        /// `LINE` it must be the extension of one of the phone's lines.
        pub extension_id: Option<Id<kind::AnyExtension>>,
        /// For the types `BLF` and `SPEED_DIAL`: a number instead of an extension, 2 to 32 digits, `*` or `#` with an
        /// optional + in front.
        pub number: Option<DialNumber>,
    }
}

choice! {
    /// What a key of a phone does.
    pub enum PhoneKeyType {
        /// Busy lamp field: shows whether somebody is in a call, and calls them.
        Blf = "BLF",
        /// Dials a number or an extension.
        SpeedDial = "SPEED_DIAL",
        /// Selects a line of the phone.
        Line = "LINE",
        /// Turns Do Not Disturb on and off.
        Dnd = "DND",
        /// Does nothing: it keeps the position free.
        Empty = "EMPTY",
    }
}

impl PhoneKey {
    /// Reports fields that do not fit the type of the key; `lines` are the lines of the phone.
    fn check(&self, lines: &[PhoneLine], report: &mut dyn FnMut(Problem)) {
        let why = format!("keyType is {}", self.key_type.word());
        let (object, number) = (self.extension_id.map(Id::object), self.number.as_ref());
        let given = |rule: String| Problem::new(Code::Contradiction, rule);
        match (self.key_type, object, number) {
            (PhoneKeyType::Blf | PhoneKeyType::SpeedDial, None, None) => {
                report(required_when(&format!("{why} and number is null")).under("extensionId"));
            }
            (PhoneKeyType::Blf | PhoneKeyType::SpeedDial, Some(_), Some(number)) => {
                let rule = "must be null when extensionId is given";
                report(given(rule.into()).value(number.as_str()).under("number"));
            }
            (PhoneKeyType::Line, None, _) => report(required_when(&why).under("extensionId")),
            (PhoneKeyType::Line, Some(object), _) if lines.iter().all(|line| line.extension_id.object() != object) => {
                let problem = given("must be the extension of one of the phone's lines".into());
                report(problem.value(object.opaque().as_str()).under("extensionId"));
            }
            (PhoneKeyType::Dnd | PhoneKeyType::Empty, Some(object), _) => {
                let problem = given(format!("must be null when {why}"));
                report(problem.value(object.opaque().as_str()).under("extensionId"));
            }
            _ => {}
        }
        if let (PhoneKeyType::Line | PhoneKeyType::Dnd | PhoneKeyType::Empty, Some(number)) = (self.key_type, number) {
            report(given(format!("must be null when {why}")).value(number.as_str()).under("number"));
        }
    }
}

impl Detail for Phone {
    const KIND: Kind = Kind::Phone;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["mac_address"], &["is_default", "model"]];

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        if self.mac_address.is_none() && !self.is_default && !self.is_virtual {
            report(required_when("isDefault and isVirtual are off").under("macAddress"));
        }
        if self.http_user.is_empty() && self.http_password.is_set() {
            report(required_when("httpPassword is set").under("httpUser"));
        }
        if !self.http_user.is_empty() && !self.http_password.is_set() {
            report(required_when("httpUser is given").under("httpPassword"));
        }
        let numbers: Vec<_> = self.lines.0.iter().map(|line| line.line_number.get()).collect();
        duplicates(&numbers, &mut |i, problem| {
            report(problem.value(numbers[i]).under("lineNumber").under(i).under("lines"));
        });
        for (i, key) in self.keys.0.iter().enumerate() {
            key.check(&self.lines.0, &mut |problem| report(problem.under(i).under("keys")));
        }
    }

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        // A default configuration does not belong to a particular phone, so it needs no lines.
        if self.lines.0.is_empty() && !self.is_default {
            report(Problem::new(Code::NoMembers, "is empty, so the phone neither rings nor calls").under("lines"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Typed as _;
    use crate::objects::testing::{warnings, id, problems, parse};
    use serde_json::{Value, json};

    fn phone(rest: Value) -> Value {
        let Value::Object(mut phone) = json!({ "macAddress": "000413a0b1c2" }) else { unreachable!() };
        phone.extend(rest.as_object().unwrap().clone());
        phone.into()
    }

    #[test]
    fn a_handset_is_known_by_its_address() {
        assert_eq!(problems::<Phone>(&json!({})), ["macAddress REQUIRED_WHEN"]);
        for good in [phone(json!({})), json!({ "isDefault": true }), json!({ "isVirtual": true })] {
            assert_eq!(problems::<Phone>(&good), [] as [&str; 0], "{good}");
        }
    }

    #[test]
    fn user_and_password_belong_together() {
        let password = json!({ "httpPassword": "cold pressed" });
        assert_eq!(problems::<Phone>(&phone(password)), ["httpUser REQUIRED_WHEN"]);
        assert_eq!(problems::<Phone>(&phone(json!({ "httpUser": "desk" }))), ["httpPassword REQUIRED_WHEN"]);
        let both = phone(json!({ "httpUser": "desk", "httpPassword": "cold pressed" }));
        assert_eq!(problems::<Phone>(&both), [] as [&str; 0]);
        let weak = parse::<Phone>(&json!({ "httpPassword": "short" })).unwrap_err();
        assert_eq!(weak, ["httpPassword WEAK_PASSWORD"]);
        // Provisioning must be able to read it.
        let password = Phone::section_info().fields.iter().find(|field| field.name == "http_password").unwrap();
        assert_eq!(password.secret, Some(crate::domain::SecretStorage::Sealed));
    }

    #[test]
    fn a_line_number_is_given_once() {
        let line = |number, extension| json!({ "lineNumber": number, "extensionId": id(extension) });
        let lines = |list: [Value; 2]| problems::<Phone>(&phone(json!({ "lines": list })));
        assert_eq!(lines([line(0, 1), line(200, 1)]), [] as [&str; 0]);
        assert_eq!(lines([line(1, 1), line(1, 2)]), ["lines.1.lineNumber DUPLICATE"]);
        let outside = parse::<Phone>(&json!({ "lines": [line(201, 1)] })).unwrap_err();
        assert_eq!(outside, ["lines.0.lineNumber OUT_OF_RANGE"]);
    }

    #[test]
    fn a_key_has_the_fields_of_its_type_and_no_others() {
        for (key_type, extension, number, found) in [
            ("BLF", None, None, "extensionId REQUIRED_WHEN"),
            ("BLF", Some(2), None, ""),
            ("BLF", None, Some("701"), ""),
            ("BLF", Some(2), Some("701"), "number CONTRADICTION"),
            ("SPEED_DIAL", None, None, "extensionId REQUIRED_WHEN"),
            ("SPEED_DIAL", None, Some("*78"), ""),
            ("LINE", None, None, "extensionId REQUIRED_WHEN"),
            ("LINE", Some(1), None, ""),
            ("LINE", Some(2), None, "extensionId CONTRADICTION"),
            ("LINE", Some(1), Some("701"), "number CONTRADICTION"),
            ("DND", None, None, ""),
            ("DND", Some(1), None, "extensionId CONTRADICTION"),
            ("EMPTY", None, None, ""),
            ("EMPTY", None, Some("701"), "number CONTRADICTION"),
        ] {
            let key = json!({ "keyType": key_type, "extensionId": extension.map(id), "number": number });
            let phone = phone(json!({ "lines": [{ "extensionId": id(1) }], "keys": [key] }));
            let expected: Vec<_> = Some(format!("keys.0.{found}")).into_iter().filter(|_| !found.is_empty()).collect();
            assert_eq!(problems::<Phone>(&phone), expected, "{phone}");
        }
    }

    #[test]
    fn a_phone_without_lines_gets_a_warning() {
        assert_eq!(warnings::<Phone>(&phone(json!({}))), ["lines NO_MEMBERS"]);
        assert_eq!(warnings::<Phone>(&phone(json!({ "lines": [{ "extensionId": id(1) }] }))), [] as [&str; 0]);
        assert_eq!(warnings::<Phone>(&json!({ "isDefault": true })), [] as [&str; 0]);
    }
}
