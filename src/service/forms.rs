//! Saving a form: *saved = checked(base ⊕ what the client sent)*, for an extension and for a tenant's defaults alike.

use super::{App, Viewer, facts};
use crate::domain::{Code, ExtensionNumber, Kind, ObjectId, Problem, TenantId};
use crate::form::{self, Change, Checked, Form, FormPatch, each_section};
use crate::store::{self, NewObject, ObjectRow, Outcome, Query, Record, Result, Snapshot, StoreError, Tx};

/// What a save is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SaveTarget {
    /// A new virtual extension; its base is the tenant's defaults.
    New(TenantId),
    /// A virtual extension that exists; its base is what is saved.
    Existing(ObjectId),
    /// The tenant's defaults themselves.
    Defaults(TenantId),
}

/// A save that somebody asks for.
#[derive(Clone, Debug)]
pub struct Save {
    /// What it is about.
    pub target: SaveTarget,
    /// What the client sent.
    pub patch: FormPatch,
    /// The version that the client saw; another one refuses the save.
    pub expected_version: Option<i64>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
}

/// What came of a save.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The extension or the defaults, unless it was refused or is not made yet.
    pub object: Option<ObjectId>,
    /// Why it was refused: everything at once. Empty when it was saved.
    pub errors: Vec<Problem>,
    /// What looks wrong, but does not keep it from being saved.
    pub warnings: Vec<Problem>,
    /// The fields that were changed, or would be.
    pub changes: Vec<Change>,
}

impl Saved {
    fn refused(problem: Problem) -> Self {
        Self { errors: vec![problem], ..Self::default() }
    }
}

impl App {
    /// Saves a form, or says what would happen. Nothing is half saved.
    ///
    /// # Errors
    /// What the store answers; what is wrong with the input is in the answer.
    pub async fn save(&self, snapshot: &Snapshot, viewer: &Viewer, save: Save) -> Result<Saved> {
        match self.try_save(snapshot, viewer, save).await {
            // A token for all tenants sees even those that do not exist.
            Err(StoreError::NoTenant) => Ok(Saved::refused(no_such_extension())),
            result => result,
        }
    }

    async fn try_save(&self, snapshot: &Snapshot, viewer: &Viewer, save: Save) -> Result<Saved> {
        let tenant = match save.target {
            SaveTarget::New(tenant) | SaveTarget::Defaults(tenant) => tenant,
            SaveTarget::Existing(object) => object.tenant,
        };
        if !viewer.write {
            return Ok(Saved::refused(Problem::new(Code::Forbidden, "needs a token with the scope write")));
        }
        if !viewer.sees(tenant) {
            return Ok(Saved::refused(no_such_extension()));
        }
        let save = self.sealed(save).await?;
        let (actor, now) = (viewer.name.clone(), self.now());
        if save.dry_run {
            let plan = snapshot.read(tenant, move |query| Plan::make(query, &save, now)).await?;
            return Ok(Saved {
                object: plan.object,
                errors: plan.checked.errors,
                warnings: plan.checked.warnings,
                changes: plan.changes,
            });
        }
        let saved = self
            .store
            .write(tenant, move |tx| {
                let plan = Plan::make(tx, &save, now)?;
                let object = plan.object;
                if !plan.checked.errors.is_empty() || (plan.changes.is_empty() && object.is_some()) {
                    let Checked { errors, warnings } = plan.checked;
                    return Ok(Outcome::Rollback(Saved { object, errors, warnings, changes: Vec::new() }));
                }
                plan.carry_out(tx, &actor, now).map(Outcome::Commit)
            })
            .await?;
        snapshot.renew().await;
        Ok(saved)
    }

    /// Hashes and seals the secrets on a thread of their own: argon2id takes its time on purpose.
    #[expect(clippy::disallowed_methods, reason = "no connection is touched: this only computes")]
    async fn sealed(&self, mut save: Save) -> Result<Save> {
        let sealer = self.sealer.clone();
        let sealed = tokio::task::spawn_blocking(move || {
            save.patch.seal(&sealer);
            save
        });
        sealed.await.map_err(|_| StoreError::Bug("hashing a secret panicked".into()))
    }
}

fn no_such_extension() -> Problem {
    Problem { value: None, ..Problem::not_found(&[Kind::VirtualExtension], "") }.under("id")
}

/// A save that has been worked out, but not carried out.
struct Plan {
    object: Option<ObjectId>,
    row: Option<ObjectRow>,
    base: Form,
    form: Form,
    checked: Checked,
    changes: Vec<Change>,
}

