//! Deleting: the plan of a delete, and the delete itself, the same for every kind.

use std::sync::Arc;

use async_graphql::Result;

use super::mutation::{id_input, object_id};
use super::problems::{
    ChangedField, change_fields, error_fields, object_of, tell_as_sent, user_errors, warning_fields,
};
use super::referrers::references_field;
use super::shapes::choice;
use crate::domain::TenantId;
use crate::graphql::layer::{
    Args, Call, FieldReader, Given as _, InputValue, Node, ObjectBuilder, ReadError, Reads, Resolver, SchemaField,
    SchemaType, Thing, input, object,
};
use crate::service::{self, Delete, DeletePlan, Deleted, Effect, ObjectProblem, OnReferences, ShownEffects, label};
use crate::store::{ObjectRow, TenantRow};

/// A change with the object whose field it is.
struct ChangedObjectField {
    object: Arc<ObjectRow>,
    change: ChangedField,
}

/// Changes of several objects as they are told.
pub fn changes(changes: &[service::ObjectChange]) -> Node {
    let change = |service::ObjectChange { object, change }: service::ObjectChange| ChangedObjectField {
        object,
        change: change.into(),
    };
    Node::objects("ObjectChange", changes.iter().cloned().map(change))
}

fn errors(problems: &[ObjectProblem]) -> Node {
    Node::objects("ObjectError", problems.iter().cloned())
}

fn warnings(problems: &[ObjectProblem]) -> Node {
    Node::objects("ObjectWarning", problems.iter().cloned())
}

/// What stands before the fields of a problem of some object.
fn of_object(name: &'static str, about: &'static str) -> ObjectBuilder<ObjectProblem> {
    object::<ObjectProblem>(name, about)
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |told| object_of(&told.object))
        .now("label", "String!", "Number and name of the object.", |told| label(&told.object).into())
}

/// Taking an object out is not refused for what it leaves: its errors are told as warnings.
fn of_detach(effect: Effect) -> Effect {
    let Effect { changes, errors, warnings } = effect;
    Effect { changes, errors: Vec::new(), warnings: errors.into_iter().chain(warnings).collect() }
}

/// The types of deletes and of their plans.
pub fn definitions() -> Vec<SchemaType> {
    let sent = input("ObjectDeleteInput", "A delete.")
        .fields([id_input("The opaque id of the object.")])
        .field("expectedVersion", "Int", "The version that the client saw; if another one is saved, nothing is deleted.")
        .field("onReferences", "OnReferences", "What is to become of what refers to the object; left out, BLOCK.")
        .field("replacement", "ID", "With REPLACE_WITH, the id of the object that takes its place.")
        .field(
            "planToken",
            "String",
            "The token of the plan of the delete; required unless nothing refers to the object, or onReferences is BLOCK.",
        )
        .field("dryRun", "Boolean", "Whether only to say what would happen.");
    let change = object::<ChangedObjectField>("ObjectChange", "A field of an object whose value changes.")
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |told| object_of(&told.object))
        .now("label", "String!", "Number and name of the object.", |told| label(&told.object).into())
        .fields(change_fields(|told: &ChangedObjectField| &told.change));
    let error = of_object("ObjectError", "Something that is wrong with an object.")
        .fields(error_fields(|told: &ObjectProblem| &told.problem));
    let warning = of_object("ObjectWarning", "Something that looks wrong with an object.")
        .fields(warning_fields(|told: &ObjectProblem| &told.problem));
    let effect = object::<Effect>("DeleteEffect", "What a way of deleting does to what refers to the object.")
        .now("changes", "[ObjectChange!]!", "The fields of other objects that change.", |effect| {
            changes(&effect.changes)
        })
        .now("errors", "[ObjectError!]!", "Why it would be refused.", |effect| errors(&effect.errors))
        .now(
            "warnings",
            "[ObjectWarning!]!",
            "What is left of other objects that looks wrong, such as a switch that is on with nowhere to go.",
            |effect| warnings(&effect.warnings),
        );
    vec![
        choice(OnReferences::TYPE).into(),
        sent.into(),
        change.into(),
        error.into(),
        warning.into(),
        effect.into(),
        payload().into(),
        plan_type().into(),
    ]
}

/// What came of a delete, and the id as it was sent.
struct Payload {
    id: String,
    deleted: Deleted,
}

fn payload() -> ObjectBuilder<Payload> {
    object::<Payload>("ObjectDeletePayload", "What came of a delete.")
        .now("deletedId", "ID", "The id of the object, when it is gone.", |told| {
            told.deleted.done.then_some(told.id.as_str()).into()
        })
        .now("userErrors", "[UserError!]!", "Why it is not gone: everything that is wrong, at once.", |told| {
            user_errors(&told.deleted.errors)
        })
        .now("warnings", "[ObjectWarning!]!", "What is left of other objects that looks wrong.", |told| {
            warnings(&told.deleted.effect.warnings)
        })
        .now(
            "changes",
            "[ObjectChange!]!",
            "The fields of other objects that were changed, or on a dry run would be.",
            |told| changes(&told.deleted.effect.changes),
        )
}

