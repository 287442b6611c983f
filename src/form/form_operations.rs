//! Operations on forms that work for any set of sections.

use super::Form;
use super::destination::Destinations;
use super::info::{Section, SectionInfo};
use super::place::Reference;
use super::section::Change;
use super::sections::Sections;
use crate::domain::{ObjectId, Patch, Problem, Sent, SentSecret};

impl Form {
    /// Applies a patch to a copy of this form. The patch may have any of the sections, and any fields of each. A value
    /// that breaks a rule is reported and leaves its field unchanged.
    pub fn patched(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Self {
        let mut form = self.clone();
        for section in form.sections_mut() {
            let name = &section.info().client_name;
            if let Some(Sent::Object(sent)) = patch.get(name) {
                section.apply(sent, &mut |problem| report(problem.under(name)));
            }
        }
        form
    }

    /// The secrets in a patch.
    pub fn secrets(patch: &Patch) -> Vec<SentSecret<'_>> {
        let secrets_of = |info: &&'static SectionInfo| match patch.get(&info.client_name) {
            Some(Sent::Object(sent)) => info.secrets(sent),
            _ => Vec::new(),
        };
        Self::infos().iter().flat_map(secrets_of).collect()
    }

    /// The fields whose values differ; their paths are `section.field`.
    pub fn diff(&self, after: &Self) -> Vec<Change> {
        let changes_of = |(before, after): (&dyn Section, &dyn Section)| {
            let section = &before.info().client_name;
            let under = move |change: Change| Change { path: format!("{section}.{}", change.path), ..change };
            before.diff(after).into_iter().map(under)
        };
        self.sections().into_iter().zip(after.sections()).flat_map(changes_of).collect()
    }

    /// Some of the sections.
    fn selected(&self, sections: Sections) -> impl Iterator<Item = &dyn Section> {
        self.sections().into_iter().enumerate().filter(move |(i, _)| sections.has_index(*i)).map(|(_, section)| section)
    }

    /// Visits every reference in some sections, with its path.
    pub fn references(&self, sections: Sections, visit: &mut dyn FnMut(Reference)) {
        for section in self.selected(sections) {
            section.references(&mut |mut reference| {
                reference.path.insert(0, section.info().client_name.clone());
                visit(reference);
            });
        }
    }

    /// Visits every list of destinations in some sections, with its path.
    pub fn destinations(&self, sections: Sections, visit: &mut dyn FnMut([String; 2], &Destinations)) {
        for section in self.selected(sections) {
            let name = &section.info().client_name;
            section.destinations(&mut |field, list| visit([name.clone(), field.client_name.clone()], list));
        }
    }

    /// Replaces references to `from` by references to `to`, or removes them without `to`.
    pub fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        for section in self.sections_mut() {
            section.redirect(from, to);
        }
    }

    /// Replaces the dialled number `from` by `to`.
    pub fn redial(&mut self, from: &str, to: &str) {
        for section in self.sections_mut() {
            section.redial(from, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Code;

    fn information(fields: Patch) -> Patch {
        [("information", fields)].into()
    }

    /// Also shows that every field of every section can be blank.
    #[test]
    fn absent_keeps_null_clears_a_value_is_parsed() {
        let base = Form::initial();
        let sent = [("name", "Ivy".into()), ("description", Sent::Null), ("inboundTimeoutSeconds", 45.into())].into();
        let mut problems = Vec::new();
        let form = base.patched(&information(sent), &mut |p| problems.push(p));
        assert_eq!(problems, []);
        assert_eq!(form.information.inbound_timeout_seconds.get(), 45);
        let paths: Vec<_> = base.diff(&form).into_iter().map(|c| c.path).collect();
        assert_eq!(paths, ["information.name", "information.inboundTimeoutSeconds"]);
    }

    #[test]
    fn all_problems_come_at_once_and_a_refused_field_keeps_its_value() {
        let sent = [("name", "<>".into()), ("inboundTimeoutSeconds", 0.into()), ("dnd", Sent::Null)].into();
        let mut problems = Vec::new();
        let form = Form::initial().patched(&information(sent), &mut |p| problems.push((p.path.join("."), p.code)));
        assert_eq!(form, Form::initial());
        assert_eq!(
            problems,
            [
                ("information.name".to_owned(), Code::InvalidFormat),
                ("information.dnd".to_owned(), Code::Required),
                ("information.inboundTimeoutSeconds".to_owned(), Code::OutOfRange),
            ]
        );
    }
}
