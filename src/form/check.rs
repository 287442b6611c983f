//! The checks of a form, and what of them holds for every object.
//!
//! [`check`] is a pure function of the form and of [`Facts`], which the service gathers in the same transaction. The
//! rules themselves stand in the sections' files. A rule that must hold is an error; what only looks wrong is a warning.

use super::Form;
use super::destination::Destinations;
use super::facts::{Facts, Holder, SlotRange};
use super::numbers::{AreaCode, Expression};
use super::place::Reference;
use super::sections::Sections;
use crate::domain::{Code, ExtensionNumber, Kind, Problem};

/// The verdict on a form or another object.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Rules that are broken: it cannot be saved.
    pub errors: Vec<Problem>,
    /// What looks wrong: it can be saved.
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

/// Checks some sections of a form: their references, then each by its own rules. Of the others only what these rules look
/// at has to be there.
pub fn check(form: &Form, of: Sections, facts: &Facts) -> Checked {
    let mut checked = Checked::default();
    form.references(of, &mut |reference| checked.reference(reference, facts));
    form.destinations(of, &mut |path, list| checked.destinations(&path, list, facts));
    let rules = Form::RULES.iter().enumerate().filter(|(at, _)| of.has_at(*at));
    rules.for_each(|(_, section)| (section.check)(form, facts, &mut checked));
    checked
}

/// Adds what is worth saying of a saved form only: it looks at more of the tenant than a save does, or would be said of
/// every form that is still being filled.
pub fn lint(form: &Form, facts: &Facts, checked: &mut Checked) {
    Form::RULES.iter().for_each(|section| (section.lint)(form, facts, checked));
}

/// Hands out the form's expressions that can be tried on numbers; `area` is the tenant's.
pub fn expressions<'a>(form: &'a Form, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
    Form::RULES.iter().for_each(|section| (section.expressions)(form, area, visit));
}

impl Checked {
    /// A reference leads to an enabled object of a kind that fits.
    pub fn reference(&mut self, reference: Reference, facts: &Facts) {
        let Reference { object, kinds, path } = reference;
        let problem = |code, rule: String| Problem {
            path: path.clone(),
            ..Problem::new(code, rule).value(object.opaque().as_str())
        };
        let member = path.iter().any(|step| step == "memberIds" || step == "members");
        match facts.known.get(&object) {
            // Another tenant's object and one that never was answer alike.
            None => self.errors.push(Problem { path, ..Problem::not_found(kinds, &object.opaque()) }),
            Some(known) if !kinds.contains(&known.kind) && member && kinds == [Kind::Extension] => {
                let rule = format!("must be a real extension, not the {} {}", known.kind.label(), known.name);
                self.errors.push(problem(Code::MemberNotReal, rule).related(object));
            }
            Some(known) if !kinds.contains(&known.kind) => {
                let fitting = kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                let rule = format!("must be one of: {fitting}; {} is a {}", known.name, known.kind.label());
                self.errors.push(problem(Code::WrongKind, rule).related(object));
            }
            Some(known) if !known.enabled => {
                let code = if member { Code::MemberDisabled } else { Code::ReferenceDisabled };
                let rule = format!("points at {}, which is disabled", known.name);
                self.warnings.push(problem(code, rule).related(object));
            }
            Some(known) if known.never_true => {
                let rule = format!("points at the condition {}, which can never be true", known.name);
                self.warnings.push(problem(Code::NeverTrue, rule).related(object));
            }
            Some(_) => {}
        }
    }

    /// Nothing should stand behind a step that ends the call.
    pub fn destinations(&mut self, path: &[String], list: &Destinations, facts: &Facts) {
        if let Some(end) = list.end(facts).filter(|end| end + 1 < list.0.len()) {
            let rule = format!("is never reached: entry {end} ends the list");
            let problem = Problem::new(Code::UnreachableDestination, rule).under(end + 1);
            self.warnings.push(path.iter().rev().fold(problem, Problem::under));
        }
    }
}

/// What is wrong with the number of an object, or with having none; without a path.
pub fn check_number(number: Option<&ExtensionNumber>, required: bool, facts: &Facts) -> Vec<Problem> {
    let suggestion = facts.free_number.as_ref().map(|free| free.as_str().to_owned());
    let Some(number) = number.map(ExtensionNumber::as_str) else {
        let missing = Problem { suggestion, ..Problem::new(Code::Required, "is required") };
        return if required { vec![missing] } else { Vec::new() };
    };
    let taken = facts.other_holder(number).map(Holder::problem);
    let reserved = facts.parking(number).map(SlotRange::problem);
    let told = |problem: Problem| Problem { suggestion: suggestion.clone(), ..problem.value(number) };
    taken.into_iter().chain(reserved).map(told).collect()
}
