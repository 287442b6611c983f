//! Saving: *saved = checked(base ⊕ what the client sent)*, for an extension, a tenant's defaults and every other object
//! alike.
//!
//! A save is worked out on what the request sees, where any number of saves can be beside each other, and carried out by
//! the writer, of which there is one: as it is, or worked out again where the tenant has changed meanwhile. Secrets are
//! hashed in between (see [`super::hashing`]), once it is clear that they will be saved, and then it is worked out again.

use std::sync::Arc;

use super::checkable::{Asks, Checkable, Part};
use super::document::{self, Document};
use super::{App, Viewer, facts};
use crate::domain::{
    Code, ExtensionNumber, Kept, Kind, ObjectId, Patch, Problem, SecretText, SentSecret, TenantId, Value,
};
use crate::form::{Change, Checked, Facts, Sections};
use crate::store::{self, ObjectRow, Outcome, Query, Record, Result, Session, Snapshot, StoreError, TenantRow, Tx};

/// What a save is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SaveTarget {
    /// A new object. The base of a virtual extension is the tenant's defaults.
    New(TenantId),
    /// An object that exists; its base is what is saved.
    Existing(ObjectId),
    /// The tenant's defaults themselves.
    Defaults(TenantId),
    /// A new object; its base is a copy of one that exists, without what belongs to that alone.
    CopyOf(ObjectId),
}

impl SaveTarget {
    fn tenant(self) -> TenantId {
        match self {
            Self::New(tenant) | Self::Defaults(tenant) => tenant,
            Self::Existing(object) | Self::CopyOf(object) => object.tenant,
        }
    }
}

/// A save that somebody asks for.
#[derive(Clone, Debug)]
pub struct Save {
    /// The kind of the object; that of the defaults for a tenant's own.
    pub kind: Kind,
    /// What it is about.
    pub target: SaveTarget,
    /// What the client sent: sections of a form, or fields of an object of another kind.
    pub patch: Patch,
    /// The version that the client saw; another one refuses the save.
    pub expected_version: Option<i64>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
    /// Whether what looks wrong is told. Where it is not, only those sections are loaded and checked that are sent, and
    /// those whose rules look at them: what is wrong in the others was before, and keeps nothing from being saved.
    pub tells_warnings: bool,
}

impl Save {
    /// The sections of a form that are checked.
    fn checks(&self) -> Sections {
        let sent = Sections::sent(&self.patch);
        let changes = matches!(self.target, SaveTarget::Existing(_) | SaveTarget::Defaults(_));
        // The statements for each set of sections are kept: there are not to be too many.
        if changes && !self.tells_warnings && sent.count() <= 2 { sent.concerned() } else { Sections::ALL }
    }
}

/// What came of a save.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The object's own row as it is now, unless it was refused or is not made yet.
    pub object: Option<Arc<ObjectRow>>,
    /// Why it was refused: everything at once. Empty when it was saved.
    pub errors: Vec<Problem>,
    /// What looks wrong, but does not keep it from being saved.
    pub warnings: Vec<Problem>,
    /// The fields that were changed, or would be.
    pub changes: Vec<Change>,
}

impl Saved {
    pub(super) fn refused(problem: Problem) -> Self {
        Self { errors: vec![problem], ..Self::default() }
    }
}

/// Why a viewer may not change something of a tenant, if so. What is not visible answers like what does not exist.
pub(super) fn refusal(viewer: &Viewer, tenant: TenantId, kind: Kind) -> Option<Problem> {
    if !viewer.write {
        return Some(Problem::new(Code::Forbidden, "needs a token with the scope write"));
    }
    (!viewer.sees(tenant)).then(|| no_such(kind))
}

/// The one answer for an id that is not one of an object of this kind in a tenant that the viewer sees.
pub(super) fn no_such(kind: Kind) -> Problem {
    Problem { value: None, ..Problem::not_found(&[kind], "") }.under("id")
}

/// A save that has been worked out on what a request sees.
pub enum WorkedOut {
    /// There is nothing to carry out: it was refused, is a dry run, or changes nothing.
    Settled(Saved),
    /// It is to be carried out.
    Open(OpenSave),
}

/// A save that is to be carried out, see [`App::carry_out`].
pub struct OpenSave {
    save: Arc<Save>,
    plan: Plan,
    now: i64,
}

