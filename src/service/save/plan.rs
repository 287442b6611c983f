//! Plans of saves: what a save changes, and the problems with it.

use std::sync::Arc;

use super::object_checker::ObjectChecker;
use super::request::{Save, SaveTarget, Saved};
use crate::domain::{Kind, Problem};
use crate::form::{Change, Checked};
use crate::service::document::{self, Document};
use crate::service::refusal::{conflict, not_found};
use crate::store::{self, NewChange, ObjectRow, Query, Result, StoreError, Tx};

/// A save that has been planned but not carried out.
pub(in crate::service) struct SavePlan {
    pub(super) object: Option<Arc<ObjectRow>>,
    kind: Kind,
    base: Option<Document>,
    document: Option<Document>,
    checked: Checked,
    changes: Vec<Change>,
    /// Whether all secrets are hashed or encrypted, so that the save can be carried out.
    writable: bool,
    /// The revision of the tenant for which the save was planned.
    revision: i64,
}

impl SavePlan {
    pub(in crate::service) fn prepare(query: &mut Query<'_>, save: &Save, now: i64) -> Result<Self> {
        let kind = save.kind;
        let (tenant, row) = match save.target {
            SaveTarget::New(_) => (store::current_tenant(query)?, None),
            SaveTarget::Defaults(_) => {
                let tenant = store::current_tenant(query)?;
                let row = store::load_objects(query, &[tenant.defaults])?.remove(&tenant.defaults);
                (tenant, row)
            }
            SaveTarget::Existing(object) | SaveTarget::CopyOf(object) => {
                store::current_tenant_with(query, object.local)?
            }
        };
        let row = row.filter(|row| row.kind == kind);
        let copied = matches!(save.target, SaveTarget::CopyOf(_));
        let row = row.map(Arc::new);
        let object = row.clone().filter(|_| !copied);
        let refused = |object, errors| {
            let checked = Checked { errors, warnings: Vec::new() };
            let (base, document, changes, revision) = (None, None, Vec::new(), tenant.revision);
            Self { object, kind, base, document, checked, changes, writable: false, revision }
        };
        if row.is_none() && !matches!(save.target, SaveTarget::New(_)) {
            return Ok(refused(None, vec![not_found(kind)]));
        }
        if let (Some(row), Some(expected)) = (&row, save.expected_version)
            && row.version != expected
        {
            return Ok(refused(object, conflict(query, row, expected)?));
        }
        let checks = save.checks();
        let base = match &row {
            Some(row) => Document::load_some(query, row, checks.with_dependencies())?,
            None => Document::initial(query, kind, tenant.defaults)?,
        };
        let copy = base.as_ref().filter(|_| copied).map(|base| base.clone().copied());
        let mut errors = Vec::new();
        let from = copy.as_ref().or(base.as_ref());
        let document = Document::patched(kind, from, &save.patch, &mut |problem| errors.push(problem));
        let own = object.as_ref().map(|row| row.id).filter(|_| kind != Kind::FormDefaults);
        let checker = ObjectChecker { tenant: &tenant, own, defaults: kind == Kind::FormDefaults, now };
        let Some(document) = document else {
            if let Some(common) = document::common_fields_only(kind, &save.patch) {
                add(&mut errors, checker.check(query, &common, None)?.errors);
            }
            return Ok(refused(object, errors));
        };
        let with_warnings = save.report_warnings;
        let mut checked =
            checker.check_some(query, (&document, checks, with_warnings), document::new_password(&save.patch))?;
        checked.errors.extend(document.find_taken(query, own)?);
        if let Some(base) = base.as_ref().filter(|_| object.is_some() && !checked.errors.is_empty()) {
            let before = checker.check_some(query, (base, checks, with_warnings), None)?;
            downgrade_old_errors(&mut checked, &before, |name| save.patch.sends(name));
        }
        add(&mut errors, checked.errors);
        checked.errors = errors;
        let changes = document.changes(base.as_ref());
        Ok(Self {
            base: base.filter(|_| object.is_some()),
            object,
            kind,
            document: Some(document),
            checked,
            changes,
            writable: document::secrets(kind, &save.patch).iter().all(|(_, secret)| secret.is_storable()),
            revision: tenant.revision,
        })
    }

    /// Whether there is nothing to carry out.
    pub(in crate::service) fn is_no_op(&self) -> bool {
        !self.checked.errors.is_empty() || (self.changes.is_empty() && self.object.is_some())
    }

    /// Whether the plan can be carried out as it is: the tenant, on which alone it depends, has not changed.
    pub(super) fn is_current(&self, tx: &Tx<'_>) -> bool {
        self.writable && self.revision == tx.revision() - 1
    }

    /// Adds an error, so that the plan is not carried out.
    pub(in crate::service) fn add_error(&mut self, problem: Problem) {
        self.checked.errors.push(problem);
    }

    /// The result if there is nothing to carry out.
    pub(super) fn into_unchanged(self) -> Saved {
        Saved { changes: Vec::new(), ..self.into_saved() }
    }

    /// The result without carrying out the plan.
    pub(in crate::service) fn into_saved(self) -> Saved {
        let Checked { errors, warnings } = self.checked;
        Saved { object: self.object, errors, warnings, changes: self.changes }
    }

    pub(in crate::service) fn carry_out(&self, tx: &mut Tx<'_>, actor: &str, now: i64) -> Result<Saved> {
        let Some(document) = &self.document else { return Ok(self.saved(self.object.clone())) };
        if !self.writable {
            return Err(StoreError::Bug("a secret must be hashed before it is saved".into()));
        }
        let own = store::ObjectFields { kind: self.kind, ..document.own_row() };
        let row = match (&self.object, &self.base) {
            (Some(row), Some(base)) => {
                let before = store::ObjectFields { kind: self.kind, ..base.own_row() };
                store::update_object(tx, row, (before, own), now)?
            }
            _ => store::insert_object(tx, own, now)?,
        };
        document.write(tx, row.id.local, self.base.as_ref())?;
        let (version, changes) = (row.version, self.changes.as_slice());
        store::insert_change(tx, &NewChange { object: row.id.local, version, actor, at: now, changes })?;
        Ok(self.saved(Some(Arc::new(row))))
    }

    pub(super) fn saved(&self, object: Option<Arc<ObjectRow>>) -> Saved {
        let Checked { errors, warnings } = self.checked.clone();
        Saved { object, errors, warnings, changes: self.changes.clone() }
    }
}

/// Adds problems that were found later. A field that was refused by its own rule is not reported again as missing.
fn add(errors: &mut Vec<Problem>, later: Vec<Problem>) {
    let is_reported = |later: &Problem| errors.iter().any(|first| first.path.starts_with(&later.path));
    let new: Vec<_> = later.into_iter().filter(|later| !is_reported(later)).collect();
    errors.extend(new);
}

/// Turns errors into warnings if they already existed in parts of the object that the client did not send. They must
/// not prevent saves of other parts.
fn downgrade_old_errors(checked: &mut Checked, before: &Checked, sends: impl Fn(&str) -> bool) {
    let old = |problem: &Problem| {
        let unsent = problem.path.first().is_some_and(|name| !sends(name));
        unsent && before.errors.iter().any(|b| b.path == problem.path && b.code == problem.code)
    };
    let (downgraded, errors) = std::mem::take(&mut checked.errors).into_iter().partition(old);
    checked.errors = errors;
    checked.warnings.extend::<Vec<_>>(downgraded);
}
