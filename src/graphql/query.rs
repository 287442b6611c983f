//! What can be asked.

use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object, Result};

use super::find::{Lists, MOST};
use super::form::{NewVirtualExtension, VirtualExtension};
use super::numbers::Numbers;
use super::objects::*;
use super::options::OptionLists;
use super::scope::{Nullable, Scope, coded};
use crate::domain::{ObjectId, TenantId};
use crate::objects::{TenantSettings, each_detail};
use crate::service::TenantRow;
use crate::store::ObjectRow;

/// What can be asked.
#[derive(Default)]
pub struct RootQuery;

/// What can be asked.
#[Object]
impl RootQuery {
    /// The tenant with this code; without one, the selected tenant: that of the header `X-Tenant`, or else the token's.
    /// Null when it does not exist for who asks.
    async fn tenant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The tenant's code, such as `CANISTRACCI`.")] code: Option<String>,
    ) -> Nullable<Tenant> {
        let found = async { Ok(Scope::of(ctx)?.tenant(code).await?.map(Tenant)) };
        found.await.transpose()
    }

    /// The tenants that the token opens, by code.
    async fn tenants(&self, ctx: &Context<'_>) -> Result<Vec<Tenant>> {
        let scope = Scope::of(ctx)?;
        let tenants = scope.app.visible_tenants(&scope.snapshot, scope.viewer()?).await;
        let tenants = tenants.map_err(|e| scope.surprise(&e))?;
        scope.spend(tenants.len())?;
        Ok(tenants.into_iter().map(Tenant).collect())
    }

    /// The object or tenant with this id. Null when it does not exist for who asks.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The opaque id, as every `id` field answers it.")] id: ID,
    ) -> Nullable<Node> {
        node(ctx, id).await.transpose()
    }

    /// The objects or tenants with these ids, in their order; null for each that does not exist for who asks.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Opaque ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() as i64 > MOST {
            return Err(coded(
                "BAD_USER_INPUT",
                format!("ids must have at most {MOST} entries; it has {}.", ids.len()),
            ));
        }
        futures_util::future::try_join_all(ids.into_iter().map(|id| node(ctx, id))).await
    }
}

async fn node(ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
    let scope = Scope::of(ctx)?;
    let viewer = scope.viewer()?;
    if let Some(tenant) = TenantId::of_opaque(&id) {
        let row = scope.app.tenant_by_id(&scope.snapshot, viewer, tenant).await.map_err(|e| scope.surprise(&e))?;
        return Ok(row.map(|row| Node::Tenant(Tenant(row))));
    }
    match ObjectId::of_opaque(&id).filter(|id| viewer.sees(id.tenant)) {
        Some(id) => Ok(scope.object(id).await?.and_then(Node::of)),
        None => Ok(None),
    }
}

macro_rules! nodes {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        /// Whatever has an id of its own.
        #[derive(Interface)]
        #[graphql(field(name = "id", ty = "ID", desc = "The opaque id, good for `node`."))]
        pub enum Node {
            /// A tenant.
            Tenant(Tenant),
            /// A virtual extension.
            VirtualExtension(VirtualExtension),
            $(#[doc = concat!("See `", stringify!($Kind), "`.")] $Kind($Kind),)+
        }

        impl Node {
            fn of(row: Arc<ObjectRow>) -> Option<Self> {
                Some(match PbxObject::of(row)? {
                    PbxObject::VirtualExtension(object) => Self::VirtualExtension(object),
                    $(PbxObject::$Kind(object) => Self::$Kind(object),)+
                })
            }
        }
    };
}
each_detail!(nodes);

/// A tenant: a customer with a numbering plan of its own.
pub struct Tenant(pub(super) TenantRow);

/// A tenant: a customer with a numbering plan of its own.
#[Object]
impl Tenant {
    /// The opaque id, good for `node`.
    pub(super) async fn id(&self) -> ID {
        self.0.id.opaque()
    }

    #[graphql(flatten)]
    fn settings(&self) -> &TenantSettings {
        &self.0.settings
    }

    /// Counts the changes of the tenant.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// The form that a new virtual extension opens with: the tenant's defaults.
    async fn new_virtual_extension(&self, ctx: &Context<'_>) -> Result<NewVirtualExtension> {
        let id = ObjectId { tenant: self.0.id, local: self.0.defaults };
        let mut rows = Scope::of(ctx)?.objects(vec![id]).await?;
        rows.pop().map(NewVirtualExtension).ok_or_else(|| coded("INTERNAL", "Something went wrong in the server."))
    }

    #[graphql(flatten)]
    fn lists(&self) -> Lists {
        Lists(self.0.id)
    }

    #[graphql(flatten)]
    fn option_lists(&self) -> OptionLists {
        OptionLists(self.0.id)
    }

    #[graphql(flatten)]
    fn numbers(&self) -> Numbers {
        Numbers(self.0.id)
    }
}
