//! What can be asked.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, ID, Interface, Object, OneofObject, Result, SimpleObject};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::form::{NewVirtualExtension, VirtualExtension};
use super::objects::*;
use super::scope::{Scope, coded};
use crate::domain::{ExtensionNumber, ExtensionNumberSent, Kind, ObjectId, Scalar, TenantId};
use crate::objects::{TenantSettings, each_detail};
use crate::service::TenantRow;
use crate::store::{self, ObjectRow};

/// How many entries a page has when the client does not say.
const PAGE: i64 = 20;
/// The most entries of a page, and the most ids of `nodes`.
const MOST: i64 = 100;

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
    ) -> Result<Option<Tenant>> {
        Ok(Scope::of(ctx)?.tenant(code).await?.map(Tenant))
    }

    /// The tenants that the token opens, by code.
    async fn tenants(&self, ctx: &Context<'_>) -> Result<Vec<Tenant>> {
        let scope = Scope::of(ctx)?;
        let tenants = scope.app.visible_tenants(&scope.snapshot, scope.viewer()?).await;
        Ok(tenants.map_err(|e| scope.surprise(&e))?.into_iter().map(Tenant).collect())
    }

    /// The object or tenant with this id. Null when it does not exist for who asks.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The opaque id, as every `id` field answers it.")] id: ID,
    ) -> Result<Option<Node>> {
        node(ctx, id).await
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

/// How a virtual extension is found: exactly one field is given.
#[derive(OneofObject)]
pub enum VirtualExtensionBy {
    /// Its opaque id.
    Id(ID),
    /// The number that is dialled for it.
    Number(ExtensionNumberSent),
}

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

    /// One virtual extension. Null when the tenant has no such one.
    async fn virtual_extension(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] by: VirtualExtensionBy,
    ) -> Result<Option<VirtualExtension>> {
        let (scope, tenant) = (Scope::of(ctx)?, self.0.id);
        let row = match by {
            VirtualExtensionBy::Id(id) => match ObjectId::of_opaque(&id).filter(|id| id.tenant == tenant) {
                Some(id) => scope.object(id).await?,
                None => None,
            },
            VirtualExtensionBy::Number(number) => {
                scope.read(tenant, move |query| store::plain_row(query, &number.0)).await?.map(Arc::new)
            }
        };
        Ok(row.filter(|row| row.kind == Kind::VirtualExtension).map(VirtualExtension))
    }

    /// The form that a new virtual extension opens with: the tenant's defaults.
    async fn new_virtual_extension(&self, ctx: &Context<'_>) -> Result<NewVirtualExtension> {
        let id = ObjectId { tenant: self.0.id, local: self.0.defaults };
        let mut rows = Scope::of(ctx)?.objects(vec![id]).await?;
        rows.pop().map(NewVirtualExtension).ok_or_else(|| coded("INTERNAL", "Something went wrong in the server."))
    }

    /// The virtual extensions by number, in the order of the numbers' digits from left to right.
    async fn virtual_extensions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
        #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
    ) -> Result<VirtualExtensionConnection> {
        let first = page_length(first)?;
        let start = match &after {
            None => String::new(),
            Some(cursor) => number_of(cursor)
                .ok_or_else(|| coded("BAD_USER_INPUT", "after must be a cursor that this field has answered."))?,
        };
        let mut rows = Scope::of(ctx)?
            .read(self.0.id, move |query| store::numbers_after(query, Kind::VirtualExtension, &start, first + 1))
            .await?;
        let page = usize::try_from(first).unwrap_or_default();
        let more = rows.len() > page;
        rows.truncate(page);
        let edge = |row: ObjectRow| VirtualExtensionEdge {
            cursor: cursor(row.number.as_deref().unwrap_or_default()),
            node: VirtualExtension(Arc::new(row)),
        };
        let edges: Vec<_> = rows.into_iter().map(edge).collect();
        let page_info = PageInfo {
            has_next_page: more,
            has_previous_page: after.is_some(),
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(VirtualExtensionConnection { edges, page_info, tenant: self.0.id })
    }
}

/// A page of virtual extensions.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct VirtualExtensionConnection {
    /// The extensions with their cursors.
    edges: Vec<VirtualExtensionEdge>,
    /// Where the page stands in the whole list.
    page_info: PageInfo,
    #[graphql(skip)]
    tenant: TenantId,
}

#[ComplexObject]
impl VirtualExtensionConnection {
    /// The extensions of the page, without their cursors.
    async fn nodes(&self) -> Vec<&VirtualExtension> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// How many there are on all pages together; counted only when it is selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        Scope::of(ctx)?.read(self.tenant, |query| store::count(query, Kind::VirtualExtension)).await
    }
}

/// An extension on a page.
#[derive(SimpleObject)]
pub struct VirtualExtensionEdge {
    /// The extension.
    node: VirtualExtension,
    /// Where the extension stands in the whole list: good for `after`.
    cursor: String,
}

/// Where a page stands in the whole list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether there are entries behind the page.
    pub(super) has_next_page: bool,
    /// Whether there are entries before the page.
    pub(super) has_previous_page: bool,
    /// The cursor of the page's first entry; null on an empty page.
    pub(super) start_cursor: Option<String>,
    /// The cursor of the page's last entry; null on an empty page.
    pub(super) end_cursor: Option<String>,
}

/// The length of a page that a client asks for, or does not.
pub(super) fn page_length(first: Option<i64>) -> Result<i64> {
    let first = first.unwrap_or(PAGE);
    if (1..=MOST).contains(&first) {
        Ok(first)
    } else {
        Err(coded("BAD_USER_INPUT", format!("first must be 1 to {MOST}; it is {first}.")))
    }
}

/// Cursors are the numbers that the list is sorted by, made opaque like ids.
fn cursor(number: &str) -> String {
    URL_SAFE_NO_PAD.encode(number)
}

/// The number behind a cursor; `None` for what this server did not answer.
fn number_of(cursor: &str) -> Option<String> {
    let number = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    <ExtensionNumber as Scalar>::parse(&ExtensionNumberSent(number)).ok().map(|number| number.as_str().to_owned())
}
