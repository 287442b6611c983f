//! The query root, and the type of tenants, which has most of the fields.

use async_graphql::Result;
use futures_util::future::try_join_all;

use super::find::list_fields;
use super::nodes::object_node;
use super::pages::MAX_PAGE;
use super::{lint, numbers, options, removal};
use crate::domain::{Kind, ObjectId, TenantId};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Call, FieldSource, Node, ObjectBuilder, RootSource, SchemaField, TenantSource, fields_of, object,
};
use crate::graphql::scope::Scope;
use crate::store::TenantRow;

/// The root fields for tenants and objects.
pub fn root_fields() -> Vec<SchemaField> {
    fields_of::<()>()
        .later(
            "tenant",
            "Tenant",
            "The tenant with this code. Without a code, the selected tenant: the one in the header `X-Tenant`,\n\
             or else the token's. Null if it does not exist for the viewer.",
            |(), call| {
                Box::pin(async move {
                    let code = call.args.text("code")?.map(str::to_owned);
                    Ok(call.scope()?.tenant(code).await?.map_or(Node::Null, tenant_node))
                })
            },
        )
        .arg("code", "String", "The tenant's code, such as `CANISTRACCI`; by default the selected tenant.")
        .source(FieldSource::Root(RootSource::Tenant))
        .later("tenants", "[Tenant!]!", "The tenants that the token has access to, sorted by code.", |(), call| {
            Box::pin(async move { tenants(call).await })
        })
        .source(FieldSource::Root(RootSource::Tenants))
        .later(
            "node",
            "Node",
            "The object or tenant with this id. Null if it does not exist for the viewer.",
            |(), call| Box::pin(async move { node(call.scope()?, call.args.required_text("id")?).await }),
        )
        .arg("id", "ID!", "The opaque id, as returned by every field `id`.")
        .source(FieldSource::Root(RootSource::Node))
        .later(
            "nodes",
            "[Node]!",
            "The objects or tenants with these ids, in the same order; null for each that does not exist for the\n\
             viewer.",
            |(), call| Box::pin(async move { nodes(call).await }),
        )
        .arg("ids", "[ID!]!", "Opaque ids, at most 100.")
        .source(FieldSource::Root(RootSource::Nodes))
        .only_fields()
}

/// The node of a tenant.
pub fn tenant_node(row: TenantRow) -> Node {
    Node::object("Tenant", row)
}

async fn tenants(call: Call<'_>) -> Result<Node> {
    let scope = call.scope()?;
    let tenants = scope.app.visible_tenants(&scope.snapshot, scope.viewer()?).await;
    let tenants = tenants.map_err(|e| scope.store_error(&e))?;
    scope.spend(tenants.len())?;
    Ok(tenants.into_iter().map(tenant_node).collect())
}

async fn nodes(call: Call<'_>) -> Result<Node> {
    let ids = call.args.texts("ids")?.unwrap_or_default();
    if ids.len() as i64 > MAX_PAGE {
        return Err(coded(
            "BAD_USER_INPUT",
            format!("ids must have at most {MAX_PAGE} entries; it has {}.", ids.len()),
        ));
    }
    let scope = call.scope()?;
    Ok(Node::List(try_join_all(ids.into_iter().map(|id| node(scope, id))).await?))
}

async fn node(scope: &Scope, id: &str) -> Result<Node> {
    let viewer = scope.viewer()?;
    if let Some(tenant) = TenantId::from_opaque(id) {
        let row = scope.app.tenant_by_id(&scope.snapshot, viewer, tenant).await.map_err(|e| scope.store_error(&e))?;
        return Ok(row.map_or(Node::Null, tenant_node));
    }
    match ObjectId::from_opaque(id).filter(|id| viewer.sees(id.tenant)) {
        Some(id) => Ok(scope.object(id).await?.map_or(Node::Null, object_node)),
        None => Ok(Node::Null),
    }
}

/// The type of a tenant. `settings` are the fields of its settings, answered from a [`TenantRow`].
pub fn tenant_type(settings: impl IntoIterator<Item = SchemaField>) -> ObjectBuilder<TenantRow> {
    let details = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::VirtualExtension | Kind::FormDefaults));
    let lists = details.copied().chain([Kind::VirtualExtension]).flat_map(list_fields);
    let [_, plan] = removal::plan_fields();
    let [_, lint] = lint::fields();
    object::<TenantRow>("Tenant", "A tenant: a customer with a numbering plan of its own.")
        .implements("Node")
        .now("id", "ID!", "The opaque id; pass it to `node`.", |tenant| tenant.id.opaque().into())
        .source(FieldSource::Tenant(TenantSource::Id))
        .fields(settings)
        .now("revision", "Int!", "The number of changes of the tenant so far.", |tenant| tenant.revision.into())
        .source(FieldSource::Tenant(TenantSource::Revision))
        .later(
            "newVirtualExtension",
            "NewVirtualExtension!",
            "The form of a new virtual extension: the tenant's defaults.",
            |tenant, call| Box::pin(async move { defaults(tenant, call).await }),
        )
        .source(FieldSource::Tenant(TenantSource::Defaults))
        .fields(lists)
        .fields(options::fields())
        .fields(numbers::fields())
        .field(plan)
        .field(lint)
}

async fn defaults(tenant: &TenantRow, call: Call<'_>) -> Result<Node> {
    let id = ObjectId { tenant: tenant.id, local: tenant.defaults };
    let rows = call.scope()?.objects(vec![id]).await?;
    let row = rows.into_iter().next();
    Ok(row.map_or(Node::Null, |row| Node::shared("NewVirtualExtension", row)))
}
