//! What is saved as a whole under one id: a form, or an object of another kind. Everything that can be done to objects
//! is written once, over [`Document`].

use std::collections::HashMap;

use super::checkable::{Checkable, RowOf};
use crate::domain::{ExtensionNumber, Kind, ObjectId, Problem, SecretText, SentSecret};
use crate::form::{self, Change, Form, FormPatch, Reference, Section, each_section};
use crate::objects::{Detail, Head};
use crate::store::{self, ObjectRow, OwnRow, Query, Result, Tx};

/// What is saved as a whole under one id.
pub(super) trait Document: Checkable + Clone + 'static {
    /// What a client sends for it.
    type Patch: Clone + Send + Sync + 'static;

    /// The secrets that a patch sends.
    fn secrets(patch: &Self::Patch) -> Vec<SentSecret<'_>>;
    /// What a new one starts from; `None` when somebody has to say something first.
    fn start(query: &mut Query<'_>, defaults: i64) -> Result<Option<Self>>;
    /// What a patch makes of one that exists, or a new one. Reports what breaks a rule; `None` when that leaves nothing.
    fn patched(base: Option<&Self>, patch: &Self::Patch, report: &mut dyn FnMut(Problem)) -> Option<Self>;
    /// What can be checked of a patch that leaves nothing.
    fn rest(_patch: &Self::Patch) -> Option<Box<dyn Checkable>> {
        None
    }
    /// Those of many objects, by local id. The number of statements does not depend on how many.
    fn load(query: &mut Query<'_>, rows: &[ObjectRow]) -> Result<HashMap<i64, Self>>;
    /// Writes what differs in the tables beside the object's row; without `before`, everything.
    fn write(&self, tx: &mut Tx<'_>, id: i64, before: Option<&Self>) -> Result<()>;
    /// What of it stands in the object's row.
    fn own_row(&self) -> OwnRow<'_>;
    /// What of it another object of the tenant already has, in order.
    fn taken(&self, _query: &mut Query<'_>, _own: Option<ObjectId>) -> Result<Vec<Problem>> {
        Ok(Vec::new())
    }
    /// The fields that differ from another state; without one, all of them.
    fn changes(&self, before: Option<&Self>) -> Vec<Change>;
    /// A copy of it for a new object: without what belongs to this one alone.
    fn copied(self) -> Self;
    /// What goes with it when it is deleted, in words.
    fn takes_along(&self) -> Vec<String>;
    /// The new password of the web panel that a patch sends: the document only has its hash.
    fn new_password(_patch: &Self::Patch) -> Option<SecretText> {
        None
    }
    /// Whether a patch sends what a path begins with: a section of a form, a field of others.
    fn sends(patch: &Self::Patch, name: &str) -> bool;
    /// Every reference that it holds, with its path.
    fn references(&self, visit: &mut dyn FnMut(Reference));
    /// Points at `to` where it pointed at `from`; without `to`, at nothing.
    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>);
    /// Dials `to` where it dialled `from`.
    fn redial(&mut self, from: &str, to: &str);
    /// Removes all of it but the object's row.
    fn erase(tx: &mut Tx<'_>, id: i64) -> Result<()>;
}

macro_rules! form {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        fn load_forms(query: &mut Query<'_>, ids: &[i64]) -> Result<HashMap<i64, Form>> {
            $(let mut $name = store::load_sections::<form::$Section>(query, ids)?;)+
            let missing = |table: &str, id: &i64| store::StoreError::Corrupt(format!("{table}[{id}] is missing"));
            let form = |id: &i64| {
                Ok((*id, Form { $($name: $name.remove(id).ok_or_else(|| missing(form::$Section::TABLE, id))?),+ }))
            };
            ids.iter().map(form).collect()
        }

        /// Writes what differs in each section; without `before` the sections are new.
        pub(super) fn save_sections(tx: &mut Tx<'_>, id: i64, before: Option<&Form>, after: &Form) -> Result<()> {
            $(store::save_section(tx, id, before.map(|form| &form.$name), &after.$name)?;)+
            Ok(())
        }

        fn erase_sections(tx: &mut Tx<'_>, id: i64) -> Result<()> {
            $(store::erase_section::<form::$Section>(tx, id)?;)+
            Ok(())
        }
    };
}
each_section!(form);

impl Document for Form {
    type Patch = FormPatch;

    fn secrets(patch: &FormPatch) -> Vec<SentSecret<'_>> {
        patch.secrets()
    }

    fn start(query: &mut Query<'_>, defaults: i64) -> Result<Option<Self>> {
        Ok(load_forms(query, &[defaults])?.remove(&defaults))
    }

    fn patched(base: Option<&Self>, patch: &FormPatch, report: &mut dyn FnMut(Problem)) -> Option<Self> {
        base.map(|base| base.patched(patch, report))
    }

    fn load(query: &mut Query<'_>, rows: &[ObjectRow]) -> Result<HashMap<i64, Self>> {
        load_forms(query, &rows.iter().map(|row| row.id.local).collect::<Vec<_>>())
    }

    fn write(&self, tx: &mut Tx<'_>, id: i64, before: Option<&Self>) -> Result<()> {
        save_sections(tx, id, before, self)
    }

    fn own_row(&self) -> OwnRow<'_> {
        let info = &self.information;
        let number = info.number.as_ref().map(ExtensionNumber::as_str);
        let (name, description) = (info.name.as_str(), info.description.as_str());
        OwnRow { kind: Kind::VirtualExtension, number, name, description, enabled: true }
    }

    fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        before.unwrap_or(&Self::initial()).diff(self)
    }

    fn copied(self) -> Self {
        self.copied()
    }

    fn takes_along(&self) -> Vec<String> {
        let login = self.web_user_panel.web_user.as_ref();
        login.map(|login| format!("the login {} of the web panel", login.as_str())).into_iter().collect()
    }

    fn new_password(patch: &FormPatch) -> Option<SecretText> {
        patch.web_user_panel.as_ref()?.web_password.value().cloned()
    }

    fn sends(patch: &FormPatch, name: &str) -> bool {
        patch.sends(name)
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        self.references(visit);
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        self.redirect(from, to);
    }

    fn redial(&mut self, from: &str, to: &str) {
        self.redial(from, to);
    }

    fn erase(tx: &mut Tx<'_>, id: i64) -> Result<()> {
        erase_sections(tx, id)
    }
}

