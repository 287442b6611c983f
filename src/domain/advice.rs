//! What to do about a problem: one sentence for every code, so that there is no code without one.

use super::Code;

impl Code {
    /// What whoever finds it in what is saved does about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Required => "Give the field a value.",
            Self::InvalidFormat => "Write the value in the form that the field asks for.",
            Self::NumberTaken => "Give one of the two objects another number; nextFreeNumber finds one.",
            Self::NumberReserved => "Give the object another number, or move the slots of the parking lot.",
            Self::OutOfRange => "Choose a value inside the range.",
            Self::NotFound => "Choose an object of this tenant, or clear the field.",
            Self::WrongKind => "Choose an object of a kind that fits, or clear the field.",
            Self::MemberNotReal => "Name the real extensions themselves as members.",
            Self::Duplicate => "Take one of the two entries out.",
            Self::SelfReference => "Lead calls somewhere else than back to the object itself.",
            Self::RoutingLoop => "Lead one of the stops on the way somewhere else, or switch it off.",
            Self::Taken => "Choose another value, or change the object that has this one.",
            Self::InUse => "Repoint or remove what refers to the object; its delete plan lists it.",
            Self::PlanChanged => "Ask for the plan again and look at what has changed.",
            Self::RequiredWhen => "Give the field a value, or switch off what asks for it.",
            Self::Contradiction => "Keep one of the two settings and change the other.",
            Self::RegexSyntax => "Correct the expression at the place that the message names.",
            Self::UnsafeRegex => "Write the expression with shorter repetitions.",
            Self::WeakPin => "Choose a PIN that is neither a run nor a repetition of digits.",
            Self::WeakPassword => "Choose a longer password that has neither number nor name in it.",
            Self::LoginTaken => "Choose another login name.",
            Self::FeatureNotAvailable => "Switch the setting off, or give the tenant the feature.",
            Self::NoLdapServer => "Enter an LDAP server and enable it, or let the password be checked here.",
            Self::Conflict => "Read what is saved now and repeat the change on it.",
            Self::Forbidden => "Use a token with the scope that this needs.",
            Self::MemberDisabled => "Enable the member, or take it out of the list.",
            Self::ReferenceDisabled => "Enable the object that is pointed at, or point at another one.",
            Self::NumberNotOwned => {
                "Show one of the tenant's outside numbers, or enter this one as an outside number (DID)."
            }
            Self::CallsDropped => "Say where such calls go: a voicemail box, an announcement, somebody else.",
            Self::VoicemailNeverReached => "Lead calls that nobody answers to the voicemail box, or clear the lamp.",
            Self::NeverRings => "Make the delay shorter than the time for which the members ring.",
            Self::UnreachableDestination => "Move the destination before the one that ends the list, or take it out.",
            Self::NeverTrue => "Give the condition something that can come true, or use another condition.",
            Self::CallerIdRefused => "Show the extension's own outside number, a fixed one, or the number dialled.",
            Self::NoEffect => "Switch on what the setting belongs to, or clear the setting.",
            Self::NoMembers => "Add somebody who can answer, or lead calls past the object.",
            Self::MatchesNothing => "Look whether the expression is written for the form in which numbers arrive.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_one_sentence() {
        for (word, _) in Code::TYPE.words {
            let advice = Code::of(word).unwrap().advice();
            assert!(advice.starts_with(char::is_uppercase) && advice.ends_with('.'), "{advice}");
            assert!(!advice.contains(". "), "{advice}");
        }
    }
}
