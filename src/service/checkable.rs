//! What can be checked, one by one or many at once: it says what it asks of the tenant around it.

use std::collections::HashSet;

use super::document::Plain;
use crate::domain::{Code, ExtensionNumber, ObjectId, Problem};
use crate::form::{self, AreaCode, Checked, Destinations, Expression, Facts, Form, Reference, Section, Sections};
use crate::form::{DestinationTarget as Target, Surroundings};
use crate::objects::{Head, KindInfo};

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
    fn number(&mut self, number: Option<&ExtensionNumber>) {
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

    fn reference(&mut self, reference: &Reference) {
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

impl Checkable for Plain {
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
