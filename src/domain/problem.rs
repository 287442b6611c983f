//! Problems with an input. A problem is worded where it is found and reaches the client unchanged.

use super::{ObjectId, words};

words! {
    "FindingCode";
    /// Why an input was refused, or what a warning is about. Programs can rely on it, while messages are for people.
    /// Warnings come last, see [`Code::is_warning`].
    pub enum Code {
        /// A required value is missing or was cleared.
        Required = "REQUIRED",
        /// The value does not have the format of the field.
        InvalidFormat = "INVALID_FORMAT",
        /// Another object of the tenant already has this number.
        NumberTaken = "NUMBER_TAKEN",
        /// The number is reserved for a slot of a parking lot.
        NumberReserved = "NUMBER_RESERVED",
        /// The value is outside the range of the field.
        OutOfRange = "OUT_OF_RANGE",
        /// The tenant has no such object.
        NotFound = "NOT_FOUND",
        /// The object exists, but its kind is not allowed here.
        WrongKind = "WRONG_KIND",
        /// A member is not a real extension.
        MemberNotReal = "MEMBER_NOT_REAL",
        /// The same entry is in the list twice.
        Duplicate = "DUPLICATE",
        /// The object refers to itself.
        SelfReference = "SELF_REFERENCE",
        /// A chain of objects leads back to its start.
        RoutingLoop = "ROUTING_LOOP",
        /// Another object of the tenant already has this value.
        Taken = "TAKEN",
        /// Other objects refer to the object, so it cannot be deleted.
        InUse = "IN_USE",
        /// The references to the object have changed since the delete plan was made.
        PlanChanged = "PLAN_CHANGED",
        /// The value is required because of the value of another field.
        RequiredWhen = "REQUIRED_WHEN",
        /// The values of two fields exclude each other.
        Contradiction = "CONTRADICTION",
        /// The regular expression does not compile.
        RegexSyntax = "REGEX_SYNTAX",
        /// The regular expression would need too much memory.
        UnsafeRegex = "UNSAFE_REGEX",
        /// The PIN is too easy to guess.
        WeakPin = "WEAK_PIN",
        /// The password is too easy to guess.
        WeakPassword = "WEAK_PASSWORD",
        /// The login name is in use.
        LoginTaken = "LOGIN_TAKEN",
        /// The tenant does not have this feature.
        FeatureNotAvailable = "FEATURE_NOT_AVAILABLE",
        /// LDAP is on, but the tenant has no enabled LDAP server.
        NoLdapServer = "NO_LDAP_SERVER",
        /// The object has been saved since the version that the client expects.
        Conflict = "CONFLICT",
        /// The token does not have the required scope.
        Forbidden = "FORBIDDEN",
        /// A member is disabled and will not ring.
        MemberDisabled = "MEMBER_DISABLED",
        /// An object that a field refers to is disabled.
        ReferenceDisabled = "REFERENCE_DISABLED",
        /// The number is not one of the tenant's outside numbers.
        NumberNotOwned = "NUMBER_NOT_OWNED",
        /// A call that nobody answers is dropped.
        CallsDropped = "CALLS_DROPPED",
        /// A box for the message lamp is set, but no call ever reaches a voicemail box.
        VoicemailNeverReached = "VOICEMAIL_NEVER_REACHED",
        /// The follow-me number is never dialled.
        NeverRings = "NEVER_RINGS",
        /// The destination comes after one that ends the call.
        UnreachableDestination = "UNREACHABLE_DESTINATION",
        /// The condition can never be true.
        NeverTrue = "NEVER_TRUE",
        /// Carriers often refuse this caller ID.
        CallerIdRefused = "CALLER_ID_REFUSED",
        /// The setting has no effect because of other settings.
        NoEffect = "NO_EFFECT",
        /// There is nobody who could answer.
        NoMembers = "NO_MEMBERS",
        /// The expression matches none of the numbers or names that the tenant is known to use.
        MatchesNothing = "MATCHES_NOTHING",
    }
}

