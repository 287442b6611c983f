//! What is wrong with an input: said once, where it is found, and carried unchanged to the client.

use super::{ObjectId, words};

words! {
    "FindingCode";
    /// Why an input was refused, or what a warning is about. Clients may branch on it; messages are for people. Warnings
    /// stand last, see [`Code::is_warning`].
    pub enum Code {
        /// A value that cannot be left out or cleared is missing.
        Required = "REQUIRED",
        /// The value does not have the form that the field asks for.
        InvalidFormat = "INVALID_FORMAT",
        /// Another object of the tenant already has this number.
        NumberTaken = "NUMBER_TAKEN",
        /// The number lies in a parking lot's slot range.
        NumberReserved = "NUMBER_RESERVED",
        /// The value is outside the range of the field.
        OutOfRange = "OUT_OF_RANGE",
        /// No such object in this tenant.
        NotFound = "NOT_FOUND",
        /// The object exists, but is of a kind that does not fit here.
        WrongKind = "WRONG_KIND",
        /// A member is not a real extension.
        MemberNotReal = "MEMBER_NOT_REAL",
        /// The same entry stands in the list twice.
        Duplicate = "DUPLICATE",
        /// The extension would point at itself.
        SelfReference = "SELF_REFERENCE",
        /// A chain of objects comes back to where it began.
        RoutingLoop = "ROUTING_LOOP",
        /// Another object of the tenant already has this value.
        Taken = "TAKEN",
        /// The object is referred to and cannot be deleted so.
        InUse = "IN_USE",
        /// The references have changed since the plan was made.
        PlanChanged = "PLAN_CHANGED",
        /// The value is required because of what another field says.
        RequiredWhen = "REQUIRED_WHEN",
        /// Two fields of the form exclude each other.
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
        /// LDAP is asked for, but the tenant has no LDAP server.
        NoLdapServer = "NO_LDAP_SERVER",
        /// The object was saved by someone else since the version that the client saw.
        Conflict = "CONFLICT",
        /// The token does not carry the scope that this needs.
        Forbidden = "FORBIDDEN",
        /// A member is disabled and will not ring.
        MemberDisabled = "MEMBER_DISABLED",
        /// An object that the form points at is disabled.
        ReferenceDisabled = "REFERENCE_DISABLED",
        /// The number is not one of the tenant's outside numbers.
        NumberNotOwned = "NUMBER_NOT_OWNED",
        /// A call that nobody answers is dropped.
        CallsDropped = "CALLS_DROPPED",
        /// The message lamp is set, but no call ever reaches a voicemail box.
        VoicemailNeverReached = "VOICEMAIL_NEVER_REACHED",
        /// The follow-me number is never dialled.
        NeverRings = "NEVER_RINGS",
        /// The destination stands behind one that ends the call.
        UnreachableDestination = "UNREACHABLE_DESTINATION",
        /// The condition can never be true.
        NeverTrue = "NEVER_TRUE",
        /// Carriers often refuse this caller ID.
        CallerIdRefused = "CALLER_ID_REFUSED",
        /// The setting has no effect as the form stands.
        NoEffect = "NO_EFFECT",
        /// Nobody is left who could answer.
        NoMembers = "NO_MEMBERS",
        /// The expression matches nothing that the tenant is known to dial, or to be called from.
        MatchesNothing = "MATCHES_NOTHING",
    }
}

impl Code {
    /// Whether it only looks wrong. What is wrong stands before the first of these.
    pub fn is_warning(self) -> bool {
        self as usize >= Self::MemberDisabled as usize
    }
}

/// One thing that is wrong with an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where: the input field's path from the outermost input field inwards, list positions included.
    pub path: Vec<String>,
    /// The rule that was broken.
    pub code: Code,
    /// The rule in words, as the continuation of the field's name: `must be 1 to 600 seconds`.
    pub rule: String,
    /// The offending value as the client sent it; `None` for secrets.
    pub value: Option<String>,
    /// What would be accepted instead, when that can be said.
    pub suggestion: Option<String>,
    /// The other object that is the cause, when there is one.
    pub related: Option<ObjectId>,
}

impl Problem {
    /// A problem that does not know its field yet; [`Problem::under`] adds it on the way up.
    pub fn new(code: Code, rule: impl Into<String>) -> Self {
        Self { path: Vec::new(), code, rule: rule.into(), value: None, suggestion: None, related: None }
    }

    /// Names the offending value. Never call this for a secret.
    pub fn value(mut self, value: impl ToString) -> Self {
        self.value = Some(value.to_string());
        self
    }

    /// Says what would be accepted.
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// Names the object that is the cause.
    pub fn related(mut self, object: ObjectId) -> Self {
        self.related = Some(object);
        self
    }

    /// Puts the problem below a field or a list position.
    pub fn under(mut self, step: impl ToString) -> Self {
        self.path.insert(0, step.to_string());
        self
    }

    /// Puts the problem at `section.field`.
    pub fn at(self, section: &str, field: &str) -> Self {
        self.under(field).under(section)
    }

    /// The whole sentence: field, rule and, unless it is a secret, value.
    pub fn message(&self) -> String {
        let field = match self.path.as_slice() {
            [] => "The input",
            // A list position alone would say nothing.
            [.., list, position] if position.parse::<usize>().is_ok() => {
                return self.sentence(&format!("{list}[{position}]"));
            }
            [.., field] => field,
        };
        self.sentence(field)
    }

    fn sentence(&self, field: &str) -> String {
        match &self.value {
            Some(value) => format!("{field} {}; it is {value:?}.", self.rule),
            None => format!("{field} {}.", self.rule),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_field_rule_and_value() {
        let problem =
            Problem::new(Code::OutOfRange, "must be 1 to 600").value(0).at("information", "inboundTimeoutSeconds");
        assert_eq!(problem.message(), "inboundTimeoutSeconds must be 1 to 600; it is \"0\".");
        assert_eq!(problem.path, ["information", "inboundTimeoutSeconds"]);
    }

    #[test]
    fn a_list_position_is_named_with_its_list() {
        let problem = Problem::new(Code::Duplicate, "stands in the list twice").under(2).at("information", "memberIds");
        assert_eq!(problem.message(), "memberIds[2] stands in the list twice.");
    }
}
