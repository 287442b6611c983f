//! Objects of any kind: what stands behind each is its own row, an [`ObjectRow`], and its type is named like its kind.

use super::referrers::references_field;
use crate::domain::{Kind, Scalar as _};
use crate::graphql::layer::{
    FieldSource, Interface, ObjectBuilder, OfRow, Resolver, SchemaField, Thing, fields_of, interface, object,
};
use crate::store::ObjectRow;

/// The fields that every object has. They are answered from its row, whatever its kind.
pub fn row_fields() -> Vec<SchemaField> {
    fields_of::<ObjectRow>()
        .now("id", "ID!", "The opaque id, good for `node` and for every input that takes an id.", |row| {
            row.id.opaque().into()
        })
        .read(FieldSource::Row(OfRow::Id))
        .now("kind", "Kind!", "What the object is.", |row| row.kind.word().into())
        .read(FieldSource::Row(OfRow::Kind))
        .now("number", "String", "The number that reaches the object, if it has one.", |row| {
            row.number.as_deref().into()
        })
        .read(FieldSource::Row(OfRow::Number))
        .now("name", "String!", "The object's name.", |row| row.name.as_str().into())
        .read(FieldSource::Row(OfRow::Name))
        .now("description", "String!", "A note for administrators.", |row| row.description.as_str().into())
        .read(FieldSource::Row(OfRow::Description))
        .now("version", "Int!", "Counts the saves of the object, from 1; good for `expectedVersion`.", |row| {
            row.version.into()
        })
        .read(FieldSource::Row(OfRow::Version))
        .now("createdAt", "DateTime!", "When the object was made.", |row| row.created_at.answer().into())
        .read(FieldSource::Row(OfRow::CreatedAt))
        .now("changedAt", "DateTime!", "When the object was last saved.", |row| row.changed_at.answer().into())
        .read(FieldSource::Row(OfRow::ChangedAt))
        .field(references_field("Where the object is used: by id, and by texts that equal its number.", Thing::share))
        .only_fields()
}

/// The type of a kind's objects, with the fields that every object has. What the kind adds comes behind.
pub fn kind_type(kind: Kind, about: &'static str) -> ObjectBuilder<ObjectRow> {
    let object =
        object::<ObjectRow>(kind.name(), about).implements("PbxObject").implements("Node").fields(row_fields());
    match kind {
        // A virtual extension is always in use.
        Kind::VirtualExtension => object,
        _ => object
            .now("enabled", "Boolean!", "Whether the object is in use.", |row| row.enabled.into())
            .read(FieldSource::Row(OfRow::Enabled)),
    }
}

/// What all objects have in common, and what all that has an id has.
pub fn interfaces() -> [Interface; 2] {
    let pbx_object = "Anything that a tenant has: whatever has a number or can be pointed at.";
    let id = SchemaField::new("id", "ID!", "The opaque id, good for `node`.", Resolver::Elsewhere);
    [interface("PbxObject", pbx_object, row_fields()), interface("Node", "Whatever has an id of its own.", [id])]
}