fn plan_type() -> ObjectBuilder<DeletePlan> {
    object::<DeletePlan>("DeletePlan", "What a delete would do, whichever way is chosen.")
        .now("object", "PbxObject", "The object.", |plan| object_of(&plan.object))
        .now(
            "token",
            "String!",
            "Names the references that there are now. A delete with it is refused when one was added or went since.",
            |plan| plan.token.as_str().into(),
        )
        .now("blocked", "Boolean!", "Whether something refers to the object by id, so that BLOCK refuses.", |plan| {
            plan.blocked.into()
        })
        .now("takesAlong", "[String!]!", "What goes with the object, in words.", |plan| {
            plan.takes_along.as_slice().into()
        })
        .field(references_field("Where the object is used.", |thing: &Thing| {
            Ok(Arc::clone(&thing.get::<DeletePlan>()?.object))
        }))
        .now("detach", "DeleteEffect!", "What DETACH would do.", |plan| {
            Node::object("DeleteEffect", of_detach(plan.detach.clone()))
        })
        .now(
            "replace",
            "DeleteEffect",
            "What REPLACE_WITH would do; null unless a replacement was named that exists.",
            |plan| plan.replace.clone().map_or(Node::Null, |effect| Node::object("DeleteEffect", effect)),
        )
        .now(
            "userErrors",
            "[UserError!]!",
            "Why DETACH and REPLACE_WITH are refused, whatever they would do.",
            |plan| user_errors(&plan.errors),
        )
}

/// The mutation that deletes an object of any kind.
pub fn delete_field() -> SchemaField {
    let answer = Resolver::later(|_, call| Box::pin(async move { delete(call).await }));
    SchemaField::new("objectDelete", "ObjectDeletePayload!", "Deletes an object of any kind.", answer)
        .arg(InputValue::new("input", "ObjectDeleteInput!", "What to delete, and how."))
}

/// The root field that plans the delete of an object, and the tenant's.
pub fn plan_fields() -> [SchemaField; 2] {
    // What it does to conditions may depend on the time.
    let of_any = Resolver::Read(Reads::each(|_, args, reading| plan(None, args, reading)));
    let of_tenant =
        Resolver::Read(Reads::each(|thing, args, reading| plan(Some(thing.get::<TenantRow>()?.id), args, reading)));
    let about = [
        "What deleting an object would do. Null when it does not exist for who asks.",
        "What deleting an object of the tenant would do. Null when there is no such one.",
    ];
    let field = |(answer, about)| {
        SchemaField::new("objectDeletePlan", "DeletePlan", about, answer)
            .arg(InputValue::new("id", "ID!", "The opaque id of the object."))
            .arg(InputValue::new("replacement", "ID", "The id of the object that would take its place."))
    };
    [(of_any, about[0]), (of_tenant, about[1])].map(field)
}

async fn delete(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.the_object("input")?);
    let (id, replacement) = (input.the_text("id")?, input.text("replacement")?);
    let delete = Delete {
        object: object_id(id),
        expected_version: input.int("expectedVersion")?,
        on_references: input.choice("onReferences", OnReferences::from_word)?.unwrap_or(OnReferences::Block),
        replacement: replacement.map(object_id),
        plan_token: input.text("planToken")?.map(str::to_owned),
        dry_run: input.bool("dryRun")?.unwrap_or_default(),
    };
    let deleted = scope.app.delete(&scope.snapshot, scope.viewer()?, delete).await;
    let mut deleted = deleted.map_err(|e| scope.surprise(&e))?;
    tell_as_sent(&mut deleted.errors, "id", id);
    if let Some(replacement) = replacement {
        tell_as_sent(&mut deleted.errors, "replacement", replacement);
    }
    let deleted = Deleted { effect: of_detach(deleted.effect), ..deleted };
    Ok(Node::object("ObjectDeletePayload", Payload { id: id.to_owned(), deleted }))
}

fn plan(tenant: Option<TenantId>, args: &Args, reading: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let replacement = args.text("replacement")?;
    let (object, other) = (object_id(args.the_text("id")?), replacement.map(object_id));
    if !reading.viewer.sees(object.tenant) || tenant.is_some_and(|tenant| tenant != object.tenant) {
        return Ok(Node::Null);
    }
    let (shown, now) =
        (ShownEffects { detach: reading.selects("detach"), replace: reading.selects("replace") }, reading.now);
    let Some(mut plan) = DeletePlan::prepare(&mut reading.of(object.tenant), object, other, shown, now)? else {
        return Ok(Node::Null);
    };
    if let Some(replacement) = replacement {
        tell_as_sent(&mut plan.errors, "replacement", replacement);
    }
    Ok(Node::object("DeletePlan", plan))
}
