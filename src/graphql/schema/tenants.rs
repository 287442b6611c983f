//! Creating and changing tenants.

use async_graphql::Result;

use super::mutation::{id_input, only_patch};
use super::problems::{restore_sent_value, user_errors};
use super::query::tenant_node;
use crate::domain::{Problem, TenantId};
use crate::graphql::layer::{
    ArgValues as _, Call, InputValue, Node, SchemaField, SchemaType, fields_of, input, object,
};
use crate::graphql::scope::Scope;
use crate::service::{StoreError, TenantRow};

/// The result of saving a tenant.
type SavedTenant = Result<TenantRow, Vec<Problem>>;

/// The types of the mutations. `settings` are the input fields of a tenant's settings.
pub fn definitions(settings: &[InputValue]) -> [SchemaType; 3] {
    let create = input("TenantCreateInput", "A new tenant.").fields(settings.iter().cloned());
    let update = input(
        "TenantUpdateInput",
        "Changes of a tenant. Fields that are left out stay as they are; `null` clears a field.",
    )
    .fields([id_input("The opaque id of the tenant.")])
    .fields(settings.iter().cloned());
    let payload = object::<SavedTenant>("TenantPayload", "The result of saving a tenant.")
        .now("object", "Tenant", "The tenant as it is saved now; null if nothing was saved.", |saved| {
            saved.as_ref().map_or(Node::Null, |row| tenant_node(row.clone()))
        })
        .now(
            "userErrors",
            "[UserError!]!",
            "Why nothing was saved: all errors at once. Empty if it was saved.",
            |saved| user_errors(saved.as_ref().err().map(Vec::as_slice).unwrap_or_default()),
        );
    [create.into(), update.into(), payload.into()]
}

/// The mutations of tenants.
pub fn fields() -> Vec<SchemaField> {
    fields_of::<()>()
        .later(
            "tenantCreate",
            "TenantPayload!",
            "Creates a tenant, with defaults for its new virtual extensions. Requires a token for all tenants.",
            |(), call| Box::pin(async move { create(call).await }),
        )
        .arg("input", "TenantCreateInput!", "The new tenant.")
        .later("tenantUpdate", "TenantPayload!", "Changes a tenant. Requires a token for all tenants.", |(), call| {
            Box::pin(async move { update(call).await })
        })
        .arg("input", "TenantUpdateInput!", "The changes.")
        .only_fields()
}

async fn create(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.required_object("input")?);
    payload(scope, scope.app.create_tenant_as(&scope.snapshot, scope.viewer()?, input).await, None)
}

async fn update(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.required_object("input")?);
    let id = input.required_text("id")?;
    // An id that no server has issued behaves like one that does not exist: there is no tenant 0.
    let tenant = TenantId::from_opaque(id).unwrap_or(TenantId(0));
    let saved = scope.app.update_tenant(&scope.snapshot, scope.viewer()?, tenant, only_patch(input)).await;
    payload(scope, saved, Some(id))
}

fn payload(scope: &Scope, saved: Result<SavedTenant, StoreError>, id: Option<&str>) -> Result<Node> {
    let mut saved = saved.map_err(|e| scope.store_error(&e))?;
    if let (Err(problems), Some(id)) = (&mut saved, id) {
        restore_sent_value(problems, "id", id);
    }
    Ok(Node::object::<SavedTenant>("TenantPayload", saved))
}
