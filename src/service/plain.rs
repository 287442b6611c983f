//! An object that is not a form, and how it is checked.

use super::checkable::{Asks, Checkable};
use crate::domain::{Code, ExtensionNumber, ObjectId, Problem};
use crate::form::{self, AreaCode, Checked, Expression, Facts, Section, Surroundings};
use crate::objects::{AnyDetail, Head, KindInfo};

/// An object that is not a form: what of it stands in its row, and its detail.
pub(super) struct PlainObject {
    pub(super) kind: &'static KindInfo,
    pub(super) head: Box<dyn Head>,
    pub(super) detail: Box<dyn AnyDetail>,
}

impl Clone for PlainObject {
    fn clone(&self) -> Self {
        Self { kind: self.kind, head: self.head.copy(), detail: self.detail.copy() }
    }
}

impl PlainObject {
    pub(super) fn head(&self) -> &dyn Section {
        &*self.head
    }

    pub(super) fn detail(&self) -> &dyn Section {
        &*self.detail
    }

    pub(super) fn detail_mut(&mut self) -> &mut dyn Section {
        &mut *self.detail
    }
}

impl Checkable for PlainObject {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.head.number()
    }

    fn needs_number(&self) -> bool {
        self.kind.needs_number
    }

    fn ask(&self, asks: &mut Asks) {
        asks.number(self.head.number());
        asks.conditions = true;
        let detail: &dyn Section = &*self.detail;
        detail.references(&mut |reference| asks.reference(&reference));
        detail.destinations(&mut |_, list| asks.destinations(list));
    }

    fn surely(&self, around: &Surroundings) -> Vec<ObjectId> {
        self.detail.surely(around)
    }

    fn check(&self, facts: &Facts) -> Checked {
        let (kind, detail): (_, &dyn Section) = (self.kind, &*self.detail);
        let mut checked = check_head(kind, &*self.head, facts);
        detail.references(&mut |reference| checked.reference(reference, facts));
        detail.destinations(&mut |field, list| {
            if !kind.beside.contains(&field.name) {
                checked.destinations(std::slice::from_ref(&field.client), list, facts);
                let only = list.0.first().filter(|to| !kind.repeats && facts.leads_back(to, self.number()));
                if let Some(only) = only {
                    let rule = format!("leads back to the {} itself and nowhere else", kind.kind.label());
                    let problem = Problem::new(Code::SelfReference, rule).under(only.word()).under(0);
                    checked.errors.push(problem.under(&field.client));
                }
            }
        });
        self.detail.check(&mut |problem| checked.errors.push(problem));
        self.detail.doubts(&mut |problem| checked.warnings.push(problem));
        self.detail.check_around(facts, &mut checked);
        checked
    }

    fn lint(&self, _: &Facts, _: &mut Checked) {}

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        self.detail.expressions(area, visit);
    }
}

fn check_head(kind: &KindInfo, head: &dyn Head, facts: &Facts) -> Checked {
    let mut checked = Checked::default();
    let numbers = form::check_number(head.number(), kind.needs_number, facts);
    checked.errors.extend(numbers.into_iter().map(|problem| problem.under("number")));
    if head.name().is_empty() {
        checked.errors.push(Problem::new(Code::Required, "is required").under("name"));
    }
    checked
}

/// What of a new object stands in its row, when its detail cannot be made: that much can be checked.
pub(super) struct RowOf {
    pub(super) kind: &'static KindInfo,
    pub(super) head: Box<dyn Head>,
}

impl Checkable for RowOf {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.head.number()
    }

    fn needs_number(&self) -> bool {
        self.kind.needs_number
    }

    fn ask(&self, asks: &mut Asks) {
        asks.number(self.number());
    }

    fn surely(&self, _: &Surroundings) -> Vec<ObjectId> {
        Vec::new()
    }

    fn check(&self, facts: &Facts) -> Checked {
        check_head(self.kind, &*self.head, facts)
    }

    fn lint(&self, _: &Facts, _: &mut Checked) {}

    fn expressions<'a>(&'a self, _: &AreaCode, _: &mut dyn FnMut(Expression<'a>)) {}
}
