//! Advice on each problem code: one sentence on how to fix it.

use super::Code;

impl Code {
    /// How to fix a problem with this code in a saved object, as one sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Required => "Give the field a value.",
            Self::InvalidFormat => "Write the value in the format of the field.",
            Self::NumberTaken => "Give one of the two objects another number; nextFreeNumber finds one.",
            Self::NumberReserved => "Give the object another number, or move the slots of the parking lot.",
            Self::OutOfRange => "Choose a value within the range.",
            Self::NotFound => "Choose an object of this tenant, or clear the field.",
            Self::WrongKind => "Choose an object of an allowed kind, or clear the field.",
            Self::MemberNotReal => "Use the real extensions themselves as members.",
            Self::Duplicate => "Remove one of the two entries.",
            Self::SelfReference => "Send calls somewhere other than back to the object itself.",
            Self::RoutingLoop => {
                "Change or switch off one of the objects in the chain so that it leads somewhere else."
            }
            Self::Taken => "Choose another value, or change the object that has this one.",
            Self::InUse => "Change or remove the references to the object; its delete plan lists them.",
            Self::PlanChanged => "Request the plan again and check what has changed.",
            Self::RequiredWhen => "Give the field a value, or switch off the setting that requires it.",
            Self::Contradiction => "Keep one of the two settings and change the other.",
            Self::RegexSyntax => "Correct the expression at the position in the message.",
            Self::UnsafeRegex => "Use shorter repetitions in the expression.",
            Self::WeakPin => "Choose a PIN that is neither a run of digits nor one repeated digit.",
            Self::WeakPassword => "Choose a longer password that is not the number, the name or the login.",
            Self::LoginTaken => "Choose another login name.",
            Self::FeatureNotAvailable => "Switch the setting off, or give the tenant the feature.",
            Self::NoLdapServer => "Create and enable an LDAP server, or switch LDAP off.",
            Self::Conflict => "Read the object again and repeat the change.",
            Self::Forbidden => "Use a token with the required scope.",
            Self::MemberDisabled => "Enable the member, or remove it from the list.",
            Self::ReferenceDisabled => "Enable that object, or choose another one.",
            Self::NumberNotOwned => {
                "Use one of the tenant's outside numbers, or create this one as an outside number (DID)."
            }
            Self::CallsDropped => {
                "Send such calls somewhere, for example to a voicemail box, an announcement or another person."
            }
            Self::VoicemailNeverReached => {
                "Send calls that nobody answers to the voicemail box, or clear the box of the message lamp."
            }
            Self::NeverRings => "Make the delay shorter than the time that the members ring.",
            Self::UnreachableDestination => "Move the destination before the one that ends the list, or remove it.",
            Self::NeverTrue => "Change the condition so that it can be true, or use another one.",
            Self::CallerIdRefused => {
                "Use the extension's own outside number, a fixed number or the dialled number as the caller ID."
            }
            Self::NoEffect => "Switch on the setting that it depends on, or clear it.",
            Self::NoMembers => "Add somebody who can answer, or send calls elsewhere.",
            Self::MatchesNothing => "Check whether the expression fits the format in which numbers arrive.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_one_sentence() {
        for (word, _) in Code::TYPE.words {
            let advice = Code::from_word(word).unwrap().advice();
            assert!(advice.starts_with(char::is_uppercase) && advice.ends_with('.'), "{advice}");
            assert!(!advice.contains(". "), "{advice}");
        }
    }
}
