//! What is saved as a whole under one id: a form, or an object of another kind. Everything that can be done to objects
//! is written once, over [`Document`].

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::checkable::Checkable;
use super::plain::{PlainObject, RowOf};
use crate::domain::{Code, ExtensionNumber, Kept, Kind, ObjectId, Patch, Problem, SecretText, SentSecret};
use crate::form::{Change, Described, FieldValue, Form, Reference, Section, Sections};
use crate::objects::KindInfo;
use crate::store::{self, ObjectFields, ObjectRow, Query, Result, StoreError, Tx, WholeSections};

/// What is saved as a whole under one id.
#[derive(Clone)]
pub(super) enum Document {
    /// The form of a virtual extension, or a tenant's defaults.
    Form(Box<Form>),
    /// An object of another kind.
    Plain(PlainObject),
}

/// The secrets that a patch for an object of this kind sends.
pub(super) fn secrets(kind: Kind, patch: &Patch) -> Vec<SentSecret<'_>> {
    match KindInfo::of(kind) {
        None => Form::secrets(patch),
        Some(info) => [info.head.secrets(patch), info.detail.secrets(patch)].concat(),
    }
}

/// How many secrets a patch for an object of this kind sends that are hashed.
pub fn hashed_secrets(kind: Kind, patch: &Patch) -> u64 {
    secrets(kind, patch).iter().filter(|(how, _)| *how == Kept::Hashed).count() as u64
}

/// The new password of the web panel that a patch sends: the document only has its hash.
pub(super) fn new_password(patch: &Patch) -> Option<SecretText> {
    patch.get("webUserPanel")?.object().ok()?.get("webPassword")?.secret().ok().cloned()
}

/// What can be checked of a patch that leaves no document.
pub(super) fn rest(kind: Kind, patch: &Patch) -> Option<RowOf> {
    let kind = KindInfo::of(kind)?;
    let mut head = kind.build_head(&Patch::default(), &mut |_| {})?;
    (&mut *head as &mut dyn Section).apply(patch, &mut |_| {});
    Some(RowOf { kind, head })
}

/// Removes all of an object of this kind but its row.
pub(super) fn erase(tx: &mut Tx<'_>, kind: Kind, id: i64) -> Result<()> {
    match KindInfo::of(kind) {
        None => Form::infos().iter().try_for_each(|info| store::erase_section(tx, id, info)),
        Some(info) => store::erase_section(tx, id, info.detail),
    }
}

/// Writes what differs in each section; without `before` the sections are new.
pub(super) fn save_sections(tx: &mut Tx<'_>, id: i64, before: Option<&Form>, after: &Form) -> Result<()> {
    let before = before.map(Form::sections);
    let sections = after.sections().into_iter().enumerate();
    sections.into_iter().try_for_each(|(i, after)| {
        let before = before.as_ref().and_then(|sections| sections.get(i).copied());
        store::save_section(tx, id, before, after)
    })
}

/// The statements that load some sections.
fn whole(sections: Sections) -> Arc<WholeSections> {
    static KNOWN: LazyLock<Mutex<HashMap<Sections, Arc<WholeSections>>>> = LazyLock::new(Mutex::default);
    // A poisoned lock only means that another thread panicked; the map is whole.
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(sections).or_insert_with(|| Arc::new(WholeSections::new(sections.infos()))))
}

/// Forms of which some sections are as they are saved; the others are as at first.
fn load_forms(query: &mut Query<'_>, ids: &[i64], sections: Sections) -> Result<HashMap<i64, Form>> {
    let mut found = whole(sections).load(query, ids)?;
    let form = |id: &i64| {
        let sections = found.remove(id).ok_or_else(|| missing("a section of pbx_object", *id))?;
        let form = Form::with(sections).ok_or_else(|| StoreError::Bug("a form is not made of its sections".into()))?;
        Ok((*id, form))
    };
    ids.iter().map(form).collect()
}

fn missing(table: &str, id: i64) -> StoreError {
    StoreError::Corrupt(format!("{table}[{id}] is missing"))
}

fn all_fields(section: &dyn Section) -> Vec<Change> {
    let change = |(field, value): (&Described, &dyn FieldValue)| Change {
        path: field.client.clone(),
        before: serde_json::Value::Null,
        after: value.show(),
    };
    section.fields().map(change).collect()
}

