//! The parts of the schema that are generated from sections and kinds.

use std::sync::Arc;

use async_graphql::Result;

use super::nodes::object_node;
use super::rows;
use super::sections::{SectionValue, definitions, detail, detail_fields, fields, inputs, section_fields};
use crate::domain::{DateTime, ExtensionNumber, Kind, ObjectId, Scalar as _};
use crate::form::{CallSettings, Typed as _};
use crate::graphql::layer::{
    FieldReader, FieldSource, InputValue, Node, Object, ObjectBuilder, ReadError, ReadResolver, Resolver, RowColumn,
    SchemaField, SchemaType, Thing, object,
};
use crate::objects::{KindInfo, PhoneBook, TenantSettings};
use crate::store::{self, ObjectRow, TenantRow};

/// The types and fields that are generated from sections and kinds.
pub struct GeneratedTypes {
    /// The fields of a tenant's settings, answered from a `TenantRow`.
    pub tenant_fields: Vec<SchemaField>,
    /// The input fields of a tenant's settings.
    pub tenant_inputs: Vec<InputValue>,
    /// The input fields of each kind that has a detail: those of every object, and those that the kind adds.
    pub kind_inputs: Vec<(Kind, Vec<InputValue>)>,
    /// The types of sections, details, entries and destinations, with their inputs and values; the objects of every
    /// kind, see [`rows::kind_type`]; and `NewVirtualExtension`.
    pub definitions: Vec<SchemaType>,
}

/// Generates them.
pub fn generate() -> GeneratedTypes {
    let tenant = TenantSettings::section_info();
    let kinds = KindInfo::all();
    let objects = kinds.iter().map(kind_object).chain([virtual_extension(), new_virtual_extension()]);
    let others = [DateTime::TAKES, ExtensionNumber::TAKES];
    GeneratedTypes {
        tenant_fields: fields(tenant, |thing| Ok(&thing.get::<TenantRow>()?.settings)),
        tenant_inputs: inputs(tenant),
        kind_inputs: kinds
            .iter()
            .map(|kind| (kind.kind, [inputs(kind.common), inputs(kind.detail)].concat()))
            .collect(),
        definitions: objects.map(SchemaType::from).chain(definitions(tenant, &others)).collect(),
    }
}

/// The type of the objects of a kind.
fn kind_object(info: &'static KindInfo) -> Object {
    let object: ObjectBuilder<SectionValue> = rows::kind_type(info.kind, info.kind.about())
        .prepare(|row, call| Box::pin(async move { detail(row.kind, row.id, call.scope()?).await }));
    object.fields(detail_fields(info.detail)).build()
}

fn virtual_extension() -> Object {
    let about = "A virtual extension: an internal number that reaches several real extensions. Each section of\n\
                 its form is loaded only if it is selected.";
    let listed = "The phone books that list the extension: those that include extensions, if\n\
                  `callSettings.includeInPhoneBooks` is on.";
    let tenant = |thing: &Thing| thing.get::<ObjectRow>().ok().map(|row| row.id.tenant);
    let books = ReadResolver::batch(|extensions, _, reader| phone_books(extensions, reader)).depends_only_on(tenant);
    rows::kind_type(Kind::VirtualExtension, about)
        .field(SchemaField::new("phoneBooks", "[PhoneBook!]!", listed, Resolver::Read(books)))
        .fields(section_fields(|row: &ObjectRow| row.id))
        .build()
}

fn new_virtual_extension() -> Object {
    let about = "The form of a new virtual extension: the tenant's defaults. Number, name and login are empty.";
    object::<ObjectRow>("NewVirtualExtension", about)
        .now(
            "version",
            "Int!",
            "The version of the tenant's defaults; pass it as `expectedVersion` when you update the defaults.",
            |row| row.version.into(),
        )
        .source(FieldSource::Row(RowColumn::Version))
        .now("changedAt", "DateTime!", "When the tenant's defaults were last saved.", |row| {
            row.changed_at.answer().into()
        })
        .source(FieldSource::Row(RowColumn::ChangedAt))
        .fields(section_fields(|row: &ObjectRow| row.id))
        .build()
}

/// The phone books that list each of several extensions.
fn phone_books(extensions: &[Thing], reader: &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> {
    let ids = extensions.iter().map(|thing| Ok(thing.get::<ObjectRow>()?.id)).collect::<Result<Vec<_>>>()?;
    let Some(tenant) = ids.first().map(|id| id.tenant) else { return Ok(Vec::new()) };
    let query = &mut reader.query(tenant);
    let locals: Vec<_> = ids.iter().map(|id| id.local).collect();
    let settings = store::load_dyn_sections(query, CallSettings::section_info(), &locals)?;
    let is_listed = |id: &ObjectId| {
        let settings = settings.get(&id.local).and_then(|settings| settings.typed());
        settings.is_some_and(|settings: &CallSettings| settings.include_in_phone_books)
    };
    let listed = ids.iter().filter(|id| is_listed(id)).count();
    let books = if listed > 0 { store::objects_of_kind(query, Kind::PhoneBook)? } else { Vec::new() };
    let details: Vec<_> = books.iter().map(|book| book.id.local).collect();
    let details = store::load_dyn_sections(query, PhoneBook::section_info(), &details)?;
    reader.spend(listed * books.len());
    let lists = |book: &ObjectRow| {
        let detail = details.get(&book.id.local).and_then(|detail| detail.typed());
        detail.is_some_and(|book: &PhoneBook| book.include_extensions)
    };
    let books: Vec<_> = books.into_iter().filter(lists).map(Arc::new).collect();
    let of = |id: &ObjectId| match is_listed(id) {
        true => books.iter().map(|book| object_node(Arc::clone(book))).collect(),
        false => Node::List(Vec::new()),
    };
    Ok(ids.iter().map(of).collect())
}
