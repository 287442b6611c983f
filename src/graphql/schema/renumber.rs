//! Changing the number of a virtual extension.

use async_graphql::Result;

use super::mutation::{dry_run_input, expected_version_input, id_input, object_id, saved_fields};
use super::problems::restore_sent_value;
use super::removal;
use crate::graphql::layer::{ArgValues as _, Call, InputValue, Node, Resolver, SchemaField, SchemaType, input, object};
use crate::service::{Renumber, Renumbered, Saved};

/// The result of the mutation: the save of the extension itself, and the changes of the texts that equal the old
/// number.
struct RenumberPayload {
    saved: Saved,
    soft_changes: Vec<crate::service::ObjectChange>,
}

/// The types of the mutation.
pub fn definitions() -> [SchemaType; 2] {
    let sent = input("VirtualExtensionRenumberInput", "Another number for a virtual extension.")
        .fields([id_input("The opaque id of the extension.")])
        .field("number", "ExtensionNumber!", "The new number.")
        .field(
            "updateSoftReferences",
            "Boolean",
            "If true, texts that equal the old number are changed too. False by default.",
        )
        .fields([expected_version_input(), dry_run_input()]);
    let payload = object::<RenumberPayload>(
        "VirtualExtensionRenumberPayload",
        "The result of changing a virtual extension's number.",
    )
    .now(
        "object",
        "VirtualExtension",
        "The extension as it is saved now. Null if it does not exist for the viewer.",
        |payload| payload.saved.object.clone().map_or(Node::Null, |row| Node::shared("VirtualExtension", row)),
    )
    .fields(saved_fields(|payload: &RenumberPayload| &payload.saved))
    .now(
        "softChanges",
        "[ObjectChange!]!",
        "The texts that equal the old number. With `updateSoftReferences` they have changed, or would change on\n\
         a dry run; without it, they are only listed.",
        |payload| removal::changes(&payload.soft_changes),
    );
    [sent.into(), payload.into()]
}

/// The mutation.
pub fn field() -> SchemaField {
    let about = "Changes the number of a virtual extension. References by id stay valid. Texts that equal the\n\
                 old number, such as follow-me targets and short numbers, are listed, and changed on request.";
    let answer = Resolver::later(|_, call| Box::pin(async move { renumber(call).await }));
    SchemaField::new("virtualExtensionRenumber", "VirtualExtensionRenumberPayload!", about, answer)
        .arg(InputValue::new("input", "VirtualExtensionRenumberInput!", "The extension and its new number."))
}

async fn renumber(call: Call<'_>) -> Result<Node> {
    let (scope, input) = (call.scope()?, call.args.required_object("input")?);
    let id = input.required_text("id")?;
    let renumber = Renumber {
        object: object_id(id),
        number: input.required_text("number")?.to_owned(),
        update_soft_references: input.bool("updateSoftReferences")?.unwrap_or_default(),
        expected_version: input.int("expectedVersion")?,
        dry_run: input.bool("dryRun")?.unwrap_or_default(),
    };
    let renumbered = scope.app.renumber(&scope.snapshot, scope.viewer()?, renumber).await;
    let Renumbered { mut saved, soft } = renumbered.map_err(|e| scope.store_error(&e))?;
    restore_sent_value(&mut saved.errors, "id", id);
    let payload = RenumberPayload { saved, soft_changes: soft.changes };
    Ok(Node::object("VirtualExtensionRenumberPayload", payload))
}
