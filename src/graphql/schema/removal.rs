//! Deleting: the plan of a delete, and the delete itself, the same for every kind.

use std::sync::Arc;

use async_graphql::Result;

use super::mutation::{id_input, object_id};
use super::problems::{
    ChangedField, change_fields, error_fields, restore_sent_value, shared_object_node, user_errors, warning_fields,
};
use super::referrers::references_field;
use super::shapes::choice_type;
use crate::domain::TenantId;
use crate::graphql::layer::{
    ArgValues as _, Args, Call, FieldReader, InputValue, Node, ObjectBuilder, ReadError, ReadResolver, Resolver,
    SchemaField, SchemaType, Thing, input, object,
};
use crate::service::{self, Delete, DeletePlan, Deleted, Effect, ObjectProblem, OnReferences, ShownEffects, label};
use crate::store::{ObjectRow, TenantRow};

/// A change with the object whose field changes.
struct ChangedObjectField {
    object: Arc<ObjectRow>,
    change: ChangedField,
}

/// The nodes of changes of several objects.
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

/// The first fields of a problem of an object.
fn object_problem_type(name: &'static str, about: &'static str) -> ObjectBuilder<ObjectProblem> {
    object::<ObjectProblem>(name, about)
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |payload| {
            shared_object_node(&payload.object)
        })
        .now("label", "String!", "Number and name of the object.", |payload| label(&payload.object).into())
}

/// Detaching is not refused for what it leaves behind: its errors are reported as warnings.
fn with_errors_as_warnings(effect: Effect) -> Effect {
    let Effect { changes, errors, warnings } = effect;
    Effect { changes, errors: Vec::new(), warnings: errors.into_iter().chain(warnings).collect() }
}

/// The types of deletes and their plans.
pub fn definitions() -> Vec<SchemaType> {
    let sent = input("ObjectDeleteInput", "The object to delete, and what happens to its references.")
        .fields([id_input("The opaque id of the object.")])
        .field(
            "expectedVersion",
            "Int",
            "The version that the client has read. If the saved version differs, nothing is deleted.",
        )
        .field("onReferences", "OnReferences", "What happens to the references to the object; BLOCK by default.")
        .field("replacement", "ID", "With REPLACE_WITH, the id of the object that replaces it.")
        .field(
            "planToken",
            "String",
            "The token of the delete's plan; required unless nothing refers to the object or `onReferences` is BLOCK.",
        )
        .field("dryRun", "Boolean", "If true, the delete is only checked and nothing is deleted. False by default.");
    let change = object::<ChangedObjectField>("ObjectChange", "A field of an object whose value changes.")
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |payload| {
            shared_object_node(&payload.object)
        })
        .now("label", "String!", "Number and name of the object.", |payload| label(&payload.object).into())
        .fields(change_fields(|payload: &ChangedObjectField| &payload.change));
    let error = object_problem_type("ObjectError", "Something that is wrong with an object.")
        .fields(error_fields(|payload: &ObjectProblem| &payload.problem));
    let warning = object_problem_type("ObjectWarning", "Something that looks wrong with an object.")
        .fields(warning_fields(|payload: &ObjectProblem| &payload.problem));
    let effect =
        object::<Effect>("DeleteEffect", "The effect of a delete on the objects that refer to the deleted one.")
            .now("changes", "[ObjectChange!]!", "The fields of other objects that change.", |effect| {
                changes(&effect.changes)
            })
            .now("errors", "[ObjectError!]!", "Why the delete would be refused.", |effect| errors(&effect.errors))
            .now(
                "warnings",
                "[ObjectWarning!]!",
                "What looks wrong in the other objects afterwards, such as a switch that is on without a destination.",
                |effect| warnings(&effect.warnings),
            );
    vec![
        choice_type(OnReferences::TYPE).into(),
        sent.into(),
        change.into(),
        error.into(),
        warning.into(),
        effect.into(),
        payload().into(),
        plan_type().into(),
    ]
}

/// The result of a delete, and the id as it was sent.
struct DeletePayload {
    id: String,
    deleted: Deleted,
}

fn payload() -> ObjectBuilder<DeletePayload> {
    object::<DeletePayload>("ObjectDeletePayload", "The result of a delete.")
        .now("deletedId", "ID", "The id of the object; null if it was not deleted.", |payload| {
            payload.deleted.done.then_some(payload.id.as_str()).into()
        })
        .now("userErrors", "[UserError!]!", "Why nothing was deleted: all errors at once.", |payload| {
            user_errors(&payload.deleted.errors)
        })
        .now("warnings", "[ObjectWarning!]!", "What looks wrong in the other objects afterwards.", |payload| {
            warnings(&payload.deleted.effect.warnings)
        })
        .now(
            "changes",
            "[ObjectChange!]!",
            "The fields of other objects that have changed, or would change on a dry run.",
            |payload| changes(&payload.deleted.effect.changes),
        )
}

