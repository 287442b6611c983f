//! Making and changing tenants themselves.

use async_graphql::Result;

use super::mutation::{id_input, only_patch};
use super::problems::{tell_as_sent, user_errors};
use super::query::tenant_node;
use crate::domain::{Problem, TenantId};
use crate::graphql::layer::{Call, Given as _, InputValue, Node, SchemaField, SchemaType, fields_of, input, object};
use crate::graphql::scope::Scope;
use crate::service::{StoreError, TenantRow};

/// What came of saving a tenant.
type SavedTenant = Result<TenantRow, Vec<Problem>>;

/// The types of the mutations. `settings` are the input fields of what a tenant is.
pub fn definitions(settings: &[InputValue]) -> [SchemaType; 3] {
    let create = input("TenantCreateInput", "A new tenant.").fields(settings.iter().cloned());
    let update = input("TenantUpdateInput", "Changes of a tenant. What is left out stays as it is, `null` clears.")
        .fields([id_input("The opaque id of the tenant.")])
        .fields(settings.iter().cloned());
    let payload = object::<SavedTenant>("TenantPayload", "What came of saving a tenant.")
        .now("object", "Tenant", "The tenant as it is saved now; null when nothing was saved.", |saved| {
            saved.as_ref().map_or(Node::Null, |row| tenant_node(row.clone()))
        })
        .now(
            "userErrors",
            "[UserError!]!",
            "Why nothing was saved: everything that is wrong, at once. Empty when it was saved.",
            |saved| user_errors(saved.as_ref().err().map(Vec::as_slice).unwrap_or_default()),
        );
    [create.into(), update.into(), payload.into()]
}

/// The mutations.
pub fn fields() -> Vec<SchemaField> {
    fields_of::<()>()
        .later(
            "tenantCreate",
            "TenantPayload!",
            "Makes a tenant, with defaults for its new virtual extensions. Needs a token for all tenants.",
            |(), call| Box::pin(async move { create(call).await }),
        )
        .arg("input", "TenantCreateInput!", "The new tenant.")
        .later("tenantUpdate", "TenantPayload!", "Changes a tenant. Needs a token for all tenants.", |(), call| {
            Box::pin(async move { update(call).await })
        })
        .arg("input", "TenantUpdateInput!", "The changes.")
        .only_fields()
}

async fn create(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.the_object("input")?);
    payload(scope, scope.app.create_tenant_as(&scope.snapshot, scope.viewer()?, input).await, None)
}

async fn update(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.the_object("input")?);
    let id = input.the_text("id")?;
    // An id that no server handed out answers like one that does not exist: there is no tenant 0.
    let tenant = TenantId::from_opaque(id).unwrap_or(TenantId(0));
    let saved = scope.app.update_tenant(&scope.snapshot, scope.viewer()?, tenant, only_patch(input)).await;
    payload(scope, saved, Some(id))
}

fn payload(scope: &Scope, saved: Result<SavedTenant, StoreError>, id: Option<&str>) -> Result<Node> {
    let mut saved = saved.map_err(|e| scope.surprise(&e))?;
    if let (Err(problems), Some(id)) = (&mut saved, id) {
        tell_as_sent(problems, "id", id);
    }
    Ok(Node::object::<SavedTenant>("TenantPayload", saved))
}
