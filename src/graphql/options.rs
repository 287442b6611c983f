//! What a form's selects offer.

use async_graphql::{Context, ID, Object, Result, SimpleObject};

use super::find::{PageInfo, page_length};
use super::mutation::object;
use super::objects::PbxObject;
use super::scope::{Scope, coded};
use crate::domain::{TenantId, opaque};
use crate::service::options;

/// An object that a field can refer to.
#[derive(SimpleObject)]
pub struct Offer {
    /// The object.
    object: Option<PbxObject>,
    /// Whether the field refers to it already.
    chosen: bool,
}

/// An object that a field can refer to, on a page.
#[derive(SimpleObject)]
pub struct OfferEdge {
    /// The object.
    node: Offer,
    /// Where it stands in the whole list: good for `after`.
    cursor: String,
}

/// A page of the objects that a field can refer to.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct OfferConnection {
    /// The objects with their cursors.
    edges: Vec<OfferEdge>,
    /// Where the page stands in the whole list.
    page_info: PageInfo,
}

#[async_graphql::ComplexObject]
impl OfferConnection {
    /// The objects of the page, without their cursors.
    async fn nodes(&self) -> Vec<&Offer> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }
}

/// A field that refers to objects.
#[derive(SimpleObject)]
pub struct ReferringField {
    /// Section and field of a form, such as `information.memberIds`, or kind and field of another object, such as
    /// `queue.members.extensionId`: good for `options(for:)`.
    path: String,
    /// The kinds of objects that it can refer to.
    kinds: Vec<crate::domain::Kind>,
}

/// The option lists of a tenant.
pub(super) struct OptionLists(pub(super) TenantId);

/// The option lists of a tenant.
#[Object]
impl OptionLists {
    /// The objects that a field can refer to, kind by kind, each kind in the order of its own list. What does not fit
    /// the field for another reason than its kind, such as a condition that does not ask the time for working hours, is
    /// left out.
    async fn options(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "for", desc = "The field, such as `information.memberIds`; `optionFields` lists them.")]
        field: String,
        #[graphql(
            desc = "The id of the object that has the field: what it refers to already is marked, and it is not offered itself."
        )]
        of: Option<ID>,
        #[graphql(desc = "Beginnings of words, at most 8, each of which must be found.")] search: Option<String>,
        #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
        #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
    ) -> Result<OfferConnection> {
        let scope = Scope::of(ctx)?;
        let (first, behind) = (page_length(first)?.unsigned_abs() as usize, after.is_some());
        let plain = |cursor: String| opaque::read(&cursor).unwrap_or_default();
        let (of, search) = (of.as_ref().map(object), search.unwrap_or_default());
        let options = options::Options { field, of, search, first, after: after.map(plain) };
        options.check().map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
        let now = scope.app.now();
        scope.snapshot.depends_on_more();
        let offered = scope.read(self.0, move |query| options.page(query, now)).await?;
        scope.spend(offered.rows.len())?;
        let edge = |(row, chosen, cursor): (_, bool, String)| OfferEdge {
            node: Offer { object: PbxObject::of(row), chosen },
            cursor: opaque::write(cursor),
        };
        let edges: Vec<_> = offered.rows.into_iter().map(edge).collect();
        let page_info = PageInfo::of(&edges, |edge| &edge.cursor, offered.more, behind);
        Ok(OfferConnection { edges, page_info })
    }

    /// The fields that refer to objects.
    async fn option_fields(&self) -> Vec<ReferringField> {
        let field = |(path, kinds): (&String, &Vec<_>)| ReferringField { path: path.clone(), kinds: kinds.clone() };
        options::fields().iter().map(field).collect()
    }
}
