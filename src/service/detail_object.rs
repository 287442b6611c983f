//! Objects that have a detail instead of a form, and how they are checked.

use super::checkable::{Checkable, Lookups};
use crate::domain::{Code, ExtensionNumber, ObjectId, Problem};
use crate::form::{self, AreaCode, Checked, Expression, Facts, Section, TenantFacts};
use crate::objects::{AnyDetail, CommonFields, KindInfo};

/// An object that has a detail instead of a form: its common fields and its detail.
pub(super) struct DetailObject {
    pub(super) kind: &'static KindInfo,
    pub(super) common: Box<dyn CommonFields>,
    pub(super) detail: Box<dyn AnyDetail>,
}

impl Clone for DetailObject {
    fn clone(&self) -> Self {
        Self { kind: self.kind, common: self.common.copy(), detail: self.detail.copy() }
    }
}

impl DetailObject {
    pub(super) fn common(&self) -> &dyn Section {
        &*self.common
    }

    pub(super) fn detail(&self) -> &dyn Section {
        &*self.detail
    }

    pub(super) fn detail_mut(&mut self) -> &mut dyn Section {
        &mut *self.detail
    }
}

impl Checkable for DetailObject {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.common.number()
    }

    fn needs_number(&self) -> bool {
        self.kind.needs_number
    }

    fn collect_lookups(&self, lookups: &mut Lookups) {
        lookups.number(self.common.number());
        lookups.conditions = true;
        let detail: &dyn Section = &*self.detail;
        detail.references(&mut |reference| lookups.reference(&reference));
        detail.destinations(&mut |_, list| lookups.destinations(list));
    }

    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId> {
        self.detail.certain_targets(tenant)
    }

    fn check(&self, facts: &Facts) -> Checked {
        let (kind, detail): (_, &dyn Section) = (self.kind, &*self.detail);
        let mut checked = check_common_fields(kind, &*self.common, facts);
        detail.references(&mut |reference| checked.reference(reference, facts));
        detail.destinations(&mut |field, list| {
            if !kind.parallel_lists.contains(&field.name) {
                checked.destinations(std::slice::from_ref(&field.client_name), list, facts);
                let only = list.0.first().filter(|to| !kind.may_lead_back && facts.leads_back(to, self.number()));
                if let Some(only) = only {
                    let rule = format!("leads back to the {} itself and nowhere else", kind.kind.label());
                    let problem = Problem::new(Code::SelfReference, rule).under(only.field_name()).under(0);
                    checked.errors.push(problem.under(&field.client_name));
                }
            }
        });
        self.detail.check(&mut |problem| checked.errors.push(problem));
        self.detail.check_warnings(&mut |problem| checked.warnings.push(problem));
        self.detail.check_in_tenant(facts, &mut checked);
        checked
    }

    fn lint(&self, _: &Facts, _: &mut Checked) {}

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        self.detail.expressions(area, visit);
    }
}

fn check_common_fields(kind: &KindInfo, common: &dyn CommonFields, facts: &Facts) -> Checked {
    let mut checked = Checked::default();
    let numbers = form::check_number(common.number(), kind.needs_number, facts);
    checked.errors.extend(numbers.into_iter().map(|problem| problem.under("number")));
    if common.name().is_empty() {
        checked.errors.push(Problem::new(Code::Required, "is required").under("name"));
    }
    checked
}

/// The common fields of a new object whose detail cannot be built: they can still be checked.
pub(super) struct CommonFieldsOnly {
    pub(super) kind: &'static KindInfo,
    pub(super) common: Box<dyn CommonFields>,
}

impl Checkable for CommonFieldsOnly {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.common.number()
    }

    fn needs_number(&self) -> bool {
        self.kind.needs_number
    }

    fn collect_lookups(&self, lookups: &mut Lookups) {
        lookups.number(self.number());
    }

    fn certain_targets(&self, _: &TenantFacts) -> Vec<ObjectId> {
        Vec::new()
    }

    fn check(&self, facts: &Facts) -> Checked {
        check_common_fields(self.kind, &*self.common, facts)
    }

    fn lint(&self, _: &Facts, _: &mut Checked) {}

    fn expressions<'a>(&'a self, _: &AreaCode, _: &mut dyn FnMut(Expression<'a>)) {}
}
