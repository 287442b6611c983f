//! Objects of any kind. Behind each is its own row, an [`ObjectRow`]; its type has the name of its kind.

use super::referrers::references_field;
use crate::domain::{Kind, Scalar as _};
use crate::graphql::layer::{
    FieldSource, Interface, ObjectBuilder, Resolver, RowColumn, SchemaField, Thing, fields_of, interface, object,
};
use crate::store::ObjectRow;

/// The fields that every object has. They are answered from its row, whatever its kind.
pub fn row_fields() -> Vec<SchemaField> {
    fields_of::<ObjectRow>()
        .now("id", "ID!", "The opaque id; pass it to `node` and to every input that takes an id.", |row| {
            row.id.opaque().into()
        })
        .source(FieldSource::Row(RowColumn::Id))
        .now("kind", "Kind!", "The kind of the object.", |row| row.kind.word().into())
        .source(FieldSource::Row(RowColumn::Kind))
        .now("number", "String", "The number that reaches the object; null if it has none.", |row| {
            row.number.as_deref().into()
        })
        .source(FieldSource::Row(RowColumn::Number))
        .now("name", "String!", "The name of the object.", |row| row.name.as_str().into())
        .source(FieldSource::Row(RowColumn::Name))
        .now("description", "String!", "A note for administrators.", |row| row.description.as_str().into())
        .source(FieldSource::Row(RowColumn::Description))
        .now(
            "version",
            "Int!",
            "The number of saves of the object, starting with 1; pass it as `expectedVersion`.",
            |row| row.version.into(),
        )
        .source(FieldSource::Row(RowColumn::Version))
        .now("createdAt", "DateTime!", "When the object was created.", |row| row.created_at.answer().into())
        .source(FieldSource::Row(RowColumn::CreatedAt))
        .now("changedAt", "DateTime!", "When the object was last saved.", |row| row.changed_at.answer().into())
        .source(FieldSource::Row(RowColumn::ChangedAt))
        .field(references_field("Where the object is used: by id, or by a text that equals its number.", Thing::share))
        .only_fields()
}

/// The type of a kind's objects, with the fields that every object has. The kind adds its own fields.
pub fn kind_type(kind: Kind, about: &'static str) -> ObjectBuilder<ObjectRow> {
    let object =
        object::<ObjectRow>(kind.name(), about).implements("PbxObject").implements("Node").fields(row_fields());
    match kind {
        // A virtual extension is always enabled.
        Kind::VirtualExtension => object,
        _ => object
            .now("enabled", "Boolean!", "Whether the object is enabled.", |row| row.enabled.into())
            .source(FieldSource::Row(RowColumn::Enabled)),
    }
}

/// The interfaces of all objects, and of everything that has an id.
pub fn interfaces() -> [Interface; 2] {
    let pbx_object = "An object of a tenant: anything that has a number or can be referred to.";
    let id = SchemaField::new("id", "ID!", "The opaque id; pass it to `node`.", Resolver::Elsewhere);
    [interface("PbxObject", pbx_object, row_fields()), interface("Node", "Anything that has an id.", [id])]
}