impl Plan {
    fn make(query: &mut Query<'_>, save: &Save, now: i64) -> Result<Self> {
        let tenant = store::own_tenant(query)?;
        let source = match save.target {
            SaveTarget::New(_) | SaveTarget::Defaults(_) => tenant.defaults,
            SaveTarget::Existing(object) => object.local,
        };
        let row = store::load_objects(query, &[source])?.remove(&source);
        let refused = |problems| Self {
            object: None,
            row: None,
            base: Form::initial(),
            form: Form::initial(),
            checked: Checked { errors: problems, warnings: Vec::new() },
            changes: Vec::new(),
        };
        let row = match (row, save.target) {
            (Some(row), SaveTarget::Existing(_)) if row.kind == Kind::VirtualExtension => Some(row),
            (_, SaveTarget::Existing(_)) => return Ok(refused(vec![no_such_extension()])),
            (row, SaveTarget::Defaults(_)) => row,
            (_, SaveTarget::New(_)) => None,
        };
        if let (Some(row), Some(expected)) = (&row, save.expected_version)
            && row.version != expected
        {
            return Ok(Self { object: Some(row.id), ..refused(conflict(query, row, expected)?) });
        }
        let base = load_form(query, source)?;
        let mut errors = Vec::new();
        let form = base.patched(&save.patch, &mut |problem| errors.push(problem));
        let object = row.as_ref().map(|row| row.id);
        let defaults = matches!(save.target, SaveTarget::Defaults(_));
        let own = object.filter(|_| !defaults);
        let mut facts = facts::gather(query, &tenant, &form, own, defaults, now)?;
        facts.new_password = save.patch.web_user_panel.as_ref().and_then(|panel| panel.web_password.value()).cloned();
        let mut checked = form::check(&form, &facts);
        if row.is_some() && !checked.errors.is_empty() {
            forgive(&mut checked, &form::check(&base, &facts), &save.patch);
        }
        // A field that was refused by its own rule is not also reported as missing.
        checked.errors.retain(|later| !errors.iter().any(|first| first.path.starts_with(&later.path)));
        checked.errors.splice(0..0, errors);
        let changes = base.diff(&form);
        Ok(Self { object, row, base, form, checked, changes })
    }

    fn carry_out(self, tx: &mut Tx<'_>, actor: &str, now: i64) -> Result<Saved> {
        let Self { row, base, form, checked, changes, .. } = self;
        let info = &form.information;
        let (number, name) = (info.number.as_ref().map(ExtensionNumber::as_str), info.name.as_str());
        let description = info.description.as_str();
        let (object, version) = match row {
            Some(row) => {
                store::touch(tx, row.id.local, number, name, description, now)?;
                save_sections(tx, row.id.local, Some(&base), &form)?;
                (row.id, row.version + 1)
            }
            None => {
                let new = NewObject { kind: Kind::VirtualExtension, number, name, description, enabled: true };
                let id = store::insert_plain(tx, new, now)?;
                save_sections(tx, id.local, None, &form)?;
                (id, 1)
            }
        };
        store::record(tx, &Record { object: object.local, version, actor, at: now, changes: &changes })?;
        Ok(Saved { object: Some(object), errors: Vec::new(), warnings: checked.warnings, changes })
    }
}

/// What stood wrong in the saved form already, in sections that the client did not send, must not keep it from saving
/// others: such errors come back as warnings.
fn forgive(checked: &mut Checked, before: &Checked, patch: &FormPatch) {
    let old = |problem: &Problem| {
        let unsent = problem.path.first().is_some_and(|section| !patch.sends(section));
        unsent && before.errors.iter().any(|b| b.path == problem.path && b.code == problem.code)
    };
    let (forgiven, errors) = std::mem::take(&mut checked.errors).into_iter().partition(old);
    checked.errors = errors;
    checked.warnings.extend::<Vec<_>>(forgiven);
}

/// One problem for the version, and one for each field that has changed since.
fn conflict(query: &mut Query<'_>, row: &ObjectRow, expected: i64) -> Result<Vec<Problem>> {
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

macro_rules! whole_form {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        fn load_form(query: &mut Query<'_>, id: i64) -> Result<Form> {
            Ok(Form { $($name: store::load_section(query, id)?),+ })
        }

        /// Writes what differs in each section; without `before` the sections are new.
        pub(super) fn save_sections(tx: &mut Tx<'_>, id: i64, before: Option<&Form>, after: &Form) -> Result<()> {
            $(store::save_section(tx, id, before.map(|form| &form.$name), &after.$name)?;)+
            Ok(())
        }
    };
}
each_section!(whole_form);
