//! The subscription root. How to add a subscription: a field here, whose stream neither renews anything nor keeps a
//! read open while it waits, and a rule for its arguments in the sweep (`tests/it/probes.rs`).

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, Selection};
use async_graphql::{Name, Result, ServerError};
use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::nodes::object_node;
use super::pages::{MAX_PAGE, kinds_arg, kinds_from_args};
use super::problems::ChangedField;
use super::shapes::choice_type;
use crate::domain::{Kind, ObjectId, Scalar as _, TenantId};
use crate::graphql::errors::{coded, store_error};
use crate::graphql::layer::{
    ArgValues as _, Call, InputValue, Node, ObjectBuilder, Resolver, SchemaField, SchemaType, object,
};
use crate::service::{ChangeAction, FeedEvent, FeedFilter, Follower, decode_place, encode_place};
use crate::store::{self, FeedPlace, FeedRow};

/// A stored change of an object.
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
    [choice_type(ChangeAction::TYPE).into(), record().into()]
}

fn record() -> ObjectBuilder<ChangeRecord> {
    object::<ChangeRecord>("ChangeRecord", "A recorded change of an object.")
        .now("cursor", "String!", "The position of the change; pass it to `after`.", |record| {
            encode_place(record.row.place).into()
        })
        .now(
            "revision",
            "Int!",
            "The tenant's revision after the change. Changes that were saved together have the same revision.",
            |record| record.row.place.revision.into(),
        )
        .now("changedAt", "DateTime!", "When the change was saved.", |record| record.row.at.answer().into())
        .now("actor", "String!", "The name of the token that made the change.", |record| {
            record.row.actor.as_str().into()
        })
        .now("action", "ChangeAction!", "What happened to the object.", |record| record.action().word().into())
        .now("objectId", "ID!", "The opaque id of the object, even if it has been deleted.", |record| {
            record.key().opaque().into()
        })
        .now(
            "kind",
            "Kind",
            "The kind of the object. Null if it was deleted by a version of the server that did not record kinds yet.",
            |record| record.row.kind.map(Kind::word).into(),
        )
        .now("version", "Int!", "The version of the object after the change.", |record| record.row.place.version.into())
        .later(
            "object",
            "PbxObject",
            "The object in its current state, which may be later than this change. Null if it has been deleted,\n\
             and for the tenant's defaults.",
            |record, call| {
                Box::pin(async move { Ok(call.scope()?.object(record.key()).await?.map_or(Node::Null, object_node)) })
            },
        )
        .later("changes", "[FieldChange!]!", "The changed fields, sorted by path.", |record, call| {
            Box::pin(async move { changes(record, call).await })
        })
}

async fn changes(record: &ChangeRecord, call: Call<'_>) -> Result<Node> {
    let FeedPlace { object, version, .. } = record.row.place;
    let read = move |query: &mut store::Query<'_>| store::fields_of_change(query, object, version);
    let fields = call.scope()?.read(record.tenant, read).await?;
    // The stored text is JSON; anything else was not written by this program.
    let json = |text: &str| serde_json::from_str(text).unwrap_or_default();
    let change = |[path, before, after]: [String; 3]| ChangedField::new(&path, json(&before), json(&after));
    Ok(Node::objects("FieldChange", fields.into_iter().map(change)))
}

/// The subscription root.
pub fn root() -> ObjectBuilder<()> {
    let about = "The changes of a tenant's objects, in the order in which they were saved: one event for each\n\
                 object that a save or a delete changes. By default it starts with the next change. To continue\n\
                 after an interruption, pass the last cursor as `after`: no event is lost or repeated.";
    let answer = Resolver::Stream(|call| Box::pin(async move { follow(call).await }));
    let field = SchemaField::new("objectChanged", "ChangeRecord!", about, answer)
        .arg(InputValue::new(
            "tenant",
            "String",
            "The tenant's code; by default the selected tenant: the one in the header `X-Tenant`, or else the token's.",
        ))
        .arg(InputValue::new(
            "since",
            "Int",
            "A revision of the tenant, as returned by `Tenant.revision`: starts with the first change after it.",
        ))
        .arg(InputValue::new(
            "after",
            "String",
            "The cursor of an event: starts with the next event. Cannot be combined with `since`.",
        ))
        .arg(kinds_arg("Only objects of these kinds; by default all."))
        .arg(InputValue::new("ids", "[ID!]", "Only the objects with these opaque ids, at most 100; by default all."));
    object::<()>("Subscription", "The root of all subscriptions.").field(field)
}

