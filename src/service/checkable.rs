//! What can be checked, one by one or many at once: it says what it asks of the tenant around it.

use std::collections::HashSet;

use crate::domain::{ExtensionNumber, ObjectId};
use crate::form::{self, AreaCode, Checked, Destinations, Expression, Facts, Form, Reference, Sections};
use crate::form::{DestinationTarget as Target, Surroundings};

/// A form or another object as it is checked.
pub(super) trait Checkable: Send {
    /// The number that it has.
    fn number(&self) -> Option<&ExtensionNumber>;
    /// Whether it must have one.
    fn needs_number(&self) -> bool;
    /// What the check has to know.
    fn ask(&self, asks: &mut Asks);
    /// Where a call, or a question, that comes to the object surely goes on.
    fn surely(&self, around: &Surroundings) -> Vec<ObjectId>;
    /// What is wrong with it.
    fn check(&self, facts: &Facts) -> Checked;
    /// Adds what is worth saying of it only when it is saved, see [`form::lint`].
    fn lint(&self, facts: &Facts, checked: &mut Checked);
    /// Hands out its expressions that can be tried on numbers; `area` is the tenant's.
    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>));
}

/// What checks have to know of a tenant.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// Who has these numbers.
    pub numbers: HashSet<String>,
    /// Who has these logins.
    pub logins: HashSet<String>,
    /// Whether these outside numbers are the tenant's; without the plus sign.
    pub outside: HashSet<String>,
    /// What these objects are.
    pub objects: HashSet<ObjectId>,
    /// Whether there is an LDAP server.
    pub ldap: bool,
    /// Which numbers are the slots of parking lots.
    pub slots: bool,
    /// What the conditions among the objects ask.
    pub conditions: bool,
}

impl Asks {
    pub(super) fn number(&mut self, number: Option<&ExtensionNumber>) {
        self.slots = true;
        self.numbers.extend(number.map(|number| number.as_str().to_owned()));
    }

    pub(super) fn destinations(&mut self, list: &Destinations) {
        for destination in &list.0 {
            match destination.target() {
                Target::Number(number) => self.numbers.extend([number.as_str().to_owned()]),
                Target::Object(object) => self.objects.extend([*object]),
                Target::Hangup(_) => {}
            }
        }
    }

    pub(super) fn reference(&mut self, reference: &Reference) {
        self.objects.insert(reference.object);
    }
}

/// Some sections of a form.
pub(super) struct Part<'a> {
    pub(super) form: &'a Form,
    pub(super) sections: Sections,
    /// Whether what only looks wrong is looked for.
    pub(super) warns: bool,
}

impl<'a> Part<'a> {
    fn whole(form: &'a Form) -> Self {
        Self { form, sections: Sections::ALL, warns: true }
    }
}

impl Checkable for Part<'_> {
    fn number(&self) -> Option<&ExtensionNumber> {
        self.form.information.number.as_ref().filter(|_| self.needs_number())
    }

    fn needs_number(&self) -> bool {
        self.sections.has("information")
    }

    fn ask(&self, asks: &mut Asks) {
        let Self { form, sections, warns } = self;
        // One that is never true only looks wrong; the hours of work have to be times.
        asks.conditions |= *warns || sections.has("security");
        if sections.has("information") {
            asks.number(form.information.number.as_ref());
        }
        if sections.has("followMe") {
            asks.numbers.extend(form.follow_me.number.as_ref().map(|number| number.as_str().to_owned()));
        }
        if sections.has("webUserPanel") {
            asks.logins.extend(form.web_user_panel.web_user.as_ref().map(|login| login.as_str().to_owned()));
            asks.ldap |= form.web_user_panel.use_ldap;
        }
        if sections.has("outboundCalls") {
            let outside = form.outbound_calls.external_caller_id_number.as_ref();
            asks.outside.extend(outside.map(|number| number.as_str().trim_start_matches('+').to_owned()));
        }
        form.references(*sections, &mut |reference| asks.reference(&reference));
        form.destinations(*sections, &mut |_, list| asks.destinations(list));
    }

    fn surely(&self, around: &Surroundings) -> Vec<ObjectId> {
        let is_part = self.sections.has("additionalDestinations");
        let next = is_part.then(|| self.form.additional_destinations.surely(around)).flatten();
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

    fn ask(&self, asks: &mut Asks) {
        Part::whole(self).ask(asks);
    }

    fn surely(&self, around: &Surroundings) -> Vec<ObjectId> {
        Part::whole(self).surely(around)
    }

    fn check(&self, facts: &Facts) -> Checked {
        Part::whole(self).check(facts)
    }

    fn lint(&self, facts: &Facts, checked: &mut Checked) {
        form::lint(self, facts, checked);
    }

    fn expressions<'a>(&'a self, area: &AreaCode, visit: &mut dyn FnMut(Expression<'a>)) {
        form::expressions(self, area, visit);
    }
}
