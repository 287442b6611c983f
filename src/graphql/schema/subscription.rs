//! What can be followed. How to add one more: a field here, whose stream renews nothing and keeps no read open while it
//! waits, and a rule for its arguments in the sweep (`tests/it/probes.rs`).

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, Selection};
use async_graphql::{Name, Result, ServerError};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::nodes::node_of;
use super::pages::{MOST, kinds, kinds_arg};
use super::problems::ChangedField;
use super::shapes::choice;
use crate::domain::{Kind, ObjectId, Scalar as _, TenantId};
use crate::graphql::errors::{coded, surprise};
use crate::graphql::layer::{
    Call, Given as _, InputValue, Node, ObjectBuilder, Resolver, SchemaField, SchemaType, object,
};
use crate::service::{ChangeAction, FeedEvent, FeedFilter, Follower, decode_place, encode_place};
use crate::store::{self, FeedPlace, FeedRow};

/// A change of an object, as it is kept.
struct ChangeRecord {
    tenant: TenantId,
    row: FeedRow,
}

impl ChangeRecord {
    fn key(&self) -> ObjectId {
        ObjectId { tenant: self.tenant, local: self.row.place.object }
    }

    fn action(&self) -> ChangeAction {
        match self.row.place.version {
            _ if self.row.deleted => ChangeAction::Deleted,
            1 => ChangeAction::Created,
            _ => ChangeAction::Updated,
        }
    }
}

/// The types of events.
pub fn definitions() -> [SchemaType; 2] {
    [choice(ChangeAction::TYPE).into(), record().into()]
}

fn record() -> ObjectBuilder<ChangeRecord> {
    object::<ChangeRecord>("ChangeRecord", "A change of an object, as it is kept.")
        .now("cursor", "String!", "The place of the change, good for `after`.", |record| {
            encode_place(record.row.place).into()
        })
        .now(
            "revision",
            "Int!",
            "Which change of the tenant it was. Changes that were saved together have the same.",
            |record| record.row.place.revision.into(),
        )
        .now("changedAt", "DateTime!", "When it was saved.", |record| record.row.at.answer().into())
        .now("actor", "String!", "The name of the token that asked for it.", |record| record.row.actor.as_str().into())
        .now("action", "ChangeAction!", "What it did to the object.", |record| record.action().word().into())
        .now("objectId", "ID!", "The opaque id of the object, also of one that is gone.", |record| {
            record.key().opaque().into()
        })
        .now(
            "kind",
            "Kind",
            "What the object is, or was. Null for one that was deleted by a program that did not keep this yet.",
            |record| record.row.kind.map(Kind::word).into(),
        )
        .now("version", "Int!", "The version of the object that the change made.", |record| {
            record.row.place.version.into()
        })
        .later(
            "object",
            "PbxObject",
            "The object as it is now, which may be later than the change. Null when it is gone, and for the tenant's defaults.",
            |record, call| {
                Box::pin(async move { Ok(call.scope()?.object(record.key()).await?.map_or(Node::Null, node_of)) })
            },
        )
        .later("changes", "[FieldChange!]!", "The fields that it changed, by path.", |record, call| {
            Box::pin(async move { changes(record, call).await })
        })
}

async fn changes(record: &ChangeRecord, call: Call<'_>) -> Result<Node> {
    let FeedPlace { object, version, .. } = record.row.place;
    let read = move |query: &mut store::Query<'_>| store::fields_of_change(query, object, version);
    let fields = call.scope()?.read(record.tenant, read).await?;
    // What is kept is JSON; what is not was not written by this program.
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let change = |[path, before, after]: [String; 3]| ChangedField::new(&path, json(&before), json(&after));
    Ok(Node::objects("FieldChange", fields.into_iter().map(change)))
}

/// The object whose fields can be followed.
pub fn root() -> ObjectBuilder<()> {
    let about = "The changes of a tenant's objects, one event for each object that a save or a delete changes, in the order in\n\
                 which they were saved. Without a place to begin at, it begins now. An event that was missed is had again with\n\
                 `after` and the last cursor, so that there is neither a gap nor an event twice.";
    let answer = Resolver::Stream(|call| Box::pin(async move { follow(call).await }));
    let field = SchemaField::new("objectChanged", "ChangeRecord!", about, answer)
        .arg(InputValue::new(
            "tenant",
            "String",
            "The tenant's code; left out, the selected tenant: that of the header `X-Tenant`, or else the token's.",
        ))
        .arg(InputValue::new(
            "since",
            "Int",
            "A revision of the tenant, as `Tenant.revision` answers it: begins with what changed after it.",
        ))
        .arg(InputValue::new(
            "after",
            "String",
            "The cursor of an event: begins with the one behind it. Not together with since.",
        ))
        .arg(kinds_arg("Only objects of these kinds; left out, of all."))
        .arg(InputValue::new("ids", "[ID!]", "Only the objects with these opaque ids, at most 100; left out, all."));
    object::<()>("Subscription", "What can be followed.").field(field)
}

async fn follow(call: Call<'_>) -> Result<BoxStream<'static, Result<Node>>> {
    let (scope, args) = (call.scope()?, call.args);
    let viewer = scope.viewer()?.clone();
    let tenant = args.text("tenant")?.map(str::to_owned);
    let row = scope.tenant(tenant).await?.ok_or_else(|| coded("NOT_FOUND", "There is no such tenant."))?;
    let place = match (args.int("since")?, args.text("after")?) {
        (None, None) => FeedPlace::behind(row.revision),
        (Some(revision), None) => FeedPlace::behind(revision),
        (None, Some(cursor)) => decode_place(cursor)
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
    let ids = args.texts("ids")?;
    if ids.as_ref().is_some_and(|ids| ids.len() as i64 > MOST) {
        return Err(coded("BAD_USER_INPUT", format!("ids must have at most {MOST} entries.")));
    }
    // An id of nobody, and one of another tenant, are ids to which nothing happens.
    let own = |id: &str| ObjectId::from_opaque(id).filter(|id| id.tenant == row.id).map(|id| id.local);
    let objects = ids.map(|ids| ids.into_iter().filter_map(own).collect());
    let following = FeedFilter { kinds: kinds(args)?, objects };
    let follower = scope.app.follow(Arc::clone(&scope.snapshot), viewer, row.id, place, following);
    Ok(records(follower, row.id, Arc::clone(&scope.request_id)))
}

/// The records that a follower hears of; ends with the first error.
fn records(follower: Follower, tenant: TenantId, request_id: Arc<str>) -> BoxStream<'static, Result<Node>> {
    let next = move |follower: Option<Follower>| {
        let request_id = Arc::clone(&request_id);
        async move {
            let mut follower = follower?;
            let record = match follower.next().await {
                Ok(FeedEvent::Change(row)) => {
                    return Some((Ok(Node::object("ChangeRecord", ChangeRecord { tenant, row })), Some(follower)));
                }
                Ok(FeedEvent::Closed) => Err(coded("UNAUTHENTICATED", "The token no longer opens the tenant.")),
                Err(error) => Err(surprise(&error, &request_id)),
            };
            Some((record, None))
        }
    };
    stream::unfold(Some(follower), next).boxed()
}

/// Checks what the executor does not: that a subscription has exactly one field (GraphQL, section 5.2.3.1), and that it
/// stands there itself, since the executor passes over fragments there.
pub fn check(document: &ExecutableDocument, name: Option<&str>) -> Result<(), ServerError> {
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
