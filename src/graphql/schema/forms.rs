//! Mutations of the form: of a virtual extension as a whole or by section, and of a tenant's defaults.

use super::mutation::{
    dry_run_input, expected_version_input, id_input, object_field, save_field, saved_fields, tenant_input,
};
use super::renumber;
use crate::domain::Kind;
use crate::form::{Form, SectionInfo};
use crate::graphql::layer::{InputObject, InputValue, OfSave, SaveWhat, SchemaField, SchemaType, input, object};
use crate::service::Saved;

/// The kind whose objects have the form.
const KIND: Kind = Kind::VirtualExtension;
/// What comes of saving one.
const PAYLOAD: &str = "VirtualExtensionPayload";

/// The input fields of a form: one for each section.
fn sections() -> Vec<InputValue> {
    let section = |info: &&'static SectionInfo| {
        let about = format!("What is sent of the section `{}`; left out, it stays as it is.", info.client_name);
        InputValue::new(info.client_name.as_str(), info.input, about)
    };
    Form::infos().iter().map(section).collect()
}

/// The input of the mutation of one section.
fn section_update(info: &&'static SectionInfo) -> InputObject {
    let about = "Changes of one section of a virtual extension. What is left out stays as it is.";
    input(update_type(info), about)
        .fields([id_input("The opaque id of the extension."), expected_version_input(), dry_run_input()])
        .field(info.client_name.as_str(), &format!("{}!", info.input), "The section.")
}

fn update_type(info: &SectionInfo) -> String {
    format!("VirtualExtension{}UpdateInput", info.name)
}

/// The types of the form's mutations. What is sent of a section stands elsewhere.
pub fn definitions() -> Vec<SchemaType> {
    let payload = object::<Saved>(PAYLOAD, "What came of saving a virtual extension.")
        .field(object_field(
            "VirtualExtension",
            "The extension as it is saved now; null when nothing is, as after errors on create or a dry run of one.",
        ))
        .fields(saved_fields(|saved: &Saved| saved));
    let defaults = object::<Saved>("VirtualExtensionDefaultsPayload", "What came of saving a tenant's defaults.")
        .field(object_field(
            "NewVirtualExtension",
            "The defaults as they are saved now; null when they do not exist for who asks.",
        ))
        .fields(saved_fields(|saved: &Saved| saved));
    let create = input(
        "VirtualExtensionCreateInput",
        "A new virtual extension. What is left out is taken from the tenant's defaults.",
    )
    .fields([tenant_input(), dry_run_input()])
    .fields(sections());
    let update =
        input("VirtualExtensionUpdateInput", "Changes of a virtual extension. What is left out stays as it is.")
            .fields([id_input("The opaque id of the extension."), expected_version_input(), dry_run_input()])
            .fields(sections());
    let update_defaults = input(
        "VirtualExtensionDefaultsUpdateInput",
        "Changes of a tenant's defaults. What is left out stays as it is.",
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
    let of = |what| OfSave { kind: KIND, what, payload: PAYLOAD };
    let create = save_field(
        ("virtualExtensionCreate", "Makes a virtual extension."),
        ("VirtualExtensionCreateInput", "The new extension."),
        of(SaveWhat::New),
    );
    let update = save_field(
        (
            "virtualExtensionUpdate",
            "Changes any subset of a virtual extension's sections in one go: all of it is saved, or nothing.",
        ),
        ("VirtualExtensionUpdateInput", "The changes."),
        of(SaveWhat::Changes),
    );
    let defaults = save_field(
        ("virtualExtensionDefaultsUpdate", "Changes the defaults that a tenant's new virtual extensions open with."),
        ("VirtualExtensionDefaultsUpdateInput", "The changes."),
        OfSave { kind: Kind::FormDefaults, what: SaveWhat::Defaults, payload: "VirtualExtensionDefaultsPayload" },
    );
    let copy = save_field(
        (
            "virtualExtensionClone",
            "Makes a virtual extension that is like another one, but for its number and name. What belongs to one alone is\n\
             not copied: secrets, the login, the lock, and the reference id.",
        ),
        ("VirtualExtensionCloneInput", "What to copy."),
        of(SaveWhat::Copy),
    );
    let section = |info: &&'static SectionInfo| {
        let field = (
            format!("virtualExtension{}Update", info.name),
            format!("Changes the section `{}` of a virtual extension.", info.client_name),
        );
        save_field(field, (&update_type(info), "The changes."), of(SaveWhat::Changes))
    };
    let whole = [create, update, defaults, copy, renumber::field()];
    whole.into_iter().chain(Form::infos().iter().map(section)).collect()
}
