//! Where an object is used.

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, Enum, Result, SimpleObject};

use super::find::{PageInfo, page_length};
use super::objects::PbxObject;
use super::scope::{Scope, coded};
use crate::domain::Kind;
use crate::service::label;
use crate::store::{Asked, ObjectRow, ReferenceCount, ReferencePlace, ReferenceRow};

/// How strong a reference is.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum ReferenceStrength {
    /// By id: it keeps the object from being deleted.
    Hard,
    /// By a text that equals the object's number: it is shown, and keeps nothing from being deleted.
    Soft,
}

fn strength(hard: bool) -> ReferenceStrength {
    if hard { ReferenceStrength::Hard } else { ReferenceStrength::Soft }
}

/// A place where an object is used.
#[derive(SimpleObject)]
pub struct ObjectReference {
    /// What refers.
    kind: Kind,
    /// Number and name of what refers.
    label: String,
    /// The field that refers, such as `additionalDestinations.onBusy`.
    slot: String,
    /// Where in the object it does, positions in lists included.
    path: Vec<String>,
    /// Whether it does by id, or by a text that equals the number.
    strength: ReferenceStrength,
    /// What refers; null for the tenant's defaults, which are `newVirtualExtension`.
    object: Option<PbxObject>,
}

impl From<ReferenceRow> for ObjectReference {
    fn from(row: ReferenceRow) -> Self {
        let ReferenceRow { owner, path, hard, .. } = row;
        let field = path.iter().take_while(|step| step.parse::<u32>().is_err()).map(String::as_str).collect::<Vec<_>>();
        Self {
            kind: owner.kind,
            label: label(&owner),
            slot: field.join("."),
            strength: strength(hard),
            path,
            object: PbxObject::of(owner),
        }
    }
}

/// A place where an object is used, on a page.
#[derive(SimpleObject)]
pub struct ObjectReferenceEdge {
    /// The place.
    node: ObjectReference,
    /// Where it stands in the whole list: good for `after`.
    cursor: String,
}

/// How often an object is used by objects of one kind.
#[derive(SimpleObject)]
pub struct ObjectReferenceCount {
    /// What refers.
    kind: Kind,
    /// How.
    strength: ReferenceStrength,
    /// How many places there are.
    count: i64,
}

/// A page of the places where an object is used.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ObjectReferenceConnection {
    /// The places with their cursors.
    edges: Vec<ObjectReferenceEdge>,
    /// Where the page stands in the whole list.
    page_info: PageInfo,
    #[graphql(skip)]
    target: Arc<ObjectRow>,
    #[graphql(skip)]
    kinds: Option<Vec<Kind>>,
}

#[ComplexObject]
impl ObjectReferenceConnection {
    /// The places of the page, without their cursors.
    async fn nodes(&self) -> Vec<&ObjectReference> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// How many places there are on all pages together; counted only when it is selected.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<i64> {
        let counts = Scope::of(ctx)?.reference_counts(&self.target, self.kinds.clone()).await?;
        Ok(counts.iter().map(|count| count.count).sum())
    }

    /// How many places there are on all pages together, by kind and strength.
    async fn counts(&self, ctx: &Context<'_>) -> Result<Vec<ObjectReferenceCount>> {
        let counts = Scope::of(ctx)?.reference_counts(&self.target, self.kinds.clone()).await?;
        let told =
            |ReferenceCount { kind, hard, count }| ObjectReferenceCount { kind, strength: strength(hard), count };
        Ok(counts.into_iter().map(told).collect())
    }
}

/// The page of the places where an object is used.
pub(super) async fn references(
    ctx: &Context<'_>,
    target: &Arc<ObjectRow>,
    first: Option<i64>,
    after: Option<String>,
    kinds: Option<Vec<Kind>>,
) -> Result<ObjectReferenceConnection> {
    let first = page_length(first)?;
    let position = match &after {
        None => None,
        Some(cursor) => Some(
            ReferencePlace::of(cursor)
                .ok_or_else(|| coded("BAD_USER_INPUT", "after must be a cursor that this field has answered."))?,
        ),
    };
    let asked = Asked { kinds: kinds.clone(), after: position, limit: first + 1 };
    let mut rows = Scope::of(ctx)?.references(target, asked).await?;
    let page = usize::try_from(first).unwrap_or_default();
    let more = rows.len() > page;
    rows.truncate(page);
    let edge = |row: ReferenceRow| ObjectReferenceEdge { cursor: row.position.cursor(), node: row.into() };
    let edges: Vec<_> = rows.into_iter().map(edge).collect();
    let page_info = PageInfo::of(&edges, |edge| &edge.cursor, more, after.is_some());
    Ok(ObjectReferenceConnection { edges, page_info, target: Arc::clone(target), kinds })
}
