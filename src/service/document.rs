//! Documents: everything that is saved under one id, either a form or an object with a detail. Operations on objects
//! are written once, on [`Document`].

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::checkable::Checkable;
use super::detail_object::{CommonFieldsOnly, DetailObject};
use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Patch, Problem, SecretStorage, SecretText, SentSecret};
use crate::form::{Change, FieldInfo, FieldValue, Form, Reference, Section, Sections};
use crate::objects::KindInfo;
use crate::store::{self, ObjectFields, ObjectRow, Query, Result, StoreError, Tx, WholeSections};

/// Everything that is saved under one id.
#[derive(Clone)]
pub(super) enum Document {
    /// The form of a virtual extension, or a tenant's defaults.
    Form(Box<Form>),
    /// An object with a detail.
    Detail(DetailObject),
}

/// The secrets in a patch for an object of this kind.
pub(super) fn secrets(kind: Kind, patch: &Patch) -> Vec<SentSecret<'_>> {
    match KindInfo::for_kind(kind) {
        None => Form::secrets(patch),
        Some(info) => [info.common.secrets(patch), info.detail.secrets(patch)].concat(),
    }
}

/// The number of secrets to hash in a patch for an object of this kind.
pub fn hashed_secrets(kind: Kind, patch: &Patch) -> u64 {
    secrets(kind, patch).iter().filter(|(how, _)| *how == SecretStorage::Hashed).count() as u64
}

/// The new web password in a patch. The document has only its hash.
pub(super) fn new_password(patch: &Patch) -> Option<SecretText> {
    patch.get("webUserPanel")?.object().ok()?.get("webPassword")?.secret().ok().cloned()
}

/// The common fields of a new object, which can be checked even if its detail cannot be built.
pub(super) fn common_fields_only(kind: Kind, patch: &Patch) -> Option<CommonFieldsOnly> {
    let kind = KindInfo::for_kind(kind)?;
    let mut common = kind.build_common(&Patch::default(), &mut |_| {})?;
    (&mut *common as &mut dyn Section).apply(patch, &mut |_| {});
    Some(CommonFieldsOnly { kind, common })
}

/// Deletes the sections or the detail of an object of this kind, but not its row.
pub(super) fn erase_parts(tx: &mut Tx<'_>, kind: Kind, id: i64) -> Result<()> {
    match KindInfo::for_kind(kind) {
        None => Form::infos().iter().try_for_each(|info| store::erase_section(tx, id, info)),
        Some(info) => store::erase_section(tx, id, info.detail),
    }
}

/// Writes the differences in each section; without `before`, the sections are new.
pub(super) fn save_sections(tx: &mut Tx<'_>, id: i64, before: Option<&Form>, after: &Form) -> Result<()> {
    let before = before.map(Form::sections);
    let sections = after.sections().into_iter().enumerate();
    sections.into_iter().try_for_each(|(i, after)| {
        let before = before.as_ref().and_then(|sections| sections.get(i).copied());
        store::save_section(tx, id, before, after)
    })
}

/// The statements that load some sections, cached for each set.
fn section_loader(sections: Sections) -> Arc<WholeSections> {
    static CACHE: LazyLock<Mutex<HashMap<Sections, Arc<WholeSections>>>> = LazyLock::new(Mutex::default);
    // A poisoned lock only means that another thread panicked; the map is intact.
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(cache.entry(sections).or_insert_with(|| Arc::new(WholeSections::new(sections.infos()))))
}

/// Loads some sections of forms; the other sections have their initial values.
fn load_forms(query: &mut Query<'_>, ids: &[i64], sections: Sections) -> Result<HashMap<i64, Form>> {
    let mut found = section_loader(sections).load(query, ids)?;
    let form = |id: &i64| {
        let sections = found.remove(id).ok_or_else(|| missing("a section of pbx_object", *id))?;
        let form =
            Form::with(sections).ok_or_else(|| StoreError::Bug("a loaded section is not part of a form".into()))?;
        Ok((*id, form))
    };
    ids.iter().map(form).collect()
}

fn missing(table: &str, id: i64) -> StoreError {
    StoreError::Corrupt(format!("{table}[{id}] is missing"))
}

