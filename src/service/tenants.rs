//! Tenants: making them, finding the one that a request means.

use super::{App, Viewer, document};
use crate::domain::{Code, Kind, Problem, TenantId};
use crate::form::{Form, Section as _};
use crate::objects::{TenantInput, TenantSettings};
use crate::store::{self, Outcome, OwnRow, Snapshot, StoreError, TenantRow, Tx};

impl App {
    /// Makes a tenant together with its template for new virtual extensions.
    ///
    /// # Errors
    /// All that is wrong with the request, or what the store answers.
    pub async fn create_tenant(&self, request: &TenantInput) -> Result<Result<TenantRow, Vec<Problem>>, StoreError> {
        let mut problems = Vec::new();
        let new = TenantSettings::build(request, &mut |problem| problems.push(problem));
        if let Some(new) = &new {
            new.check(&mut |problem| problems.push(problem));
        }
        let Some(new) = new.filter(|_| problems.is_empty()) else { return Ok(Err(problems)) };
        let now = self.now();
        self.store
            .write_system(move |session| {
                let id = match store::create_tenant(session, &new, now) {
                    Ok(id) => id,
                    // Another server has just taken the next key.
                    Err(StoreError::Conflict { constraint }) if constraint == "tenant_pkey" => {
                        return Err(StoreError::Stale(constraint));
                    }
                    Err(StoreError::Conflict { .. }) => {
                        let problem =
                            Problem::new(Code::Duplicate, "is in use by another tenant").value(new.code.as_str());
                        return Ok(Outcome::Rollback(Err(vec![problem.under("code")])));
                    }
                    Err(error) => return Err(error),
                };
                let tx = &mut Tx::begin(session, id)?;
                let template =
                    OwnRow { kind: Kind::FormDefaults, number: None, name: "", description: "", enabled: true };
                let template = store::insert_object(tx, template, now)?;
                document::save_sections(tx, template.local, None, &Form::initial())?;
                store::set_defaults(tx, template.local)?;
                Ok(Outcome::Commit(Ok(store::own_tenant(tx)?)))
            })
            .await
    }

    /// All tenants by code.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenants(&self) -> store::Result<Vec<TenantRow>> {
        self.snapshot().read_system(store::tenants).await
    }

    /// The tenants that a viewer sees, by code.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn visible_tenants(&self, snapshot: &Snapshot, viewer: &Viewer) -> store::Result<Vec<TenantRow>> {
        let all = snapshot.read_system(store::tenants).await?;
        Ok(all.into_iter().filter(|tenant| viewer.sees(tenant.id)).collect())
    }

    /// The tenant with this key; `None` when it does not exist for this viewer.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenant_by_id(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        id: TenantId,
    ) -> store::Result<Option<TenantRow>> {
        let row = snapshot.read_system(move |session| store::tenant_by_id(session, id)).await?;
        Ok(row.filter(|tenant| viewer.sees(tenant.id)))
    }

    /// The tenant with this code; `None` when it does not exist for this viewer.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn tenant(&self, snapshot: &Snapshot, viewer: &Viewer, code: String) -> store::Result<Option<TenantRow>> {
        let row = snapshot.read_system(move |session| store::tenant_by_code(session, &code)).await?;
        Ok(row.filter(|tenant| viewer.sees(tenant.id)))
    }
}
