//! Mutations of the form: of a virtual extension as a whole or by section, and of a tenant's defaults.

use super::mutation::{
    dry_run_input, expected_version_input, id_input, object_field, save_field, saved_fields, tenant_input,
};
use super::renumber;
use crate::domain::Kind;
use crate::form::{Form, SectionInfo};
use crate::graphql::layer::{InputObject, InputValue, SaveKind, SaveMutation, SchemaField, SchemaType, input, object};
use crate::service::Saved;

/// The kind whose objects have the form.
const KIND: Kind = Kind::VirtualExtension;
/// The name of the payload type.
const PAYLOAD: &str = "VirtualExtensionPayload";

/// The input fields of a form, one for each section.
fn sections() -> Vec<InputValue> {
    let section = |info: &&'static SectionInfo| {
        let about = format!("The section `{}`; left out, it stays as it is.", info.client_name);
        InputValue::new(info.client_name.as_str(), info.input, about)
    };
    Form::infos().iter().map(section).collect()
}

/// The input of the mutation of one section.
fn section_update(info: &&'static SectionInfo) -> InputObject {
    let about = "Changes of one section of a virtual extension. Fields that are left out stay as they are.";
    input(update_type(info), about)
        .fields([id_input("The opaque id of the extension."), expected_version_input(), dry_run_input()])
        .field(info.client_name.as_str(), &format!("{}!", info.input), "The new values of the section.")
}

fn update_type(info: &SectionInfo) -> String {
    format!("VirtualExtension{}UpdateInput", info.name)
}

/// The types of the form's mutations. The input types of the sections are defined elsewhere.
pub fn definitions() -> Vec<SchemaType> {
    let payload = object::<Saved>(PAYLOAD, "The result of saving a virtual extension.")
        .field(object_field(
            "VirtualExtension",
            "The extension as it is saved now. Null if it is not saved, for example after errors or a dry run\n\
             when creating it.",
        ))
        .fields(saved_fields(|saved: &Saved| saved));
    let defaults = object::<Saved>("VirtualExtensionDefaultsPayload", "The result of saving a tenant's defaults.")
        .field(object_field(
            "NewVirtualExtension",
            "The defaults as they are saved now. Null if the tenant does not exist for the viewer.",
        ))
        .fields(saved_fields(|saved: &Saved| saved));
    let create = input(
        "VirtualExtensionCreateInput",
        "A new virtual extension. Fields that are left out are taken from the tenant's defaults.",
    )
    .fields([tenant_input(), dry_run_input()])
    .fields(sections());
    let update = input(
        "VirtualExtensionUpdateInput",
        "Changes of a virtual extension. Fields that are left out stay as they are.",
    )
    .fields([id_input("The opaque id of the extension."), expected_version_input(), dry_run_input()])
    .fields(sections());
    let update_defaults = input(
        "VirtualExtensionDefaultsUpdateInput",
        "Changes of a tenant's defaults. Fields that are left out stay as they are.",
    )
    .fields([tenant_input(), expected_version_input(), dry_run_input()])
    .fields(sections());
    let clone = input("VirtualExtensionCloneInput", "A copy of a virtual extension.")
        .fields([id_input("The opaque id of the extension to copy.")])
        .field("number", "ExtensionNumber!", "The number of the copy.")
        .field("name", "String!", "The name of the copy.")
        .fields([dry_run_input()]);
    let inputs = [create, update, update_defaults, clone].into_iter().chain(Form::infos().iter().map(section_update));
    [payload, defaults].map(SchemaType::from).into_iter().chain(inputs.map(SchemaType::from)).collect()
}

/// The mutations of the form.
pub fn fields() -> Vec<SchemaField> {
    let save = |operation| SaveMutation { kind: KIND, operation, payload: PAYLOAD };
    let create = save_field(
        ("virtualExtensionCreate", "Creates a virtual extension."),
        ("VirtualExtensionCreateInput", "The new extension."),
        save(SaveKind::New),
    );
    let update = save_field(
        (
            "virtualExtensionUpdate",
            "Changes any of a virtual extension's sections at once. Either all changes are saved, or none.",
        ),
        ("VirtualExtensionUpdateInput", "The changes."),
        save(SaveKind::Changes),
    );
    let defaults = save_field(
        ("virtualExtensionDefaultsUpdate", "Changes the defaults for a tenant's new virtual extensions."),
        ("VirtualExtensionDefaultsUpdateInput", "The changes."),
        SaveMutation {
            kind: Kind::FormDefaults,
            operation: SaveKind::Defaults,
            payload: "VirtualExtensionDefaultsPayload",
        },
    );
    let copy = save_field(
        (
            "virtualExtensionClone",
            "Copies a virtual extension under another number and name. Secrets, the login, the lock and the\n\
             reference id belong to one extension only and are not copied.",
        ),
        ("VirtualExtensionCloneInput", "The extension to copy, with the number and name of the copy."),
        save(SaveKind::Copy),
    );
    let section = |info: &&'static SectionInfo| {
        let field = (
            format!("virtualExtension{}Update", info.name),
            format!("Changes the section `{}` of a virtual extension.", info.client_name),
        );
        save_field(field, (&update_type(info), "The changes."), save(SaveKind::Changes))
    };
    let whole = [create, update, defaults, copy, renumber::field()];
    whole.into_iter().chain(Form::infos().iter().map(section)).collect()
}