fn all_fields(section: &dyn Section) -> Vec<Change> {
    let change = |(field, value): (&FieldInfo, &dyn FieldValue)| Change {
        path: field.client_name.clone(),
        before: serde_json::Value::Null,
        after: value.show(),
    };
    section.fields().map(change).collect()
}

impl Document {
    /// The initial state of a new document of this kind; `None` if some fields are required.
    pub(super) fn initial(query: &mut Query<'_>, kind: Kind, defaults: i64) -> Result<Option<Self>> {
        let Some(kind) = KindInfo::for_kind(kind) else {
            return Ok(load_forms(query, &[defaults], Sections::ALL)?
                .remove(&defaults)
                .map(|form| Self::Form(Box::new(form))));
        };
        let nothing = Patch::default();
        let parts = kind.build_common(&nothing, &mut |_| {}).zip(kind.build(&nothing, &mut |_| {}));
        Ok(parts.map(|(common, detail)| Self::Detail(DetailObject { kind, common, detail })))
    }

    /// Applies a patch to an existing document, or builds a new one of this kind. Reports broken rules; `None` if they
    /// make it impossible to build the document.
    pub(super) fn patched(
        kind: Kind,
        base: Option<&Self>,
        patch: &Patch,
        report: &mut dyn FnMut(Problem),
    ) -> Option<Self> {
        let plain = match (base, KindInfo::for_kind(kind)) {
            (Some(Self::Form(form)), _) => return Some(Self::Form(Box::new(form.patched(patch, report)))),
            (Some(Self::Detail(plain)), _) => Some(plain),
            (None, Some(_)) => None,
            (None, None) => return None,
        };
        let kind = KindInfo::for_kind(kind)?;
        // The common fields of a new object can be blank, but its detail may have required fields.
        let mut common =
            plain.map(|plain| plain.common.copy()).or_else(|| kind.build_common(&Patch::default(), &mut |_| {}))?;
        (&mut *common as &mut dyn Section).apply(patch, report);
        let detail = match plain {
            Some(plain) => {
                let mut detail = plain.detail.copy();
                (&mut *detail as &mut dyn Section).apply(patch, report);
                detail
            }
            None => kind.build(patch, report)?,
        };
        Some(Self::Detail(DetailObject { kind, common, detail }))
    }

    /// Loads the documents of several objects of one kind, by local id. The number of statements does not depend on the
    /// number of objects.
    pub(super) fn load(query: &mut Query<'_>, kind: Kind, rows: &[ObjectRow]) -> Result<HashMap<i64, Self>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id.local).collect();
        let Some(kind) = KindInfo::for_kind(kind) else {
            let forms = load_forms(query, &ids, Sections::ALL)?.into_iter();
            return Ok(forms.map(|(id, form)| (id, Self::Form(Box::new(form)))).collect());
        };
        let mut details = store::load_details(query, kind, &ids)?;
        let plain = |row: &ObjectRow| {
            let id = row.id.local;
            let detail = details.remove(&id).ok_or_else(|| missing(kind.detail.table, id))?;
            let common = kind.load_common(row.number.as_deref(), &row.name, &row.description, row.enabled)?;
            Ok((id, Self::Detail(DetailObject { kind, common, detail })))
        };
        rows.iter().map(plain).collect()
    }

    /// Loads the document of one object, if it exists.
    pub(super) fn load_one(query: &mut Query<'_>, row: &ObjectRow) -> Result<Option<Self>> {
        Ok(Self::load(query, row.kind, std::slice::from_ref(row))?.remove(&row.id.local))
    }

    /// Loads the document of one object, if it exists; for a form, only some sections and the fields of the object's
    /// row.
    pub(super) fn load_some(query: &mut Query<'_>, row: &ObjectRow, sections: Sections) -> Result<Option<Self>> {
        if KindInfo::for_kind(row.kind).is_some() || sections == Sections::ALL {
            return Self::load_one(query, row);
        }
        let form = load_forms(query, &[row.id.local], sections.union(Sections::named("information")))?;
        Ok(form.into_values().next().map(|form| Self::Form(Box::new(form))))
    }

    /// Writes the differences in all tables except the object's row; without `before`, everything.
    pub(super) fn write(&self, tx: &mut Tx<'_>, id: i64, before: Option<&Self>) -> Result<()> {
        match (self, before) {
            (Self::Form(after), Some(Self::Form(before))) => save_sections(tx, id, Some(before), after),
            (Self::Form(after), _) => save_sections(tx, id, None, after),
            (Self::Detail(after), Some(Self::Detail(before))) => {
                store::save_section(tx, id, Some(before.detail()), after.detail())
            }
            (Self::Detail(after), _) => store::save_section(tx, id, None, after.detail()),
        }
    }

