//! What is wrong with an input: said once, where it is found, and carried unchanged to the client.

use async_graphql::Enum;

/// Why an input was refused, or what a warning is about. Clients may branch on it; messages are for people.
#[derive(Clone, Copy, Debug, Enum, Eq, Hash, PartialEq)]
#[graphql(name = "ErrorCode")]
pub enum Code {
    /// A value that cannot be left out or cleared is missing.
    Required,
    /// The value does not have the form that the field asks for.
    InvalidFormat,
    /// Another object of the tenant already has this number.
    NumberTaken,
    /// The number lies in a parking lot's slot range.
    NumberReserved,
    /// The value is outside the range of the field.
    OutOfRange,
    /// No such object in this tenant.
    NotFound,
    /// The object exists, but is of a kind that does not fit here.
    WrongKind,
    /// A member is not a real extension.
    MemberNotReal,
    /// The same entry stands in the list twice.
    Duplicate,
    /// The extension would point at itself.
    SelfReference,
    /// A chain of objects comes back to where it began.
    RoutingLoop,
    /// Another object of the tenant already has this value.
    Taken,
    /// The object is referred to and cannot be deleted so.
    InUse,
    /// The references have changed since the plan was made.
    PlanChanged,
    /// The value is required because of what another field says.
    RequiredWhen,
    /// Two fields of the form exclude each other.
    Contradiction,
    /// The regular expression does not compile.
    RegexSyntax,
    /// The regular expression would need too much memory.
    UnsafeRegex,
    /// The PIN is too easy to guess.
    WeakPin,
    /// The password is too easy to guess.
    WeakPassword,
    /// The login name is in use.
    LoginTaken,
    /// The tenant does not have this feature.
    FeatureNotAvailable,
    /// LDAP is asked for, but the tenant has no LDAP server.
    NoLdapServer,
    /// The object was saved by someone else since the version that the client saw.
    Conflict,
    /// The token does not carry the scope that this needs.
    Forbidden,
    /// Warning: a member is disabled and will not ring.
    MemberDisabled,
    /// Warning: an object that the form points at is disabled.
    ReferenceDisabled,
    /// Warning: the number is not one of the tenant's outside numbers.
    NumberNotOwned,
    /// Warning: a call that nobody answers is dropped.
    CallsDropped,
    /// Warning: the message lamp is set, but no call ever reaches a voicemail box.
    VoicemailNeverReached,
    /// Warning: the follow-me number is never dialled.
    NeverRings,
    /// Warning: the destination stands behind one that ends the call.
    UnreachableDestination,
    /// Warning: the condition can never be true.
    NeverTrue,
    /// Warning: carriers often refuse this caller ID.
    CallerIdRefused,
    /// Warning: the setting has no effect as the form stands.
    NoEffect,
    /// Warning: nobody is left who could answer.
    NoMembers,
    /// Warning: the expression matches nothing that the tenant is known to dial, or to be called from.
    MatchesNothing,
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
    pub related: Option<super::ObjectId>,
}

impl Problem {
    /// A problem that does not know its field yet; [`Problem::under`] adds it on the way up.
    pub fn new(code: Code, rule: impl Into<String>) -> Self {
        Self { path: Vec::new(), code, rule: rule.into(), value: None, suggestion: None, related: None }
    }

    /// The one answer for an id that does not exist, that is another tenant's, or that no server ever handed out.
    pub fn not_found(kinds: &[super::Kind], id: &str) -> Self {
        let kinds = kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join(", ");
        Self::new(Code::NotFound, format!("must be the id of an object of this tenant: {kinds}")).value(id)
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
    pub fn related(mut self, object: super::ObjectId) -> Self {
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
