//! Lists of every kind: pages of them, single objects, and what of them is asked.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, ObjectType, OneofObject, Result, SimpleObject, TypeName};

use super::filter::{Conditions, ObjectFilter, ObjectOrder, VirtualExtensionFilter};
use super::form::VirtualExtension;
use super::objects::*;
use super::scope::{Nullable, Scope, coded};
use crate::domain::{ExtensionNumber, ExtensionNumberSent, Kind, ObjectId, Scalar as _, TenantId};
use crate::objects::each_detail;
use crate::service::find::{Find, Page};
use crate::store::{self, ObjectRow};

/// How many entries a page has when the client does not say.
pub(super) const PAGE: i64 = 20;
/// The most entries of a page, and the most ids of `nodes`.
pub(super) const MOST: i64 = 100;

/// How an object is found: exactly one field is given.
#[derive(OneofObject)]
pub enum ObjectBy {
    /// Its opaque id.
    Id(ID),
    /// The number that is dialled for it.
    Number(ExtensionNumberSent),
    /// Its name, whatever its capitals and accents; nothing is found when several objects of the kind have it.
    Name(String),
}

/// A page of objects of one kind.
pub struct Connection<N> {
    page: Page,
    find: Find,
    tenant: TenantId,
    behind: bool,
    node: PhantomData<fn() -> N>,
}

/// An object on a page.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Edge<N: Listed> {
    /// The object.
    node: N,
    /// Where the object stands in the whole list: good for `after`, with the same `orderBy`.
    cursor: String,
}

/// Where a page stands in the whole list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// Whether there are entries behind the page.
    has_next_page: bool,
    /// Whether there are entries before the page.
    has_previous_page: bool,
    /// The cursor of the page's first entry; null on an empty page.
    start_cursor: Option<String>,
    /// The cursor of the page's last entry; null on an empty page. Of a lint that stopped early, where it goes on.
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Of a page with these entries: whether there are more behind it, and whether it was asked for behind a cursor.
    pub(super) fn of<E>(entries: &[E], cursor: impl Fn(&E) -> &String, more: bool, behind: bool) -> Self {
        let [start_cursor, end_cursor] = [entries.first(), entries.last()].map(|entry| entry.map(&cursor).cloned());
        Self { has_next_page: more, has_previous_page: behind, start_cursor, end_cursor }
    }

    /// With another place to go on at than behind the last entry, if there is one.
    pub(super) fn going_on(self, at: Option<String>) -> Self {
        Self { end_cursor: at.or(self.end_cursor), ..self }
    }
}

/// The length of a page that a client asks for, or does not.
pub(super) fn page_length(first: Option<i64>) -> Result<i64> {
    let first = first.unwrap_or(PAGE);
    if (1..=MOST).contains(&first) {
        Ok(first)
    } else {
        Err(refused(format!("first must be 1 to {MOST}; it is {first}.")))
    }
}

/// A type whose objects stand in lists.
pub trait Listed: ObjectType + Send + Sync {
    /// The object of a row.
    fn of(row: Arc<ObjectRow>) -> Self;
}

impl<N: Listed> TypeName for Connection<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", N::type_name()).into()
    }
}

impl<N: Listed> TypeName for Edge<N> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", N::type_name()).into()
    }
}

/// A page of objects of one kind.
#[Object(name_type)]
impl<N: Listed> Connection<N> {
    /// The objects with their cursors.
    async fn edges(&self) -> Vec<Edge<N>> {
        let edge =
            |(row, cursor): &(Arc<ObjectRow>, String)| Edge { node: N::of(Arc::clone(row)), cursor: cursor.clone() };
        self.page.rows.iter().map(edge).collect()
    }

    /// The objects of the page, without their cursors.
    async fn nodes(&self) -> Vec<N> {
        self.page.rows.iter().map(|(row, _)| N::of(Arc::clone(row))).collect()
    }

    /// Where the page stands in the whole list.
    async fn page_info(&self) -> PageInfo {
        PageInfo::of(&self.page.rows, |(_, cursor)| cursor, self.page.more, self.behind)
    }

    /// How many there are on all pages together; counted only when it is selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        total_count(ctx, self.tenant, self.find.clone()).await
    }
}

async fn total_count(ctx: &Context<'_>, tenant: TenantId, find: Find) -> Result<i64> {
    Scope::of(ctx)?.read(tenant, move |query| find.count(query)).await
}

/// The arguments of a list.
struct Asked<F> {
    first: Option<i64>,
    after: Option<String>,
    filter: Option<F>,
    order_by: Option<ObjectOrder>,
    search: Option<String>,
}

fn refused(sentence: impl Into<String>) -> async_graphql::Error {
    coded("BAD_USER_INPUT", sentence)
}