impl Code {
    /// Whether it is the code of a warning. The codes of errors come before the first of these.
    pub fn is_warning(self) -> bool {
        self as usize >= Self::MemberDisabled as usize
    }
}

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The path of the input field, from the outermost field inwards, with list positions.
    pub path: Vec<String>,
    /// The rule that was broken.
    pub code: Code,
    /// The rule in words that continue the field's name: `must be 1 to 600 seconds`.
    pub rule: String,
    /// The offending value as the client sent it; `None` for secrets.
    pub value: Option<String>,
    /// A value that would be accepted instead, if one is known.
    pub suggestion: Option<String>,
    /// The other object that causes the problem, if there is one.
    pub related: Option<ObjectId>,
}

impl Problem {
    /// A problem without a path; callers add it on the way up with [`Problem::under`].
    pub fn new(code: Code, rule: impl Into<String>) -> Self {
        Self { path: Vec::new(), code, rule: rule.into(), value: None, suggestion: None, related: None }
    }

    /// Sets the offending value. Never call this for a secret.
    pub fn value(mut self, value: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self
    }

    /// Sets a value that would be accepted.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Sets the object that causes the problem.
    pub fn related(mut self, object: ObjectId) -> Self {
        self.related = Some(object);
        self
    }

    /// Puts a field or a list position in front of the path.
    pub fn under(mut self, step: impl ToString) -> Self {
        self.path.insert(0, step.to_string());
        self
    }

    /// Puts `section.field` in front of the path.
    pub fn at(self, section: &str, field: &str) -> Self {
        self.under(field).under(section)
    }

    /// The whole sentence: the field, the rule and, unless it is a secret, the value.
    pub fn message(&self) -> String {
        let field = match self.path.as_slice() {
            [] => "The input",
            // A list position alone would tell readers nothing.
            [.., list, position] if position.parse::<usize>().is_ok() => {
                return self.sentence(&format!("{list}[{position}]"));
            }
            [.., field] => field,
        };
        self.sentence(field)
    }

    fn sentence(&self, field: &str) -> String {
        match &self.value {
            Some(value) => format!("{field} {}; it is {}.", self.rule, quoted(value)),
            None => format!("{field} {}.", self.rule),
        }
    }
}

/// A value as a sentence shows it: a number as it is, a text in quotes. Characters that cannot be seen, or that would
/// change how the rest of the sentence is shown, are written as `\u{…}`; everything else stays as it was sent.
pub fn quoted(value: &str) -> String {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return value.to_owned();
    }
    // Format characters, such as those that turn the direction of writing (Unicode, general category Cf), in blocks.
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut quoted = String::from("\"");
    for c in value.chars() {
        if is_hidden(c) { quoted.extend(c.escape_unicode()) } else { quoted.push(c) }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_field_rule_and_value() {
        let problem =
            Problem::new(Code::OutOfRange, "must be 1 to 600").value(0).at("information", "inboundTimeoutSeconds");
        assert_eq!(problem.message(), "inboundTimeoutSeconds must be 1 to 600; it is 0.");
        assert_eq!(problem.path, ["information", "inboundTimeoutSeconds"]);
    }

    #[test]
    fn a_value_stands_in_the_message_as_it_was_sent() {
        for (value, shown) in [
            (r"^(?!00)\d+$", r#""^(?!00)\d+$""#),
            ("niccolò", "\"niccolò\""),
            ("-12", "-12"),
            ("-", "\"-\""),
            ("", "\"\""),
            ("1 2", "\"1 2\""),
            ("a\nb\u{202e}c", "\"a\\u{a}b\\u{202e}c\""),
        ] {
            let problem = Problem::new(Code::InvalidFormat, "must fit").value(value);
            assert_eq!(problem.message(), format!("The input must fit; it is {shown}."));
            assert_eq!(problem.value.as_deref(), Some(value));
        }
    }

    #[test]
    fn a_list_position_is_named_with_its_list() {
        let problem = Problem::new(Code::Duplicate, "is in the list twice").under(2).at("information", "memberIds");
        assert_eq!(problem.message(), "memberIds[2] is in the list twice.");
    }
}