impl WorkedOut {
    /// Works a save out.
    ///
    /// # Errors
    /// What the store answers; what is wrong with the input is in the answer.
    pub fn of(session: &mut dyn Session, viewer: &Viewer, save: Save, now: i64) -> Result<Self> {
        let (tenant, kind) = (save.target.tenant(), save.kind);
        if let Some(refusal) = refusal(viewer, tenant, kind) {
            return Ok(Self::Settled(Saved::refused(refusal)));
        }
        let plan = match Plan::make(&mut Query::new(session, tenant), &save, now) {
            // A token for all tenants sees even those that do not exist.
            Err(StoreError::NoTenant) => return Ok(Self::Settled(Saved::refused(no_such(kind)))),
            plan => plan?,
        };
        Ok(if save.dry_run {
            Self::Settled(plan.told())
        } else if plan.is_void() {
            Self::Settled(plan.nothing())
        } else {
            Self::Open(OpenSave { save: Arc::new(save), plan, now })
        })
    }
}

impl App {
    /// Saves a form or an object of another kind, or says what would happen. Nothing is half saved.
    ///
    /// # Errors
    /// What the store answers; what is wrong with the input is in the answer.
    pub async fn save(&self, snapshot: &Snapshot, viewer: &Viewer, save: Save) -> Result<Saved> {
        let (now, own) = (self.now(), viewer.clone());
        let work = move |session: &mut dyn Session| WorkedOut::of(session, &own, save, now);
        match snapshot.read_session(None, work).await? {
            WorkedOut::Settled(saved) => Ok(saved),
            WorkedOut::Open(open) => self.finish(snapshot, viewer, open).await,
        }
    }

    /// Carries a save out that has been worked out.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn finish(&self, snapshot: &Snapshot, viewer: &Viewer, open: OpenSave) -> Result<Saved> {
        // Who waits holds no connection.
        snapshot.renew().await;
        let kind = open.save.kind;
        let saved = self.carry_out(snapshot, viewer, open, |_, saved| Ok(Outcome::Commit(saved))).await;
        snapshot.renew().await;
        if let Err(StoreError::NoTenant) = saved { Ok(Saved::refused(no_such(kind))) } else { saved }
    }

    /// Carries a save out, and has `tell` look at what came of it in the same transaction. Nothing is saved when that rolls
    /// back. It may be called again for another try, of which it is then the only one that counts.
    ///
    /// # Errors
    /// What the store answers, or `tell`.
    pub async fn carry_out<T: Send + 'static>(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        OpenSave { save, plan, now }: OpenSave,
        tell: impl Fn(&mut dyn Session, Saved) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.seal(snapshot, viewer, document::secrets(save.kind, &save.patch)).await?;
        let (tenant, actor) = (save.target.tenant(), viewer.name.clone());
        let work = move |tx: &mut Tx<'_>| {
            let again = if plan.holds(tx) { None } else { Some(Plan::make(tx, &save, now)?) };
            let plan = again.as_ref().unwrap_or(&plan);
            if plan.is_void() {
                let told = tell(tx.session(), Saved { changes: Vec::new(), ..plan.saved(plan.object.clone()) })?;
                let (Outcome::Commit(told) | Outcome::Rollback(told)) = told;
                return Ok(Outcome::Rollback(told));
            }
            let saved = plan.carry_out(tx, &actor, now)?;
            tell(tx.session(), saved)
        };
        self.store.within(snapshot).write(tenant, work).await
    }

    /// Hashes and seals secrets.
    async fn seal(&self, snapshot: &Snapshot, viewer: &Viewer, secrets: Vec<SentSecret<'_>>) -> Result<()> {
        for (how, secret) in secrets {
            secret.keep(match how {
                Kept::Hashed => {
                    self.hashing.hash(&viewer.name, snapshot.deadline(), &self.sealer, secret).await.map(Value::Text)?
                }
                Kept::Sealed => {
                    let sealed = self.sealer.close(secret.expose()).map(Value::Bytes);
                    sealed.ok_or_else(|| StoreError::Bug("a secret could not be sealed".into()))?
                }
            });
        }
        Ok(())
    }
}

