//! Objects that can be checked, one by one or many at once, and what their checks need to know about the tenant.

use std::collections::HashSet;

use crate::domain::{ExtensionNumber, ObjectId};
use crate::form::{self, AreaCode, Checked, Destinations, Expression, Facts, Form, Reference, Sections};
use crate::form::{DestinationTarget, TenantFacts};

/// A form or another object that can be checked.
pub(super) trait Checkable: Send {
    /// Its number.
    fn number(&self) -> Option<&ExtensionNumber>;
    /// Whether it must have a number.
    fn needs_number(&self) -> bool;
    /// Adds what the check needs to know.
    fn collect_lookups(&self, lookups: &mut Lookups);
    /// The objects that a call to this one certainly reaches next, or the conditions that evaluating it certainly
    /// evaluates.
    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId>;
    /// Checks the object.
    fn check(&self, facts: &Facts) -> Checked;
    /// Adds the warnings that only make sense for a saved object, see [`form::lint`].
    fn lint(&self, facts: &Facts, checked: &mut Checked);
    /// Visits its expressions that can be tried on numbers; `area` is the area code of the tenant.
    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>));
}

/// What checks need to know about a tenant.
#[derive(Debug, Default)]
pub(super) struct Lookups {
    /// Numbers whose holders are needed.
    pub numbers: HashSet<String>,
    /// Logins whose holders are needed.
    pub logins: HashSet<String>,
    /// Outside numbers that may belong to the tenant; without the plus sign.
    pub outside: HashSet<String>,
    /// Objects whose properties are needed.
    pub objects: HashSet<ObjectId>,
    /// Whether to look for an LDAP server.
    pub ldap: bool,
    /// Whether to load the slots of parking lots.
    pub slots: bool,
    /// Whether to load the conditions among the objects.
    pub conditions: bool,
}

impl Lookups {
    pub(super) fn number(&mut self, number: Option<&ExtensionNumber>) {
        self.slots = true;
        self.numbers.extend(number.map(|number| number.as_str().to_owned()));
    }

    pub(super) fn destinations(&mut self, list: &Destinations) {
        for destination in &list.0 {
            match destination.target() {
                DestinationTarget::Number(number) => self.numbers.extend([number.as_str().to_owned()]),
                DestinationTarget::Object(object) => self.objects.extend([*object]),
                DestinationTarget::Hangup(_) => {}
            }
        }
    }

    pub(super) fn reference(&mut self, reference: &Reference) {
        self.objects.insert(reference.object);
    }
}

/// Some sections of a form.
pub(super) struct FormPart<'a> {
    pub(super) form: &'a Form,
    pub(super) sections: Sections,
    /// Whether to look for warnings.
    pub(super) with_warnings: bool,
}

impl<'a> FormPart<'a> {
    fn whole(form: &'a Form) -> Self {
        Self { form, sections: Sections::ALL, with_warnings: true }
    }
}

impl Checkable for FormPart<'_> {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.form.information.number.as_ref().filter(|_| self.needs_number())
    }

    fn needs_number(&self) -> bool {
        self.sections.has("information")
    }

    fn collect_lookups(&self, lookups: &mut Lookups) {
        let Self { form, sections, with_warnings } = self;
        // A condition that is never true causes a warning; working hours require a condition on the time.
        lookups.conditions |= *with_warnings || sections.has("security");
        if sections.has("information") {
            lookups.number(form.information.number.as_ref());
        }
        if sections.has("followMe") {
            lookups.numbers.extend(form.follow_me.number.as_ref().map(|number| number.as_str().to_owned()));
        }
        if sections.has("webUserPanel") {
            lookups.logins.extend(form.web_user_panel.web_user.as_ref().map(|login| login.as_str().to_owned()));
            lookups.ldap |= form.web_user_panel.use_ldap;
        }
        if sections.has("outboundCalls") {
            let outside = form.outbound_calls.external_caller_id_number.as_ref();
            lookups.outside.extend(outside.map(|number| number.as_str().trim_start_matches('+').to_owned()));
        }
        form.references(*sections, &mut |reference| lookups.reference(&reference));
        form.destinations(*sections, &mut |_, list| lookups.destinations(list));
    }

    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId> {
        let is_part = self.sections.has("additionalDestinations");
        let next = is_part.then(|| self.form.additional_destinations.certain_target(tenant)).flatten();
        next.map(|(_, object)| object).into_iter().collect()
    }

    fn check(&self, facts: &Facts) -> Checked {
        form::check(self.form, self.sections, facts)
    }

    fn lint(&self, facts: &Facts, checked: &mut Checked) {
        form::lint(self.form, facts, checked);
    }

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        form::expressions(self.form, area, visit);
    }
}

impl Checkable for Form {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.information.number.as_ref()
    }

    fn needs_number(&self) -> bool {
        true
    }

    fn collect_lookups(&self, lookups: &mut Lookups) {
        FormPart::whole(self).collect_lookups(lookups);
    }

    fn certain_targets(&self, tenant: &TenantFacts) -> Vec<ObjectId> {
        FormPart::whole(self).certain_targets(tenant)
    }

    fn check(&self, facts: &Facts) -> Checked {
        FormPart::whole(self).check(facts)
    }

    fn lint(&self, facts: &Facts, checked: &mut Checked) {
        form::lint(self, facts, checked);
    }

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        form::expressions(self, area, visit);
    }
}
