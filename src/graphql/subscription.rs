//! What can be followed. How to add one more: a field here, whose stream renews nothing and keeps no read open while it
//! waits, and a rule for its arguments in the sweep (`tests/it/probes.rs`).

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, Selection};
use async_graphql::{Context, Enum, ID, Name, Object, Result, ServerError, Subscription};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::find::MOST;
use super::mutation::FieldChange;
use super::objects::PbxObject;
use super::scope::{Nullable, Scope, coded};
use crate::domain::{DateTime, Kind, ObjectId, TenantId};
use crate::service::{Follower, Following, Heard, read_place, write_place};
use crate::store::{self, FeedPlace, FeedRow};

/// What can be followed.
#[derive(Default)]
pub struct Subscriptions;

/// What can be followed.
#[Subscription(name = "Subscription")]
impl Subscriptions {
    /// The changes of a tenant's objects, one event for each object that a save or a delete changes, in the order in
    /// which they were saved. Without a place to begin at, it begins now. An event that was missed is had again with
    /// `after` and the last cursor, so that there is neither a gap nor an event twice.
    async fn object_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The tenant's code; left out, the selected tenant: that of the header `X-Tenant`, or else the token's."
        )]
        tenant: Option<String>,
        #[graphql(
            desc = "A revision of the tenant, as `Tenant.revision` answers it: begins with what changed after it."
        )]
        since: Option<i64>,
        #[graphql(desc = "The cursor of an event: begins with the one behind it. Not together with since.")]
        after: Option<String>,
        #[graphql(desc = "Only objects of these kinds; left out, of all.")] kinds: Option<Vec<Kind>>,
        #[graphql(desc = "Only the objects with these opaque ids, at most 100; left out, all.")] ids: Option<Vec<ID>>,
    ) -> Result<BoxStream<'static, Result<ChangeRecord>>> {
        let scope = Scope::of(ctx)?;
        let viewer = scope.viewer()?.clone();
        let row = scope.tenant(tenant).await?.ok_or_else(|| coded("NOT_FOUND", "There is no such tenant."))?;
        let place = match (since, after) {
            (None, None) => FeedPlace::behind(row.revision),
            (Some(revision), None) => FeedPlace::behind(revision),
            (None, Some(cursor)) => read_place(&cursor)
                .ok_or_else(|| coded("BAD_USER_INPUT", "after must be the cursor of an event of objectChanged."))?,
            (Some(_), Some(_)) => return Err(coded("BAD_USER_INPUT", "since and after cannot be given together.")),
        };
        if place.revision > row.revision {
            let sentence = format!(
                "The tenant is at revision {}, before the place to begin at: its data was restored. Read it anew.",
                row.revision
            );
            return Err(coded("BAD_USER_INPUT", sentence));
        }
        if ids.as_ref().is_some_and(|ids| ids.len() as i64 > MOST) {
            return Err(coded("BAD_USER_INPUT", format!("ids must have at most {MOST} entries.")));
        }
        // An id of nobody, and one of another tenant, are ids to which nothing happens.
        let own = |id: ID| ObjectId::of_opaque(&id).filter(|id| id.tenant == row.id).map(|id| id.local);
        let following = Following { kinds, objects: ids.map(|ids| ids.into_iter().filter_map(own).collect()) };
        let follower = scope.app.follow(Arc::clone(&scope.snapshot), viewer, row.id, place, following);
        Ok(records(follower, row.id, scope.request_id.clone()))
    }
}

/// The records that a follower hears of; ends with the first error.
fn records(follower: Follower, tenant: TenantId, request_id: String) -> BoxStream<'static, Result<ChangeRecord>> {
    let next = move |follower: Option<Follower>| {
        let request_id = request_id.clone();
        async move {
            let mut follower = follower?;
            let record = match follower.next().await {
                Ok(Heard::Change(row)) => return Some((Ok(ChangeRecord { tenant, row }), Some(follower))),
                Ok(Heard::Closed) => Err(coded("UNAUTHENTICATED", "The token no longer opens the tenant.")),
                Err(error) => Err(super::scope::surprise(&error, &request_id)),
            };
            Some((record, None))
        }
    };
    stream::unfold(Some(follower), next).boxed()
}

/// What a change did to an object.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum ChangeAction {
    /// It was made.
    Created,
    /// It was saved.
    Updated,
    /// It was deleted.
    Deleted,
}

/// A change of an object, as it is kept.
pub struct ChangeRecord {
    tenant: TenantId,
    row: FeedRow,
}

impl ChangeRecord {
    fn key(&self) -> ObjectId {
        ObjectId { tenant: self.tenant, local: self.row.place.object }
    }
}

/// A change of an object, as it is kept.
#[Object]
impl ChangeRecord {
    /// The place of the change, good for `after`.
    async fn cursor(&self) -> String {
        write_place(self.row.place)
    }

    /// Which change of the tenant it was. Changes that were saved together have the same.
    async fn revision(&self) -> i64 {
        self.row.place.revision
    }

    /// When it was saved.
    async fn changed_at(&self) -> DateTime {
        self.row.at
    }

    /// The name of the token that asked for it.
    async fn actor(&self) -> &str {
        &self.row.actor
    }

    /// What it did to the object.
    async fn action(&self) -> ChangeAction {
        match self.row.place.version {
            _ if self.row.deleted => ChangeAction::Deleted,
            1 => ChangeAction::Created,
            _ => ChangeAction::Updated,
        }
    }

    /// The opaque id of the object, also of one that is gone.
    async fn object_id(&self) -> ID {
        self.key().opaque()
    }

    /// What the object is, or was. Null for one that was deleted by a program that did not keep this yet.
    async fn kind(&self) -> Option<Kind> {
        self.row.kind
    }

    /// The version of the object that the change made.
    async fn version(&self) -> i64 {
        self.row.place.version
    }

    /// The object as it is now, which may be later than the change. Null when it is gone, and for the tenant's defaults.
    async fn object(&self, ctx: &Context<'_>) -> Nullable<PbxObject> {
        let found = async { Ok(Scope::of(ctx)?.object(self.key()).await?.and_then(PbxObject::of)) };
        found.await.transpose()
    }

    /// The fields that it changed, by path.
    async fn changes(&self, ctx: &Context<'_>) -> Result<Vec<FieldChange>> {
        let FeedPlace { object, version, .. } = self.row.place;
        let read = move |query: &mut store::Query<'_>| store::fields_of_change(query, object, version);
        let fields = Scope::of(ctx)?.read(self.tenant, read).await?;
        Ok(fields.into_iter().map(|[path, before, after]| FieldChange { path, before, after }).collect())
    }
}

/// Checks what the executor does not: that a subscription has exactly one field (GraphQL, section 5.2.3.1), and that it
/// stands there itself, since the executor passes over fragments there.
pub(super) fn check(document: &ExecutableDocument, name: Option<&str>) -> Result<(), ServerError> {
    let operations = document.operations.iter().filter(|(own, _)| name.is_none() || own.map(Name::as_str) == name);
    for (_, operation) in operations {
        let selections = &operation.node.selection_set.node.items;
        let plain = |selection: &Selection| match selection {
            Selection::Field(field) => !field.node.name.node.starts_with("__") && field.node.directives.is_empty(),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        };
        if !matches!(selections.as_slice(), [one] if plain(&one.node)) {
            let sentence = "A subscription has exactly one field, without a directive and not in a fragment.";
            return Err(ServerError::new(sentence, Some(operation.pos)));
        }
    }
    Ok(())
}
