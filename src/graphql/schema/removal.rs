//! Deleting: the plan of a delete, and the delete itself, the same for every kind.

use std::sync::Arc;

use async_graphql::Result;

use super::mutation::{
    FieldChange, change_fields, id_input, object_id, object_of, problem_fields, tell_as_sent, user_errors,
};
use super::referrers::references_field;
use super::shapes::choice;
use crate::domain::Kind;
use crate::form::camel;
use crate::graphql::layer::{Answer, Building, Call, Definition, Field, Given as _, Input, Node, Thing, input, object};
use crate::service::{self, Delete, DeletePlan, Deleted, Effect, ObjectProblem, OnReferences, Shown, label};
use crate::store::ObjectRow;

/// A change with the object whose field it is.
struct ObjectChange {
    object: Arc<ObjectRow>,
    change: FieldChange,
}

/// Changes of several objects as they are told.
pub fn changes(changes: &[service::ObjectChange]) -> Node {
    let change = |service::ObjectChange { object, change }: service::ObjectChange| ObjectChange {
        object,
        change: change.into(),
    };
    Node::objects("ObjectChange", changes.iter().cloned().map(change))
}

fn problems(problems: &[ObjectProblem]) -> Node {
    Node::objects("ObjectProblem", problems.iter().cloned())
}

/// Taking an object out is not refused for what it leaves: its errors are told as warnings.
fn of_detach(effect: Effect) -> Effect {
    let Effect { changes, errors, warnings } = effect;
    Effect { changes, errors: Vec::new(), warnings: errors.into_iter().chain(warnings).collect() }
}

/// The types of deletes and of their plans.
pub fn definitions() -> Vec<Definition> {
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
    let change = object::<ObjectChange>("ObjectChange", "A field of an object whose value changes.")
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |told| object_of(&told.object))
        .now("label", "String!", "Number and name of the object.", |told| label(&told.object).into())
        .fields(change_fields(|told: &ObjectChange| &told.change));
    let problem = object::<ObjectProblem>("ObjectProblem", "Something that is wrong with an object, or looks wrong.")
        .now("object", "PbxObject", "The object; null for the tenant's defaults.", |told| object_of(&told.object))
        .now("label", "String!", "Number and name of the object.", |told| label(&told.object).into())
        .fields(problem_fields(|told: &ObjectProblem| &told.problem));
    let effect = object::<Effect>("DeleteEffect", "What a way of deleting does to what refers to the object.")
        .now("changes", "[ObjectChange!]!", "The fields of other objects that change.", |effect| {
            changes(&effect.changes)
        })
        .now("errors", "[ObjectProblem!]!", "Why it would be refused.", |effect| problems(&effect.errors))
        .now(
            "warnings",
            "[ObjectProblem!]!",
            "What is left of other objects that looks wrong, such as a switch that is on with nowhere to go.",
            |effect| problems(&effect.warnings),
        );
    vec![
        choice(OnReferences::TYPE).into(),
        sent.into(),
        change.into(),
        problem.into(),
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

fn payload() -> Building<Payload> {
    object::<Payload>("ObjectDeletePayload", "What came of a delete.")
        .now("deletedId", "ID", "The id of the object, when it is gone.", |told| {
            told.deleted.done.then_some(told.id.as_str()).into()
        })
        .now("userErrors", "[UserError!]!", "Why it is not gone: everything that is wrong, at once.", |told| {
            user_errors(&told.deleted.errors)
        })
        .now("warnings", "[ObjectProblem!]!", "What is left of other objects that looks wrong.", |told| {
            problems(&told.deleted.effect.warnings)
        })
        .now(
            "changes",
            "[ObjectChange!]!",
            "The fields of other objects that were changed, or on a dry run would be.",
            |told| changes(&told.deleted.effect.changes),
        )
}

fn plan_type() -> Building<DeletePlan> {
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

/// The mutation that deletes objects of a kind.
pub fn delete_field(kind: Kind) -> Field {
    let about = if kind == Kind::VirtualExtension {
        "Deletes a virtual extension.".to_owned()
    } else {
        format!("Deletes an object of the type `{}`.", kind.name())
    };
    let answer = Answer::later(move |_, call| Box::pin(async move { delete(call, kind).await }));
    Field::new(format!("{}Delete", camel(kind.fields().0)), "ObjectDeletePayload!", about, answer).arg(Input::new(
        "input",
        "ObjectDeleteInput!",
        "What to delete, and how.",
    ))
}

/// The root field that plans the delete of an object of a kind.
pub fn plan_field(kind: Kind) -> Field {
    let missing = "Null when it does not exist for who asks.";
    let (about, id) = if kind == Kind::VirtualExtension {
        (format!("What deleting a virtual extension would do. {missing}"), "The opaque id of the extension.")
    } else {
        let about = format!("What deleting an object of the type `{}` would do. {missing}", kind.name());
        (about, "The opaque id of the object.")
    };
    let answer = Answer::later(move |_, call| Box::pin(async move { plan(call, kind).await }));
    Field::new(format!("{}DeletePlan", camel(kind.fields().0)), "DeletePlan", about, answer)
        .arg(Input::new("id", "ID!", id))
        .arg(Input::new("replacement", "ID", "The id of the object that would take its place."))
}

async fn delete(call: Call<'_>, kind: Kind) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.the_object("input")?);
    let (id, replacement) = (input.the_text("id")?, input.text("replacement")?);
    let delete = Delete {
        object: object_id(id),
        kind,
        expected_version: input.int("expectedVersion")?,
        on_references: input.choice("onReferences", OnReferences::of)?.unwrap_or(OnReferences::Block),
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

async fn plan(call: Call<'_>, kind: Kind) -> Result<Node> {
    let (scope, replacement) = (call.scope()?, call.args.text("replacement")?);
    let (object, other) = (object_id(call.args.the_text("id")?), replacement.map(object_id));
    let shown = Shown { detach: call.selects("detach"), replace: call.selects("replace") };
    let plan = scope.app.delete_plan(&scope.snapshot, scope.viewer()?, (object, kind), other, shown).await;
    let Some(mut plan) = plan.map_err(|e| scope.surprise(&e))? else { return Ok(Node::Null) };
    if let Some(replacement) = replacement {
        tell_as_sent(&mut plan.errors, "replacement", replacement);
    }
    Ok(Node::object("DeletePlan", plan))
}
