//! What the checks work with: the facts around a form, and the verdict.
//!
//! [`check`] is a pure function of the form and of [`Facts`], which the service gathers in the same transaction. The
//! rules themselves stand in the sections' files. A rule that must hold is an error; what only looks wrong is a warning.

use std::collections::HashMap;

use super::{Form, Reference, Rules, each_section};
use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem, SecretText};
use crate::form;

/// What the tenant looks like around the form.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The extension itself; `None` for one that is being created and for the tenant's defaults.
    pub own: Option<ObjectId>,
    /// Whether the form is the tenant's defaults, which have no number, name or login.
    pub defaults: bool,
    /// Who holds the form's number, if it is somebody else.
    pub number_holder: Option<Holder>,
    /// Parking slots that contain the form's number.
    pub parking: Option<SlotRange>,
    /// A free number near the form's number.
    pub free_number: Option<ExtensionNumber>,
    /// Whether another extension has the form's login name.
    pub login_taken: bool,
    /// Whether the tenant has transcription, and summaries and moods of transcripts.
    pub transcription: bool,
    /// Whether the tenant has AI summaries and moods of transcripts.
    pub ai: bool,
    /// Whether the tenant has an LDAP server.
    pub ldap: bool,
    /// Whether the external caller ID is one of the tenant's outside numbers.
    pub owns_external_number: bool,
    /// Every object that the form refers to and that exists in the tenant.
    pub known: HashMap<ObjectId, Known>,
    /// The object that an internal number in follow-me leads to.
    pub follow_me_target: Option<ObjectId>,
    /// The web password that the client sent: the form only has its hash.
    pub new_password: Option<SecretText>,
}

/// Who has a number.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The object.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Holder {
    /// Why nobody else can have the number.
    pub fn problem(&self) -> Problem {
        Problem::new(Code::NumberTaken, format!("is taken by the {} {}", self.kind.label(), self.name))
            .related(self.object)
    }
}

/// The slots of a parking lot, both ends included.
#[derive(Clone, Debug)]
pub struct SlotRange {
    /// The lot.
    pub lot: ObjectId,
    /// Its name.
    pub name: String,
    /// The first slot.
    pub first: String,
    /// The last slot.
    pub last: String,
}

impl SlotRange {
    /// Why nobody can have a number among them.
    pub fn problem(&self) -> Problem {
        let Self { lot, name, first, last } = self;
        let rule = format!("lies in the slots {first} to {last} of the parking lot {name}");
        Problem::new(Code::NumberReserved, rule).related(*lot)
    }
}

/// What the checks must know of an object that the form refers to.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is.
    pub kind: Kind,
    /// Its name, for messages.
    pub name: String,
    /// Whether it is in use.
    pub enabled: bool,
    /// Of a condition: whether it only asks the time.
    pub of_time: bool,
    /// Of a condition: whether it can never be true (again).
    pub never_true: bool,
    /// Of a user profile: whether it is for the panel.
    pub for_panel: bool,
}

/// The verdict on a form.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Rules that are broken: the form cannot be saved.
    pub errors: Vec<Problem>,
    /// What looks wrong: the form can be saved.
    pub warnings: Vec<Problem>,
}

impl Checked {
    pub(super) fn error(&mut self, section: &str, field: &str, problem: Problem) {
        self.errors.push(problem.at(section, field));
    }

    pub(super) fn warn(&mut self, section: &str, field: &str, code: Code, rule: impl Into<String>) {
        self.warnings.push(Problem::new(code, rule).at(section, field));
    }

    /// An error when something is on that needs something else.
    pub(super) fn required_when(&mut self, broken: bool, section: &str, field: &str, why: &str) {
        if broken {
            self.error(section, field, Problem::new(Code::RequiredWhen, format!("is required when {why}")));
        }
    }
}

macro_rules! check {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        /// Checks a whole form: its references, then each section by its own rules.
        pub fn check(form: &Form, facts: &Facts) -> Checked {
            let mut checked = Checked::default();
            references(form, facts, &mut checked);
            $(form::$Section::check(form, facts, &mut checked);)+
            checked
        }
    };
}
each_section!(check);

/// Every reference leads to an enabled object of a kind that fits.
fn references(form: &Form, facts: &Facts, checked: &mut Checked) {
    form.references(&mut |reference| {
        let Reference { object, kinds, path } = reference;
        let problem = |code, rule: String| Problem {
            path: path.clone(),
            ..Problem::new(code, rule).value(object.opaque().as_str())
        };
        let member = path.iter().any(|step| step == "memberIds");
        match facts.known.get(&object) {
            // Another tenant's object and one that never was answer alike.
            None => checked.errors.push(Problem { path, ..Problem::not_found(kinds, &object.opaque()) }),
            Some(known) if !kinds.contains(&known.kind) && member => {
                let rule = format!("must be a real extension, not the {} {}", known.kind.label(), known.name);
                checked.errors.push(problem(Code::MemberNotReal, rule).related(object));
            }
            Some(known) if !kinds.contains(&known.kind) => {
                let fitting = kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                let rule = format!("must be one of: {fitting}; {} is a {}", known.name, known.kind.label());
                checked.errors.push(problem(Code::WrongKind, rule).related(object));
            }
            Some(known) if !known.enabled => {
                let code = if member { Code::MemberDisabled } else { Code::ReferenceDisabled };
                checked
                    .warnings
                    .push(problem(code, format!("points at {}, which is disabled", known.name)).related(object));
            }
            Some(known) if known.never_true => {
                let rule = format!("points at the condition {}, which can never be true", known.name);
                checked.warnings.push(problem(Code::NeverTrue, rule).related(object));
            }
            Some(_) => {}
        }
    });
}
