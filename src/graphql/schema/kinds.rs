//! Mutations of objects other than forms, the same for every kind.

use super::mutation::{dry_run_input, expected_version_input, id_input, save_field, tenant_input};
use crate::domain::Kind;
use crate::form::camel;
use crate::graphql::layer::{InputObject, InputValue, SaveKind, SaveMutation, SchemaField, input};

/// The inputs of a kind's mutations. `fields` are the input fields of every object, and those that the kind adds.
pub fn inputs(kind: Kind, fields: &[InputValue]) -> [InputObject; 2] {
    let name = kind.name();
    let id = id_input("The opaque id of the object.");
    let create =
        input(format!("{name}CreateInput"), "A new object. Fields that are left out get their initial values.")
            .fields([tenant_input(), dry_run_input()]);
    let update = input(
        format!("{name}UpdateInput"),
        "Changes of an object. Fields that are left out stay as they are; `null` clears a field.",
    )
    .fields([id, expected_version_input(), dry_run_input()]);
    [create, update].map(|input| input.fields(fields.iter().cloned()))
}

/// The mutations that create and change objects of a kind.
pub fn save_fields(kind: Kind) -> [SchemaField; 2] {
    let name = kind.name();
    let field = camel(kind.fields().0);
    let payload: &'static str = format!("{name}Payload").leak();
    let save = |operation| SaveMutation { kind, operation, payload };
    let create = (format!("{field}Create"), format!("Creates an object of the type `{name}`."));
    let update = (format!("{field}Update"), format!("Changes an object of the type `{name}`."));
    [
        save_field(create, (&format!("{name}CreateInput"), "The new object."), save(SaveKind::New)),
        save_field(update, (&format!("{name}UpdateInput"), "The changes."), save(SaveKind::Changes)),
    ]
}
