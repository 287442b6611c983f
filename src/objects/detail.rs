//! The properties and rules of each kind of object, besides its fields.

use super::CommonFields;
use crate::domain::{ExtensionNumber, Kind, ObjectId, Problem};
use crate::form::{AreaCode, Checked, Expression, Facts, Section, TenantFacts, Typed};

/// The fields that a kind of object adds to its row in `pbx_object`.
pub trait Detail: Typed {
    /// The kind.
    const KIND: Kind;
    /// Their common fields: [`Numbered`](super::Numbered) if they can be dialled, otherwise [`Named`](super::Named).
    type Common: CommonFields + Typed;
    /// Whether objects of the kind must have a number.
    const NEEDS_NUMBER: bool = false;
    /// Sets of columns in which no two objects of a tenant may agree. Objects whose first column is off, empty or null
    /// do not count.
    const UNIQUE: &'static [&'static [&'static str]] = &[];
    /// The lists of destinations whose entries ring in parallel, so that none of them ends the list.
    const PARALLEL_LISTS: &'static [&'static str] = &[];
    /// Whether a list of destinations may do nothing but lead back to the object.
    const MAY_LEAD_BACK: bool = false;

    /// Checks the rules that involve several fields; paths start with the field.
    fn check(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Checks what depends on the rest of the tenant; paths start with the field. References and lists of destinations
    /// are checked before, in the same way for all kinds.
    fn check_in_tenant(&self, _facts: &Facts, _checked: &mut Checked) {}

    /// The objects that a call to this one certainly reaches next, or the conditions that evaluating it certainly
    /// evaluates.
    fn certain_targets(&self, _tenant: &TenantFacts) -> Vec<ObjectId> {
        Vec::new()
    }

    /// The first and last of a range of numbers that this object reserves, so that no object may have them.
    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        None
    }

    /// Reports warnings: things that look wrong but can be saved. Paths start with the field.
    fn check_warnings(&self, _report: &mut dyn FnMut(Problem)) {}

    /// Visits the expressions that can be tried on the tenant's numbers, always in the same order. A save does not load
    /// these numbers. `area` is the area code of the tenant; paths start with the field.
    fn expressions<'a>(&'a self, _area: &AreaCode, _visit: &mut dyn FnMut(Expression<'a>)) {}
}

/// The detail of any kind: an object-safe [`Detail`].
pub trait AnyDetail: Section {
    /// A boxed copy.
    fn copy(&self) -> Box<dyn AnyDetail>;
    /// See [`Detail::check`].
    fn check(&self, report: &mut dyn FnMut(Problem));
    /// See [`Detail::check_in_tenant`].
    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked);
    /// See [`Detail::certain_targets`].
    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId>;
    /// See [`Detail::reserves`].
    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)>;
    /// See [`Detail::check_warnings`].
    fn check_warnings(&self, report: &mut dyn FnMut(Problem));
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

    fn check_in_tenant(&self, facts: &Facts, checked: &mut Checked) {
        Detail::check_in_tenant(self, facts, checked);
    }

    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId> {
        Detail::certain_targets(self, tenant)
    }

    fn reserves(&self) -> Option<(&ExtensionNumber, &ExtensionNumber)> {
        Detail::reserves(self)
    }

    fn check_warnings(&self, report: &mut dyn FnMut(Problem)) {
        Detail::check_warnings(self, report);
    }

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        Detail::expressions(self, area, visit);
    }
}
