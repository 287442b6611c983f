//! Making and changing tenants themselves.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::mutation::{UserError, tell_as_sent};
use super::query::Tenant;
use super::scope::Scope;
use crate::domain::{Problem, TenantId};
use crate::objects::TenantInput;
use crate::service::{StoreError, TenantRow};

/// A new tenant.
#[derive(InputObject)]
pub struct TenantCreateInput {
    /// What it is.
    #[graphql(flatten)]
    tenant: TenantInput,
}

/// Changes of a tenant. What is left out stays as it is, `null` clears.
#[derive(InputObject)]
pub struct TenantUpdateInput {
    /// The opaque id of the tenant.
    id: ID,
    /// What it is to be.
    #[graphql(flatten)]
    tenant: TenantInput,
}

/// What came of saving a tenant.
#[derive(SimpleObject)]
pub struct TenantPayload {
    /// The tenant as it is saved now; null when nothing was saved.
    tenant: Option<Tenant>,
    /// Why nothing was saved: everything that is wrong, at once. Empty when it was saved.
    user_errors: Vec<UserError>,
}

fn payload(
    scope: &Scope,
    saved: Result<Result<TenantRow, Vec<Problem>>, StoreError>,
    id: Option<&ID>,
) -> Result<TenantPayload> {
    Ok(match saved.map_err(|e| scope.surprise(&e))? {
        Ok(row) => TenantPayload { tenant: Some(Tenant(row)), user_errors: Vec::new() },
        Err(mut problems) => {
            if let Some(id) = id {
                tell_as_sent(&mut problems, "id", id);
            }
            TenantPayload { tenant: None, user_errors: problems.into_iter().map(UserError::from).collect() }
        }
    })
}

/// What can be changed of tenants.
#[derive(Default)]
pub struct TenantMutation;

/// What can be changed of tenants.
#[Object]
impl TenantMutation {
    /// Makes a tenant, with defaults for its new virtual extensions. Needs a token for all tenants.
    async fn tenant_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new tenant.")] input: TenantCreateInput,
    ) -> Result<TenantPayload> {
        let scope = Scope::of(ctx)?;
        let saved = scope.app.make_tenant(&scope.snapshot, scope.viewer()?, &input.tenant).await;
        payload(scope, saved, None)
    }

    /// Changes a tenant. Needs a token for all tenants.
    async fn tenant_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The changes.")] input: TenantUpdateInput,
    ) -> Result<TenantPayload> {
        let scope = Scope::of(ctx)?;
        // An id that no server handed out answers like one that does not exist: there is no tenant 0.
        let tenant = TenantId::of_opaque(&input.id).unwrap_or(TenantId(0));
        let saved = scope.app.update_tenant(&scope.snapshot, scope.viewer()?, tenant, input.tenant).await;
        payload(scope, saved, Some(&input.id))
    }
}