/// A save that has been worked out, but not carried out.
pub(super) struct Plan {
    object: Option<Arc<ObjectRow>>,
    kind: Kind,
    base: Option<Document>,
    document: Option<Document>,
    checked: Checked,
    changes: Vec<Change>,
    /// Whether all secrets are hashed or sealed, so that it can be carried out.
    writable: bool,
    /// The tenant's revision that all of it was worked out of.
    revision: i64,
}

impl Plan {
    pub(super) fn make(query: &mut Query<'_>, save: &Save, now: i64) -> Result<Self> {
        let kind = save.kind;
        let (tenant, row) = match save.target {
            SaveTarget::New(_) => (store::own_tenant(query)?, None),
            SaveTarget::Defaults(_) => {
                let tenant = store::own_tenant(query)?;
                let row = store::load_objects(query, &[tenant.defaults])?.remove(&tenant.defaults);
                (tenant, row)
            }
            SaveTarget::Existing(object) | SaveTarget::CopyOf(object) => store::own_tenant_with(query, object.local)?,
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
            return Ok(refused(None, vec![no_such(kind)]));
        }
        if let (Some(row), Some(expected)) = (&row, save.expected_version)
            && row.version != expected
        {
            return Ok(refused(object, conflict(query, row, expected)?));
        }
        let checks = save.checks();
        let base = match &row {
            Some(row) => Document::load_some(query, row, checks.with_looked_at())?,
            None => Document::start(query, kind, tenant.defaults)?,
        };
        let copy = base.as_ref().filter(|_| copied).map(|base| base.clone().copied());
        let mut errors = Vec::new();
        let from = copy.as_ref().or(base.as_ref());
        let document = Document::patched(kind, from, &save.patch, &mut |problem| errors.push(problem));
        let own = object.as_ref().map(|row| row.id).filter(|_| kind != Kind::FormDefaults);
        let setting = Setting { tenant: &tenant, own, defaults: kind == Kind::FormDefaults, now };
        let Some(document) = document else {
            if let Some(rest) = document::rest(kind, &save.patch) {
                add(&mut errors, setting.check(query, &rest, None)?.errors);
            }
            return Ok(refused(object, errors));
        };
        let warns = save.tells_warnings;
        let mut checked = setting.check_some(query, (&document, checks, warns), document::new_password(&save.patch))?;
        checked.errors.extend(document.taken(query, own)?);
        if let Some(base) = base.as_ref().filter(|_| object.is_some() && !checked.errors.is_empty()) {
            let before = setting.check_some(query, (base, checks, warns), None)?;
            forgive(&mut checked, &before, |name| save.patch.sends(name));
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
            writable: document::secrets(kind, &save.patch).iter().all(|(_, secret)| secret.is_kept()),
            revision: tenant.revision,
        })
    }

    /// Whether there is nothing to carry out.
    pub(super) fn is_void(&self) -> bool {
        !self.checked.errors.is_empty() || (self.changes.is_empty() && self.object.is_some())
    }

    /// Whether it can be carried out as it is: nothing of the tenant has changed since, on which alone it depends.
    fn holds(&self, tx: &Tx<'_>) -> bool {
        self.writable && self.revision == tx.revision() - 1
    }

    /// Adds a reason not to carry it out.
    pub(super) fn refuse(&mut self, problem: Problem) {
        self.checked.errors.push(problem);
    }

    /// What there is to say when there is nothing to carry out.
    fn nothing(self) -> Saved {
        Saved { changes: Vec::new(), ..self.told() }
    }

    /// What there is to say without carrying it out.
    pub(super) fn told(self) -> Saved {
        let Checked { errors, warnings } = self.checked;
        Saved { object: self.object, errors, warnings, changes: self.changes }
    }

    pub(super) fn carry_out(&self, tx: &mut Tx<'_>, actor: &str, now: i64) -> Result<Saved> {
        let Some(document) = &self.document else { return Ok(self.saved(self.object.clone())) };
        if !self.writable {
            return Err(StoreError::Bug("a secret was to be saved that is not hashed".into()));
        }
        let own = store::OwnRow { kind: self.kind, ..document.own_row() };
        let row = match (&self.object, &self.base) {
            (Some(row), Some(base)) => {
                let before = store::OwnRow { kind: self.kind, ..base.own_row() };
                store::touch(tx, row, (before, own), now)?
            }
            _ => store::insert_object(tx, own, now)?,
        };
        document.write(tx, row.id.local, self.base.as_ref())?;
        let (version, changes) = (row.version, self.changes.as_slice());
        store::record(tx, &Record { object: row.id.local, version, actor, at: now, changes })?;
        Ok(self.saved(Some(Arc::new(row))))
    }

    fn saved(&self, object: Option<Arc<ObjectRow>>) -> Saved {
        let Checked { errors, warnings } = self.checked.clone();
        Saved { object, errors, warnings, changes: self.changes.clone() }
    }
}