impl<F: Conditions> Asked<F> {
    /// What is looked for, the length of the page and the cursor before it.
    fn find(self, kind: Kind) -> Result<(Find, i64, Option<String>)> {
        let mut find = Find::all(kind);
        if let Some(filter) = self.filter {
            find = find.filtered(super::filter::filter(filter).map_err(refused)?);
        }
        if let Some(order) = self.order_by {
            find = find.in_order(order.field, order.direction);
        }
        let find = find.searched(self.search.as_deref().unwrap_or_default()).map_err(refused)?;
        Ok((find, page_length(self.first)?, self.after))
    }
}

async fn connection<N>(
    ctx: &Context<'_>,
    tenant: TenantId,
    asked: Result<(Find, i64, Option<String>)>,
) -> Result<Connection<N>> {
    let (page, find, behind) = page(ctx, tenant, asked?).await?;
    Ok(Connection { page, find, tenant, behind, node: PhantomData })
}

async fn page(
    ctx: &Context<'_>,
    tenant: TenantId,
    (find, first, after): (Find, i64, Option<String>),
) -> Result<(Page, Find, bool)> {
    let wrong = || refused("after must be a cursor that this field has answered with the same orderBy.");
    let after = after.map(|cursor| find.place(&cursor).ok_or_else(wrong)).transpose()?;
    let behind = after.is_some();
    let looking = find.clone();
    let page = move |query: &mut store::Query<'_>| looking.page(query, first.unsigned_abs() as usize, after.as_ref());
    let scope = Scope::of(ctx)?;
    let page = scope.read(tenant, page).await?;
    scope.spend(page.rows.len())?;
    Ok((page, find, behind))
}

/// The one object of a kind that is meant.
async fn one(ctx: &Context<'_>, tenant: TenantId, kind: Kind, by: ObjectBy) -> Result<Option<Arc<ObjectRow>>> {
    let scope = Scope::of(ctx)?;
    let row = match by {
        ObjectBy::Id(id) => match ObjectId::of_opaque(&id).filter(|id| id.tenant == tenant) {
            Some(id) => scope.object(id).await?,
            None => None,
        },
        ObjectBy::Number(number) => match ExtensionNumber::parse(&number) {
            Ok(number) => {
                scope.read(tenant, move |query| store::plain_row(query, number.as_str())).await?.map(Arc::new)
            }
            Err(_) => None,
        },
        ObjectBy::Name(name) => {
            scope.read(tenant, move |query| store::only_named(query, kind, &name)).await?.map(Arc::new)
        }
    };
    Ok(row.filter(|row| row.kind == kind))
}

macro_rules! lists {
    ($($Kind:ident / $field:ident / $list:ident $(/ $name:ident)*,)+) => {
        $(impl Listed for $Kind {
            fn of(row: Arc<ObjectRow>) -> Self {
                Self(row)
            }
        })+

        /// The lists of a tenant.
        pub(super) struct Lists(pub(super) TenantId);

        /// The lists of a tenant.
        #[Object]
        impl Lists {
            $(#[doc = concat!("The one `", stringify!($Kind), "` that is meant. Null when the tenant has no such one.")]
            async fn $field(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "Which one.")] by: ObjectBy,
            ) -> Nullable<$Kind> {
                one(ctx, self.0, Kind::$Kind, by).await.map(|row| row.map($Kind)).transpose()
            }

            #[doc = concat!("Every `", stringify!($Kind), "` of the tenant, by name unless `orderBy` says otherwise.")]
            async fn $list(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
                #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
                #[graphql(desc = "What is let through; left out, everything.")] filter: Option<ObjectFilter>,
                #[graphql(desc = "The order; left out, by name.")] order_by: Option<ObjectOrder>,
                #[graphql(desc = "Beginnings of words, at most 8, each of which must be found in number, name or description.")] search: Option<String>,
            ) -> Result<Connection<$Kind>> {
                let asked = Asked { first, after, filter, order_by, search };
                connection(ctx, self.0, asked.find(Kind::$Kind)).await
            })+

            /// One virtual extension. Null when the tenant has no such one.
            async fn virtual_extension(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "Which one.")] by: ObjectBy,
            ) -> Nullable<VirtualExtension> {
                one(ctx, self.0, Kind::VirtualExtension, by).await.map(|row| row.map(VirtualExtension)).transpose()
            }

            /// The virtual extensions, by number unless `orderBy` says otherwise: in the order of the numbers' digits from
            /// left to right.
            async fn virtual_extensions(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
                #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
                #[graphql(desc = "What is let through; left out, everything.")] filter: Option<VirtualExtensionFilter>,
                #[graphql(desc = "The order; left out, by number.")] order_by: Option<ObjectOrder>,
                #[graphql(desc = "Beginnings of words, at most 8, each of which must be found in number, name, description, reference id, branch or department.")] search: Option<String>,
            ) -> Result<Connection<VirtualExtension>> {
                let asked = Asked { first, after, filter, order_by, search };
                connection(ctx, self.0, asked.find(Kind::VirtualExtension)).await
            }
        }
    };
}
each_detail!(lists);

impl Listed for VirtualExtension {
    fn of(row: Arc<ObjectRow>) -> Self {
        Self(row)
    }
}
