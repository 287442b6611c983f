//! What each kind of object says of itself besides its fields.

use super::Head;
use crate::domain::{ExtensionNumber, Kind, ObjectId, Problem};
use crate::form::{AreaCode, Checked, Expression, Facts, Section, Surroundings, Typed};

/// What a kind of object adds to its row in `pbx_object`.
pub trait Detail: Typed {
    /// The kind whose detail this is.
    const KIND: Kind;
    /// What its objects have besides: [`Numbered`](super::Numbered) when they can be dialled, else [`Named`](super::Named).
    type Head: Head + Typed;
    /// Whether its objects must have a number.
    const NEEDS_NUMBER: bool = false;
    /// The columns that two objects of a tenant cannot have alike. What is off, empty or null in the first of them is
    /// never alike.
    const UNIQUE: &'static [&'static [&'static str]] = &[];
    /// The lists of destinations whose entries ring beside each other, so that none of them ends the list.
    const BESIDE: &'static [&'static str] = &[];
    /// Whether a list of destinations may lead back to the object and nowhere else.
    const REPEATS: bool = false;

    /// Reports the rules that one field alone cannot answer; paths start with the field.
    fn check(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Checks what depends on the tenant around the object; paths start with the field. References and lists of
    /// destinations are checked before, for all kinds alike.
    fn check_around(&self, _facts: &Facts, _checked: &mut Checked) {}

    /// Where a call, or a question, that comes to the object surely goes on.
    fn surely(&self, _around: &Surroundings) -> Vec<ObjectId> {
        Vec::new()
    }

    /// The first and the last of numbers that no object may have because of this one.
    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        None
    }

    /// Reports what looks wrong but can be saved; paths start with the field.
    fn doubts(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Hands out the expressions that can be tried on the tenant's numbers, which a save does not know, always in the
    /// same order; `area` is the tenant's. Paths start with the field.
    fn expressions<'a>(&'a self, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}
}

/// A detail whose kind is not known: [`Detail`] as an object.
pub trait AnyDetail: Section {
    /// A copy of it.
    fn copy(&self) -> Box<dyn AnyDetail>;
    /// See [`Detail::check`].
    fn check(&self, report: &mut dyn FnMut(Problem));
    /// See [`Detail::check_around`].
    fn check_around(&self, facts: &Facts, checked: &mut Checked);
    /// See [`Detail::surely`].
    fn surely(&self, around: &Surroundings) -> Vec<ObjectId>;
    /// See [`Detail::reserves`].
    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)>;
    /// See [`Detail::doubts`].
    fn doubts(&self, report: &mut dyn FnMut(Problem));
    /// See [`Detail::expressions`].
    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>));
}

impl<D: Detail> AnyDetail for D {
    fn copy(&self) -> Box<dyn AnyDetail> {
        Box::new(self.clone())
    }

    fn check(&self, report: &mut dyn FnMut(Problem)) {
        Detail::check(self, report);
    }

    fn check_around(&self, facts: &Facts, checked: &mut Checked) {
        Detail::check_around(self, facts, checked);
    }

    fn surely(&self, around: &Surroundings) -> Vec<ObjectId> {
        Detail::surely(self, around)
    }

    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        Detail::reserves(self)
    }

    fn doubts(&self, report: &mut dyn FnMut(Problem)) {
        Detail::doubts(self, report);
    }

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        Detail::expressions(self, area, visit);
    }
}