fn plan_type() -> ObjectBuilder<DeletePlan> {
    object::<DeletePlan>("DeletePlan", "What a delete would do, for each value of `onReferences`.")
        .now("object", "PbxObject", "The object.", |plan| shared_object_node(&plan.object))
        .now(
            "token",
            "String!",
            "Identifies the current references. A delete with this token is refused if a reference has been\n\
             added or removed since.",
            |plan| plan.token.as_str().into(),
        )
        .now(
            "blocked",
            "Boolean!",
            "Whether an object refers to this one by id, so that BLOCK refuses the delete.",
            |plan| plan.blocked.into(),
        )
        .now("takesAlong", "[String!]!", "What is deleted together with the object, in words.", |plan| {
            plan.takes_along.as_slice().into()
        })
        .field(references_field("Where the object is used.", |thing: &Thing| {
            Ok(Arc::clone(&thing.get::<DeletePlan>()?.object))
        }))
        .now("detach", "DeleteEffect!", "What DETACH would do.", |plan| {
            Node::object("DeleteEffect", with_errors_as_warnings(plan.detach.clone()))
        })
        .now("replace", "DeleteEffect", "What REPLACE_WITH would do; null without an existing replacement.", |plan| {
            plan.replace.clone().map_or(Node::Null, |effect| Node::object("DeleteEffect", effect))
        })
        .now(
            "userErrors",
            "[UserError!]!",
            "Why DETACH and REPLACE_WITH are refused, regardless of their effects.",
            |plan| user_errors(&plan.errors),
        )
}

/// The mutation that deletes an object of any kind.
pub fn delete_field() -> SchemaField {
    let answer = Resolver::later(|_, call| Box::pin(async move { delete(call).await }));
    SchemaField::new("objectDelete", "ObjectDeletePayload!", "Deletes an object of any kind.", answer)
        .arg(InputValue::new("input", "ObjectDeleteInput!", "What to delete, and how."))
}

/// The field that plans a delete, for the query root and for a tenant.
pub fn plan_fields() -> [SchemaField; 2] {
    // The effect on conditions may depend on the time.
    let of_any = Resolver::Read(ReadResolver::each(|_, args, reader| plan(None, args, reader)));
    let of_tenant = Resolver::Read(ReadResolver::each(|thing, args, reader| {
        plan(Some(thing.get::<TenantRow>()?.id), args, reader)
    }));
    let about = [
        "What deleting an object would do. Null if it does not exist for the viewer.",
        "What deleting an object of the tenant would do. Null if there is no such object.",
    ];
    let field = |(answer, about)| {
        SchemaField::new("objectDeletePlan", "DeletePlan", about, answer)
            .arg(InputValue::new("id", "ID!", "The opaque id of the object."))
            .arg(InputValue::new("replacement", "ID", "The id of the object that would replace it."))
    };
    [(of_any, about[0]), (of_tenant, about[1])].map(field)
}

async fn delete(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.required_object("input")?);
    let (id, replacement) = (input.required_text("id")?, input.text("replacement")?);
    let delete = Delete {
        object: object_id(id),
        expected_version: input.int("expectedVersion")?,
        on_references: input.choice("onReferences", OnReferences::from_word)?.unwrap_or(OnReferences::Block),
        replacement: replacement.map(object_id),
        plan_token: input.text("planToken")?.map(str::to_owned),
        dry_run: input.bool("dryRun")?.unwrap_or_default(),
    };
    let deleted = scope.app.delete(&scope.snapshot, scope.viewer()?, delete).await;
    let mut deleted = deleted.map_err(|e| scope.store_error(&e))?;
    restore_sent_value(&mut deleted.errors, "id", id);
    if let Some(replacement) = replacement {
        restore_sent_value(&mut deleted.errors, "replacement", replacement);
    }
    let deleted = Deleted { effect: with_errors_as_warnings(deleted.effect), ..deleted };
    Ok(Node::object("ObjectDeletePayload", DeletePayload { id: id.to_owned(), deleted }))
}

fn plan(tenant: Option<TenantId>, args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let replacement = args.text("replacement")?;
    let (object, other) = (object_id(args.required_text("id")?), replacement.map(object_id));
    if !reader.viewer.sees(object.tenant) || tenant.is_some_and(|tenant| tenant != object.tenant) {
        return Ok(Node::Null);
    }
    let (shown, now) =
        (ShownEffects { detach: reader.selects("detach"), replace: reader.selects("replace") }, reader.now);
    let Some(mut plan) = DeletePlan::prepare(&mut reader.query(object.tenant), object, other, shown, now)? else {
        return Ok(Node::Null);
    };
    if let Some(replacement) = replacement {
        restore_sent_value(&mut plan.errors, "replacement", replacement);
    }
    Ok(Node::object("DeletePlan", plan))
}