    /// The values for the object's row.
    pub(super) fn own_row(&self) -> ObjectFields<'_> {
        match self {
            Self::Form(form) => {
                let info = &form.information;
                let number = info.number.as_ref().map(ExtensionNumber::as_str);
                let (name, description) = (info.name.as_str(), info.description.as_str());
                ObjectFields { kind: Kind::VirtualExtension, number, name, description, enabled: true }
            }
            Self::Detail(DetailObject { kind, common, .. }) => {
                let number = common.number().map(ExtensionNumber::as_str);
                let (kind, name, description) = (kind.kind, common.name(), common.description());
                ObjectFields { kind, number, name, description, enabled: common.enabled() }
            }
        }
    }

    /// Problems with values that another object of the tenant already has, in order.
    pub(super) fn find_taken(&self, query: &mut Query<'_>, own: Option<ObjectId>) -> Result<Vec<Problem>> {
        let Self::Detail(DetailObject { kind, detail, .. }) = self else { return Ok(Vec::new()) };
        let mut problems = store::taken_values(query, kind, &**detail, own)?;
        if let Some((first, last)) = detail.reserves() {
            let (first, last) = (first.as_str(), last.as_str());
            if let Some((number, holder)) = store::number_in_range(query, first, last)? {
                let rule =
                    format!("starts a range in which {number} is taken by the {} {}", holder.kind.label(), holder.name);
                let problem = Problem::new(Code::NumberTaken, rule).value(first);
                problems.push(problem.related(holder.object).under("firstSlot"));
            }
        }
        Ok(problems)
    }

    /// The fields that differ from an earlier state; without one, all fields.
    pub(super) fn changes(&self, before: Option<&Self>) -> Vec<Change> {
        match (self, before) {
            (Self::Form(after), Some(Self::Form(before))) => before.diff(after),
            (Self::Form(after), _) => Form::initial().diff(after),
            (Self::Detail(after), Some(Self::Detail(before))) => {
                [before.common().diff(after.common()), before.detail().diff(after.detail())].concat()
            }
            (Self::Detail(after), _) => [all_fields(after.common()), all_fields(after.detail())].concat(),
        }
    }

    /// A copy for a new object, without the values that must not be shared, such as secrets.
    pub(super) fn copied(self) -> Self {
        match self {
            Self::Form(form) => Self::Form(Box::new(form.copied())),
            plain @ Self::Detail(_) => plain,
        }
    }

    /// What is lost together with the object when it is deleted, in words.
    pub(super) fn takes_along(&self) -> Vec<String> {
        match self {
            Self::Form(form) => {
                let login = form.web_user_panel.web_user.as_ref();
                login.map(|login| format!("the login {} of the web panel", login.as_str())).into_iter().collect()
            }
            Self::Detail(plain) => {
                let is_default = plain.detail().show()["isDefault"] == true;
                is_default.then(|| format!("the tenant's default {}", plain.kind.kind.label())).into_iter().collect()
            }
        }
    }

    /// Visits every reference in the document, with its path.
    pub(super) fn references(&self, visit: &mut dyn FnMut(Reference)) {
        match self {
            Self::Form(form) => form.references(Sections::ALL, visit),
            Self::Detail(plain) => plain.detail().references(visit),
        }
    }

    /// Replaces references to `from` by references to `to`, or removes them without `to`.
    pub(super) fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) {
        match self {
            Self::Form(form) => form.redirect(from, to),
            Self::Detail(plain) => {
                plain.detail_mut().redirect(from, to);
            }
        }
    }

    /// Replaces the dialled number `from` by `to`.
    pub(super) fn redial(&mut self, from: &str, to: &str) {
        match self {
            Self::Form(form) => form.redial(from, to),
            Self::Detail(plain) => plain.detail_mut().redial(from, to),
        }
    }

    /// The document in the form that the checks use.
    pub(super) fn checkable(&self) -> &dyn Checkable {
        match self {
            Self::Form(form) => &**form,
            Self::Detail(plain) => plain,
        }
    }
}