impl Document {
    /// What a new one of this kind starts from; `None` when somebody has to say something first.
    pub(super) fn start(query: &mut Query<'_>, kind: Kind, defaults: i64) -> Result<Option<Self>> {
        let Some(kind) = KindInfo::of(kind) else {
            return Ok(load_forms(query, &[defaults], Sections::ALL)?
                .remove(&defaults)
                .map(|form| Self::Form(Box::new(form))));
        };
        let nothing = Patch::default();
        let parts = kind.build_head(&nothing, &mut |_| {}).zip(kind.build(&nothing, &mut |_| {}));
        Ok(parts.map(|(head, detail)| Self::Plain(PlainObject { kind, head, detail })))
    }

    /// What a patch makes of one that exists, or a new one of this kind. Reports what breaks a rule; `None` when that
    /// leaves nothing.
    pub(super) fn patched(
        kind: Kind,
        base: Option<&Self>,
        patch: &Patch,
        report: &mut dyn FnMut(Problem),
    ) -> Option<Self> {
        let plain = match (base, KindInfo::of(kind)) {
            (Some(Self::Form(form)), _) => return Some(Self::Form(Box::new(form.patched(patch, report)))),
            (Some(Self::Plain(plain)), _) => Some(plain),
            (None, Some(_)) => None,
            (None, None) => return None,
        };
        let kind = KindInfo::of(kind)?;
        // What a new object has besides can be blank; its detail may have something that cannot.
        let mut head =
            plain.map(|plain| plain.head.copy()).or_else(|| kind.build_head(&Patch::default(), &mut |_| {}))?;
        (&mut *head as &mut dyn Section).apply(patch, report);
        let detail = match plain {
            Some(plain) => {
                let mut detail = plain.detail.copy();
                (&mut *detail as &mut dyn Section).apply(patch, report);
                detail
            }
            None => kind.build(patch, report)?,
        };
        Some(Self::Plain(PlainObject { kind, head, detail }))
    }

    /// Those of many objects of one kind, by local id. The number of statements does not depend on how many.
    pub(super) fn load(query: &mut Query<'_>, kind: Kind, rows: &[ObjectRow]) -> Result<HashMap<i64, Self>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id.local).collect();
        let Some(kind) = KindInfo::of(kind) else {
            let forms = load_forms(query, &ids, Sections::ALL)?.into_iter();
            return Ok(forms.map(|(id, form)| (id, Self::Form(Box::new(form)))).collect());
        };
        let mut details = store::load_details(query, kind, &ids)?;
        let plain = |row: &ObjectRow| {
            let id = row.id.local;
            let detail = details.remove(&id).ok_or_else(|| missing(kind.detail.table, id))?;
            let head = kind.load_head(row.number.as_deref(), &row.name, &row.description, row.enabled)?;
            Ok((id, Self::Plain(PlainObject { kind, head, detail })))
        };
        rows.iter().map(plain).collect()
    }

    /// That of one object, if it is there.
    pub(super) fn load_one(query: &mut Query<'_>, row: &ObjectRow) -> Result<Option<Self>> {
        Ok(Self::load(query, row.kind, std::slice::from_ref(row))?.remove(&row.id.local))
    }

    /// That of one object, if it is there; of a form as much as some sections and the object's row say.
    pub(super) fn load_some(query: &mut Query<'_>, row: &ObjectRow, sections: Sections) -> Result<Option<Self>> {
        if KindInfo::of(row.kind).is_some() || sections == Sections::ALL {
            return Self::load_one(query, row);
        }
        let form = load_forms(query, &[row.id.local], sections.and(Sections::named("information")))?;
        Ok(form.into_values().next().map(|form| Self::Form(Box::new(form))))
    }

    /// Writes what differs in the tables beside the object's row; without `before`, everything.
    pub(super) fn write(&self, tx: &mut Tx<'_>, id: i64, before: Option<&Self>) -> Result<()> {
        match (self, before) {
            (Self::Form(after), Some(Self::Form(before))) => save_sections(tx, id, Some(before), after),
            (Self::Form(after), _) => save_sections(tx, id, None, after),
            (Self::Plain(after), Some(Self::Plain(before))) => {
                store::save_section(tx, id, Some(before.detail()), after.detail())
            }
            (Self::Plain(after), _) => store::save_section(tx, id, None, after.detail()),
        }
    }