/// An object that is not a form: what of it stands in its row, and its detail.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plain<D: Detail> {
    pub(super) head: D::Head,
    pub(super) detail: D,
}

/// What a client sends for an object that is not a form.
#[derive(Clone)]
pub struct PlainPatch<D: Detail> {
    /// For what stands in its row.
    pub head: <D::Head as Section>::Patch,
    /// For its detail.
    pub detail: D::Patch,
}

fn blank<S: Section>() -> Option<S> {
    S::build(&S::Patch::default(), &mut |_| {})
}

/// A section with a patch on top, or made of the patch alone when something in it cannot be blank.
fn patched<S: Section>(base: Option<S>, patch: &S::Patch, report: &mut dyn FnMut(Problem)) -> Option<S> {
    match base {
        Some(mut section) => {
            section.apply(patch, report);
            Some(section)
        }
        None => S::build(patch, report),
    }
}

fn all_fields(section: &impl Section) -> Vec<Change> {
    let serde_json::Value::Object(fields) = section.show() else { return Vec::new() };
    let change = |(path, after)| Change { path, before: serde_json::Value::Null, after };
    fields.into_iter().map(change).collect()
}

impl<D: Detail> Document for Plain<D> {
    type Patch = PlainPatch<D>;

    fn secrets(patch: &PlainPatch<D>) -> Vec<SentSecret<'_>> {
        let mut secrets = D::Head::secrets(&patch.head);
        secrets.extend(D::secrets(&patch.detail));
        secrets
    }

    fn start(_: &mut Query<'_>, _: i64) -> Result<Option<Self>> {
        Ok(blank().zip(blank()).map(|(head, detail)| Self { head, detail }))
    }

    fn patched(base: Option<&Self>, patch: &PlainPatch<D>, report: &mut dyn FnMut(Problem)) -> Option<Self> {
        let head = patched(base.map(|base| base.head.clone()).or_else(blank), &patch.head, report);
        let detail = patched(base.map(|base| base.detail.clone()), &patch.detail, report);
        head.zip(detail).map(|(head, detail)| Self { head, detail })
    }

    fn rest(patch: &PlainPatch<D>) -> Option<Box<dyn Checkable>> {
        let head = patched(blank(), &patch.head, &mut |_| {});
        head.map(|head| Box::new(RowOf::<D>(head)) as Box<dyn Checkable>)
    }

    fn load(query: &mut Query<'_>, rows: &[ObjectRow]) -> Result<HashMap<i64, Self>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id.local).collect();
        let mut details = store::load_sections::<D>(query, &ids)?;
        let plain = |row: &ObjectRow| {
            let id = row.id.local;
            let missing = || store::StoreError::Corrupt(format!("{}[{id}] is missing", D::TABLE));
            let detail = details.remove(&id).ok_or_else(missing)?;
            let head = D::Head::of_row(row.number.as_deref(), &row.name, &row.description, row.enabled)?;
            Ok((id, Self { head, detail }))
        };
        rows.iter().map(plain).collect()
    }

    fn write(&self, tx: &mut Tx<'_>, id: i64, before: Option<&Self>) -> Result<()> {
        store::save_section(tx, id, before.map(|plain| &plain.detail), &self.detail)
    }

    fn own_row(&self) -> OwnRow<'_> {
        let head = &self.head;
        let number = head.number().map(ExtensionNumber::as_str);
        OwnRow { kind: D::KIND, number, name: head.name(), description: head.description(), enabled: head.enabled() }
    }

    fn taken(&self, query: &mut Query<'_>, own: Option<ObjectId>) -> Result<Vec<Problem>> {
        let mut problems = store::alike(query, &self.detail, own)?;
        if let Some((first, last)) = self.detail.reserves() {
            let (first, last) = (first.as_str(), last.as_str());
            if let Some((number, holder)) = store::number_inside(query, first, last)? {
                let rule = format!(
                    "starts slots among which {number} is taken by the {} {}",
                    holder.kind.label(),
                    holder.name
                );
                let problem = Problem::new(crate::domain::Code::NumberTaken, rule).value(first);
                problems.push(problem.related(holder.object).under("firstSlot"));
            }
        }
        Ok(problems)
    }

    fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        let Some(before) = before else { return [all_fields(&self.head), all_fields(&self.detail)].concat() };
        [before.head.diff(&self.head), before.detail.diff(&self.detail)].concat()
    }

    fn copied(self) -> Self {
        self
    }

    fn takes_along(&self) -> Vec<String> {
        let is_default = self.detail.show()["isDefault"] == true;
        is_default.then(|| format!("the tenant's default {}", D::KIND.label())).into_iter().collect()
    }

    fn sends(patch: &PlainPatch<D>, name: &str) -> bool {
        D::Head::sends(&patch.head, name) || D::sends(&patch.detail, name)
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        self.detail.references(visit);
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        self.detail.redirect(from, to);
    }

    fn redial(&mut self, from: &str, to: &str) {
        self.detail.redial(from, to);
    }

    fn erase(tx: &mut Tx<'_>, id: i64) -> Result<()> {
        store::erase_section::<D>(tx, id)
    }
}
