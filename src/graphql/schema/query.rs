//! What can be asked, and the tenant below which the most of it stands.

use async_graphql::Result;
use futures_util::future::try_join_all;

use super::find::list_fields;
use super::nodes::node_of;
use super::pages::MOST;
use super::{lint, numbers, options, removal};
use crate::domain::{Kind, ObjectId, TenantId};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    Call, FieldSource, Given as _, Node, ObjectBuilder, OfRoot, OfTenant, SchemaField, fields_of, object,
};
use crate::graphql::scope::Scope;
use crate::store::TenantRow;

/// The root fields that look at tenants and objects.
pub fn root_fields() -> Vec<SchemaField> {
    fields_of::<()>()
        .later(
            "tenant",
            "Tenant",
            "The tenant with this code; without one, the selected tenant: that of the header `X-Tenant`, or else the token's.\n\
             Null when it does not exist for who asks.",
            |(), call| {
                Box::pin(async move {
                    let code = call.args.text("code")?.map(str::to_owned);
                    Ok(call.scope()?.tenant(code).await?.map_or(Node::Null, tenant_node))
                })
            },
        )
        .arg("code", "String", "The tenant's code, such as `CANISTRACCI`.")
        .read(FieldSource::Root(OfRoot::Tenant))
        .later("tenants", "[Tenant!]!", "The tenants that the token opens, by code.", |(), call| {
            Box::pin(async move { tenants(call).await })
        })
        .read(FieldSource::Root(OfRoot::Tenants))
        .later("node", "Node", "The object or tenant with this id. Null when it does not exist for who asks.", |(), call| {
            Box::pin(async move { node(call.scope()?, call.args.the_text("id")?).await })
        })
        .arg("id", "ID!", "The opaque id, as every `id` field answers it.")
        .read(FieldSource::Root(OfRoot::Node))
        .later(
            "nodes",
            "[Node]!",
            "The objects or tenants with these ids, in their order; null for each that does not exist for who asks.",
            |(), call| Box::pin(async move { nodes(call).await }),
        )
        .arg("ids", "[ID!]!", "Opaque ids, at most 100.")
        .read(FieldSource::Root(OfRoot::Nodes))
        .only_fields()
}

/// A tenant as its own type.
pub fn tenant_node(row: TenantRow) -> Node {
    Node::object("Tenant", row)
}

async fn tenants(call: Call<'_>) -> Result<Node> {
    let scope = call.scope()?;
    let tenants = scope.app.visible_tenants(&scope.snapshot, scope.viewer()?).await;
    let tenants = tenants.map_err(|e| scope.surprise(&e))?;
    scope.spend(tenants.len())?;
    Ok(tenants.into_iter().map(tenant_node).collect())
}

async fn nodes(call: Call<'_>) -> Result<Node> {
    let ids = call.args.texts("ids")?.unwrap_or_default();
    if ids.len() as i64 > MOST {
        return Err(coded("BAD_USER_INPUT", format!("ids must have at most {MOST} entries; it has {}.", ids.len())));
    }
    let scope = call.scope()?;
    Ok(Node::List(try_join_all(ids.into_iter().map(|id| node(scope, id))).await?))
}

async fn node(scope: &Scope, id: &str) -> Result<Node> {
    let viewer = scope.viewer()?;
    if let Some(tenant) = TenantId::from_opaque(id) {
        let row = scope.app.tenant_by_id(&scope.snapshot, viewer, tenant).await.map_err(|e| scope.surprise(&e))?;
        return Ok(row.map_or(Node::Null, tenant_node));
    }
    match ObjectId::from_opaque(id).filter(|id| viewer.sees(id.tenant)) {
        Some(id) => Ok(scope.object(id).await?.map_or(Node::Null, node_of)),
        None => Ok(Node::Null),
    }
}

/// The type of a tenant. `settings` are the fields of what it is, answered from a [`TenantRow`].
pub fn tenant_type(settings: impl IntoIterator<Item = SchemaField>) -> ObjectBuilder<TenantRow> {
    let details = Kind::ALL.iter().filter(|kind| !matches!(kind, Kind::VirtualExtension | Kind::FormDefaults));
    let lists = details.copied().chain([Kind::VirtualExtension]).flat_map(list_fields);
    let [_, plan] = removal::plan_fields();
    let [_, lint] = lint::fields();
    object::<TenantRow>("Tenant", "A tenant: a customer with a numbering plan of its own.")
        .implements("Node")
        .now("id", "ID!", "The opaque id, good for `node`.", |tenant| tenant.id.opaque().into())
        .read(FieldSource::Tenant(OfTenant::Id))
        .fields(settings)
        .now("revision", "Int!", "Counts the changes of the tenant.", |tenant| tenant.revision.into())
        .read(FieldSource::Tenant(OfTenant::Revision))
        .later(
            "newVirtualExtension",
            "NewVirtualExtension!",
            "The form that a new virtual extension opens with: the tenant's defaults.",
            |tenant, call| Box::pin(async move { defaults(tenant, call).await }),
        )
        .read(FieldSource::Tenant(OfTenant::Defaults))
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
