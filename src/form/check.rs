//! The checks of a form, and those checks that every object shares.
//!
//! [`check`] is a pure function of the form and of [`Facts`], which the service loads in the same transaction. The
//! rules themselves are in the files of the sections. A broken rule is an error; something that only looks wrong is a
//! warning.

use super::Form;
use super::destination::Destinations;
use super::expressions::{AreaCode, Expression};
use super::facts::{Facts, Holder, SlotRange};
use super::place::Reference;
use super::sections::Sections;
use crate::domain::{Code, ExtensionNumber, Kind, Problem};

/// The result of checking a form or another object.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Broken rules: the object cannot be saved.
    pub errors: Vec<Problem>,
    /// Things that look wrong: the object can still be saved.
    pub warnings: Vec<Problem>,
}

impl Checked {
    pub(super) fn error(&mut self, section: &str, field: &str, problem: Problem) {
        self.errors.push(problem.at(section, field));
    }

    pub(super) fn warn(&mut self, section: &str, field: &str, code: Code, rule: impl Into<String>) {
        self.warnings.push(Problem::new(code, rule).at(section, field));
    }

    /// Adds an error if a value is missing that `why` requires.
    pub(super) fn required_when(&mut self, broken: bool, section: &str, field: &str, why: &str) {
        if broken {
            self.error(section, field, Problem::new(Code::RequiredWhen, format!("is required when {why}")));
        }
    }
}

/// Checks some sections of a form: first their references, then each section by its own rules. Of the other sections,
/// only those that these rules depend on must be loaded.
pub fn check(form: &Form, sections: Sections, facts: &Facts) -> Checked {
    let mut checked = Checked::default();
    form.references(sections, &mut |reference| checked.reference(reference, facts));
    form.destinations(sections, &mut |path, list| checked.destinations(&path, list, facts));
    let rules = Form::RULES.iter().enumerate().filter(|(i, _)| sections.has_index(*i));
    rules.for_each(|(_, section)| (section.check)(form, facts, &mut checked));
    checked
}

/// Adds the warnings that only make sense for a saved form: those that look at more of the tenant than a save does, and
/// those that every half-filled form would get.
pub fn lint(form: &Form, facts: &Facts, checked: &mut Checked) {
    Form::RULES.iter().for_each(|section| (section.lint)(form, facts, checked));
}

/// Visits the form's expressions that can be tried on numbers; `area` is the area code of the tenant.
pub fn expressions<'a>(form: &'a Form, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
    Form::RULES.iter().for_each(|section| (section.expressions)(form, area, visit));
}

impl Checked {
    /// Checks that a reference leads to an enabled object of an allowed kind.
    pub fn reference(&mut self, reference: Reference, facts: &Facts) {
        let Reference { object, kinds, path } = reference;
        let problem = |code, rule: String| Problem {
            path: path.clone(),
            ..Problem::new(code, rule).value(object.opaque().as_str())
        };
        let member = path.iter().any(|step| step == "memberIds" || step == "members");
        match facts.referenced.get(&object) {
            // An object of another tenant gets the same answer as one that never existed.
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
                let rule = format!("refers to {}, which is disabled", known.name);
                self.warnings.push(problem(code, rule).related(object));
            }
            Some(known) if known.never_true => {
                let rule = format!("refers to the condition {}, which can never be true", known.name);
                self.warnings.push(problem(Code::NeverTrue, rule).related(object));
            }
            Some(_) => {}
        }
    }

    /// Warns about destinations after one that ends the call.
    pub fn destinations(&mut self, path: &[String], list: &Destinations, facts: &Facts) {
        if let Some(end) = list.last_step(facts).filter(|end| end + 1 < list.0.len()) {
            let rule = format!("is never reached, because entry {end} ends the list");
            let problem = Problem::new(Code::UnreachableDestination, rule).under(end + 1);
            self.warnings.push(path.iter().rev().fold(problem, Problem::under));
        }
    }
}

/// The problems with the number of an object, or with having none; their paths are empty.
pub fn check_number(number: Option<&ExtensionNumber>, required: bool, facts: &Facts) -> Vec<Problem> {
    let suggestion = facts.free_number.as_ref().map(|free| free.as_str().to_owned());
    let Some(number) = number.map(ExtensionNumber::as_str) else {
        let missing = Problem { suggestion, ..Problem::new(Code::Required, "is required") };
        return if required { vec![missing] } else { Vec::new() };
    };
    let taken = facts.other_holder(number).map(Holder::problem);
    let reserved = facts.parking(number).map(SlotRange::problem);
    let complete = |problem: Problem| Problem { suggestion: suggestion.clone(), ..problem.value(number) };
    taken.into_iter().chain(reserved).map(complete).collect()
}