async fn follow(call: Call<'_>) -> Result<BoxStream<'static, Result<Node>>> {
    let (scope, args) = (call.scope()?, call.args);
    let viewer = scope.viewer()?.clone();
    let tenant = args.text("tenant")?.map(str::to_owned);
    let row = scope.tenant(tenant).await?.ok_or_else(|| coded("NOT_FOUND", "There is no such tenant."))?;
    let place = match (args.int("since")?, args.text("after")?) {
        (None, None) => FeedPlace::after_revision(row.revision),
        (Some(revision), None) => FeedPlace::after_revision(revision),
        (None, Some(cursor)) => decode_place(cursor)
            .ok_or_else(|| coded("BAD_USER_INPUT", "after must be the cursor of an event of objectChanged."))?,
        (Some(_), Some(_)) => return Err(coded("BAD_USER_INPUT", "since and after cannot be given together.")),
    };
    if place.revision > row.revision {
        let sentence = format!(
            "The tenant is at revision {}, before the requested starting point: its data was restored. Read it again.",
            row.revision
        );
        return Err(coded("BAD_USER_INPUT", sentence));
    }
    let ids = args.texts("ids")?;
    if ids.as_ref().is_some_and(|ids| ids.len() as i64 > MAX_PAGE) {
        return Err(coded("BAD_USER_INPUT", format!("ids must have at most {MAX_PAGE} entries.")));
    }
    // Unknown ids and ids of another tenant are accepted; there are no events for them.
    let own = |id: &str| ObjectId::from_opaque(id).filter(|id| id.tenant == row.id).map(|id| id.local);
    let objects = ids.map(|ids| ids.into_iter().filter_map(own).collect());
    let following = FeedFilter { kinds: kinds_from_args(args)?, objects };
    let follower = scope.app.follow(Arc::clone(&scope.snapshot), viewer, row.id, place, following);
    Ok(records(follower, row.id, Arc::clone(&scope.request_id)))
}

/// The records of a follower; ends with the first error.
fn records(follower: Follower, tenant: TenantId, request_id: Arc<str>) -> BoxStream<'static, Result<Node>> {
    let next = move |follower: Option<Follower>| {
        let request_id = Arc::clone(&request_id);
        async move {
            let mut follower = follower?;
            let record = match follower.next().await {
                Ok(FeedEvent::Change(row)) => {
                    return Some((Ok(Node::object("ChangeRecord", ChangeRecord { tenant, row })), Some(follower)));
                }
                Ok(FeedEvent::Closed) => Err(coded("UNAUTHENTICATED", "The token no longer has access to the tenant.")),
                Err(error) => Err(store_error(&error, &request_id)),
            };
            Some((record, None))
        }
    };
    stream::unfold(Some(follower), next).boxed()
}

/// Checks what the executor does not: a subscription has exactly one root field (GraphQL, section 5.2.3.1), which is
/// not in a fragment, because the executor ignores fragments there.
pub fn check_subscription(document: &ExecutableDocument, name: Option<&str>) -> Result<(), ServerError> {
    let operations = document.operations.iter().filter(|(own, _)| name.is_none() || own.map(Name::as_str) == name);
    for (_, operation) in operations {
        let selections = &operation.node.selection_set.node.items;
        let plain = |selection: &Selection| match selection {
            Selection::Field(field) => !field.node.name.node.starts_with("__") && field.node.directives.is_empty(),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => false,
        };
        if !matches!(selections.as_slice(), [one] if plain(&one.node)) {
            let sentence = "A subscription must have exactly one field, without a directive and not in a fragment.";
            return Err(ServerError::new(sentence, Some(operation.pos)));
        }
    }
    Ok(())
}