    /// What of it stands in the object's row.
    pub(super) fn own_row(&self) -> ObjectFields<'_> {
        match self {
            Self::Form(form) => {
                let info = &form.information;
                let number = info.number.as_ref().map(ExtensionNumber::as_str);
                let (name, description) = (info.name.as_str(), info.description.as_str());
                ObjectFields { kind: Kind::VirtualExtension, number, name, description, enabled: true }
            }
            Self::Plain(PlainObject { kind, head, .. }) => {
                let number = head.number().map(ExtensionNumber::as_str);
                let (kind, name, description) = (kind.kind, head.name(), head.description());
                ObjectFields { kind, number, name, description, enabled: head.enabled() }
            }
        }
    }

    /// What of it another object of the tenant already has, in order.
    pub(super) fn taken(&self, query: &mut Query<'_>, own: Option<ObjectId>) -> Result<Vec<Problem>> {
        let Self::Plain(PlainObject { kind, detail, .. }) = self else { return Ok(Vec::new()) };
        let mut problems = store::taken_values(query, kind, &**detail, own)?;
        if let Some((first, last)) = detail.reserves() {
            let (first, last) = (first.as_str(), last.as_str());
            if let Some((number, holder)) = store::number_in_range(query, first, last)? {
                let rule = format!(
                    "starts slots among which {number} is taken by the {} {}",
                    holder.kind.label(),
                    holder.name
                );
                let problem = Problem::new(Code::NumberTaken, rule).value(first);
                problems.push(problem.related(holder.object).under("firstSlot"));
            }
        }
        Ok(problems)
    }

    /// The fields that differ from another state; without one, all of them.
    pub(super) fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        match (self, before) {
            (Self::Form(after), Some(Self::Form(before))) => before.diff(after),
            (Self::Form(after), _) => Form::initial().diff(after),
            (Self::Plain(after), Some(Self::Plain(before))) => {
                [before.head().diff(after.head()), before.detail().diff(after.detail())].concat()
            }
            (Self::Plain(after), _) => [all_fields(after.head()), all_fields(after.detail())].concat(),
        }
    }

    /// A copy of it for a new object: without what belongs to this one alone.
    pub(super) fn copied(self) -> Self {
        match self {
            Self::Form(form) => Self::Form(Box::new(form.copied())),
            plain @ Self::Plain(_) => plain,
        }
    }

    /// What goes with it when it is deleted, in words.
    pub(super) fn takes_along(&self) -> Vec<String> {
        match self {
            Self::Form(form) => {
                let login = form.web_user_panel.web_user.as_ref();
                login.map(|login| format!("the login {} of the web panel", login.as_str())).into_iter().collect()
            }
            Self::Plain(plain) => {
                let is_default = plain.detail().show()["isDefault"] == true;
                is_default.then(|| format!("the tenant's default {}", plain.kind.kind.label())).into_iter().collect()
            }
        }
    }

    /// Every reference that it holds, with its path.
    pub(super) fn references(&self, visit: &mut dyn FnMut(Reference)) {
        match self {
            Self::Form(form) => form.references(Sections::ALL, visit),
            Self::Plain(plain) => plain.detail().references(visit),
        }
    }

    /// Points at `to` where it pointed at `from`; without `to`, at nothing.
    pub(super) fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        match self {
            Self::Form(form) => form.redirect(from, to),
            Self::Plain(plain) => {
                plain.detail_mut().redirect(from, to);
            }
        }
    }

    /// Dials `to` where it dialled `from`.
    pub(super) fn redial(&mut self, from: &str, to: &str) {
        match self {
            Self::Form(form) => form.redial(from, to),
            Self::Plain(plain) => plain.detail_mut().redial(from, to),
        }
    }

    /// It as what can be checked.
    pub(super) fn checkable(&self) -> &dyn Checkable {
        match self {
            Self::Form(form) => &**form,
            Self::Plain(plain) => plain,
        }
    }
}
