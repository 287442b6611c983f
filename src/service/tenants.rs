//! Tenants: creates, changes, deletes and finds them.

use super::app::App;
use super::document;
use super::viewer::Viewer;
use crate::domain::{Code, Kind, Patch, Problem, TenantId};
use crate::form::{self, Form, Section};
use crate::objects::TenantSettings;
use crate::store::{self, ObjectFields, Outcome, Session, Snapshot, StoreError, TenantRow, Tx};

impl App {
    /// Creates a tenant together with its defaults for new virtual extensions.
    ///
    /// # Errors
    /// All problems with the request, or an error of the store.
    pub async fn create_tenant(&self, request: &Patch) -> Result<Result<TenantRow, Vec<Problem>>, StoreError> {
        let mut problems = Vec::new();
        let new = form::build::<TenantSettings>(request, &mut |problem| problems.push(problem));
        if let Some(new) = &new {
            new.check(&mut |problem| problems.push(problem));
        }
        let Some(new) = new.filter(|_| problems.is_empty()) else { return Ok(Err(problems)) };
        let now = self.now();
        self.store
            .write_system(move |session| {
                let id = match store::create_tenant(session, &new, now) {
                    Ok(id) => id,
                    Err(StoreError::Conflict { .. }) => return Ok(Outcome::Rollback(Err(vec![code_in_use(&new)]))),
                    Err(error) => return Err(error),
                };
                let tx = &mut Tx::begin(session, id)?;
                let template =
                    ObjectFields { kind: Kind::FormDefaults, number: None, name: "", description: "", enabled: true };
                let template = store::insert_object(tx, template, now)?.id;
                document::save_sections(tx, template.local, None, &Form::initial())?;
                store::set_defaults(tx, template.local)?;
                Ok(Outcome::Commit(Ok(store::current_tenant(tx)?)))
            })
            .await
    }

    /// Creates a tenant if the viewer may do so, see [`App::create_tenant`].
    ///
    /// # Errors
    /// The errors of [`App::create_tenant`]; a problem if the viewer may not create tenants.
    pub async fn create_tenant_as(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        request: &Patch,
    ) -> Result<Result<TenantRow, Vec<Problem>>, StoreError> {
        if let Some(refusal) = viewer.tenant_change_refusal() {
            return Ok(Err(vec![refusal]));
        }
        let created = self.within(snapshot).create_tenant(request).await;
        snapshot.renew().await;
        created
    }

    /// Changes a tenant. Fields that are left out do not change.
    ///
    /// # Errors
    /// All problems with the request, or an error of the store.
    pub async fn update_tenant(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        tenant: TenantId,
        request: Patch,
    ) -> Result<Result<TenantRow, Vec<Problem>>, StoreError> {
        if let Some(refusal) = viewer.tenant_change_refusal() {
            return Ok(Err(vec![refusal]));
        }
        let work = move |tx: &mut Tx<'_>| {
            let mut row = store::current_tenant(tx)?;
            let mut problems = Vec::new();
            (&mut row.settings as &mut dyn Section).apply(&request, &mut |problem| problems.push(problem));
            row.settings.check(&mut |problem| problems.push(problem));
            if !problems.is_empty() {
                return Ok(Outcome::Rollback(Err(problems)));
            }
            match store::update_tenant(tx, &row.settings) {
                Ok(()) => Ok(Outcome::Commit(Ok(store::current_tenant(tx)?))),
                Err(StoreError::Conflict { .. }) => Ok(Outcome::Rollback(Err(vec![code_in_use(&row.settings)]))),
                Err(error) => Err(error),
            }
        };
        let updated = match self.store.with_deadline_of(snapshot).write(tenant, work).await {
            Err(StoreError::NoTenant) => {
                Ok(Err(vec![Problem::new(Code::NotFound, "must be the id of a tenant").under("id")]))
            }
            updated => updated,
        };
        snapshot.renew().await;
        updated
    }

    /// Deletes a tenant with everything in it, or the remains of an interrupted import. Returns `false` if there is no
    /// tenant with this code.
    ///
    /// # Errors
    /// Errors of the store; nothing is deleted in this case.
    pub async fn delete_tenant(&self, code: &str) -> store::Result<bool> {
        let code = code.to_owned();
        let work = move |session: &mut dyn Session| {
            let Some(tenant) = store::tenant_id_by_code(session, &code)? else { return Ok(Outcome::Rollback(false)) };
            // Like any change of the tenant, this blocks other changes until the end of the transaction.
            Tx::begin(session, tenant)?;
            store::erase_tenant(session, tenant)?;
            Ok(Outcome::Commit(true))
        };
        self.store.write_system(work).await
    }

    /// All tenants by code.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn tenants(&self) -> store::Result<Vec<TenantRow>> {
        self.snapshot().read_system(store::list_tenants).await
    }

    /// The tenants that a viewer can see, by code.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn visible_tenants(&self, snapshot: &Snapshot, viewer: &Viewer) -> store::Result<Vec<TenantRow>> {
        let all = snapshot.read_system(store::list_tenants).await?;
        Ok(all.into_iter().filter(|tenant| viewer.sees(tenant.id)).collect())
    }

    /// The tenant with this id; `None` if it does not exist or the viewer cannot see it.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn tenant_by_id(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        id: TenantId,
    ) -> store::Result<Option<TenantRow>> {
        let row = snapshot.read_system(move |session| store::tenant_by_id(session, id)).await?;
        Ok(row.filter(|tenant| viewer.sees(tenant.id)))
    }

    /// The tenant with this code; `None` if it does not exist or the viewer cannot see it.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn tenant(&self, snapshot: &Snapshot, viewer: &Viewer, code: String) -> store::Result<Option<TenantRow>> {
        let row = snapshot.read_system(move |session| store::tenant_by_code(session, &code)).await?;
        Ok(row.filter(|tenant| viewer.sees(tenant.id)))
    }
}

fn code_in_use(settings: &TenantSettings) -> Problem {
    Problem::new(Code::Duplicate, "is in use by another tenant").value(settings.code.as_str()).under("code")
}