/// What the check of one object works with besides the object.
pub(super) struct Setting<'a> {
    pub(super) tenant: &'a TenantRow,
    pub(super) own: Option<ObjectId>,
    pub(super) defaults: bool,
    pub(super) now: i64,
}

impl Setting<'_> {
    /// Checks some sections of a form, or an object of another kind.
    fn check_some(
        &self,
        query: &mut Query<'_>,
        (document, sections, warns): (&Document, Sections, bool),
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        match document {
            Document::Form(form) => self.check(query, &Part { form, sections, warns }, new_password),
            Document::Plain(plain) => self.check(query, plain, new_password),
        }
    }

    pub(super) fn check(
        &self,
        query: &mut Query<'_>,
        document: &dyn Checkable,
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        let mut asks = Asks::default();
        document.ask(&mut asks);
        let mut around = facts::gather(query, self.tenant, asks, self.now)?;
        // What nothing can lead to yet closes no circle.
        if self.own.is_some() {
            let next = document.surely(&around);
            facts::follow(query, &mut around, next, self.now)?;
        }
        let mut facts =
            Facts { own: self.own, defaults: self.defaults, free_number: None, new_password, around: Arc::new(around) };
        facts.free_number = self.free_number(query, document, &facts)?;
        Ok(document.check(&facts))
    }

    /// What could be suggested in place of a number that is taken, or missing.
    fn free_number(
        &self,
        query: &mut Query<'_>,
        document: &dyn Checkable,
        facts: &Facts,
    ) -> Result<Option<ExtensionNumber>> {
        match document.number().map(ExtensionNumber::as_str) {
            Some(number) if facts.other_holder(number).is_some() || facts.parking(number).is_some() => {
                store::free_number_behind(query, number)
            }
            None if document.needs_number() && !self.defaults => store::free_number_behind(query, "099"),
            _ => Ok(None),
        }
    }
}

/// Adds problems that were found later. A field that was refused by its own rule is not also reported as missing.
fn add(errors: &mut Vec<Problem>, later: Vec<Problem>) {
    let told = |later: &Problem| errors.iter().any(|first| first.path.starts_with(&later.path));
    let new: Vec<_> = later.into_iter().filter(|later| !told(later)).collect();
    errors.extend(new);
}

/// What stood wrong in the saved object already, in parts that the client did not send, must not keep it from saving
/// others: such errors come back as warnings.
fn forgive(checked: &mut Checked, before: &Checked, sends: impl Fn(&str) -> bool) {
    let old = |problem: &Problem| {
        let unsent = problem.path.first().is_some_and(|name| !sends(name));
        unsent && before.errors.iter().any(|b| b.path == problem.path && b.code == problem.code)
    };
    let (forgiven, errors) = std::mem::take(&mut checked.errors).into_iter().partition(old);
    checked.errors = errors;
    checked.warnings.extend::<Vec<_>>(forgiven);
}

/// One problem for the version, and one for each field that has changed since.
pub(super) fn conflict(query: &mut Query<'_>, row: &ObjectRow, expected: i64) -> Result<Vec<Problem>> {
    let fields = store::changed_since(query, row.id.local, expected)?;
    let names = fields.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>().join(", ");
    let since = if fields.is_empty() { String::new() } else { format!("; changed since: {names}") };
    let rule = format!("is not the saved version, {}{since}", row.version);
    let version = Problem::new(Code::Conflict, rule).value(expected).under("expectedVersion");
    let field = |(path, actor): &(String, String)| {
        let problem = Problem::new(Code::Conflict, format!("was changed by {actor} since version {expected}"));
        Problem { path: path.split('.').map(str::to_owned).collect(), ..problem }
    };
    Ok(std::iter::once(version).chain(fields.iter().map(field)).collect())
}
