//! What of the schema is made of sections and kinds.

use std::sync::Arc;

use async_graphql::Result;

use super::sections::{Behind, definitions, detail, detail_fields, fields, inputs, section_fields};
use super::{Made, rows};
use crate::domain::{DateTime, ExtensionNumber, Kind, ObjectId, Scalar as _};
use crate::form::{CallSettings, Section, Typed as _};
use crate::graphql::layer::{Building, Call, Definition, Node, Object, OfRow, Read, object};
use crate::graphql::scope::Scope;
use crate::objects::{KindInfo, PhoneBook, TenantSettings};
use crate::store::{ObjectRow, TenantRow};

/// All of it.
pub fn made() -> Made {
    let tenant = TenantSettings::info_of();
    let kinds = KindInfo::all();
    let objects = kinds.iter().map(kind_object).chain([virtual_extension(), new_virtual_extension()]);
    let others = [DateTime::TAKES, ExtensionNumber::TAKES];
    Made {
        tenant_fields: fields(tenant, |thing| Ok(&thing.get::<TenantRow>()?.settings)),
        tenant_inputs: inputs(tenant),
        kind_inputs: kinds.iter().map(|kind| (kind.kind, [inputs(kind.head), inputs(kind.detail)].concat())).collect(),
        definitions: objects.map(Definition::from).chain(definitions(tenant, &others)).collect(),
    }
}

/// The type of the objects of a kind.
fn kind_object(info: &'static KindInfo) -> Object {
    let object: Building<Behind> = rows::kind_type(info.kind, info.kind.about())
        .prepare(|row, call| Box::pin(async move { detail(row.kind, row.id, call.scope()?).await }));
    object.fields(detail_fields(info.detail)).done()
}

fn virtual_extension() -> Object {
    let about = "A virtual extension: an internal number in front of several real extensions. Each section of its form is\n\
                 loaded when it is selected.";
    rows::kind_type(Kind::VirtualExtension, about)
        .later(
            "phoneBooks",
            "[PhoneBook!]!",
            "The phone books that list the extension: those that include extensions, while\n\
             `callSettings.includeInPhoneBooks` is on.",
            |row, call| Box::pin(async move { phone_books(row.id, call).await }),
        )
        .fields(section_fields(|row: &ObjectRow| row.id))
        .done()
}

fn new_virtual_extension() -> Object {
    let about =
        "The form that a new virtual extension opens with: the tenant's defaults. Number, name and login are empty.";
    object::<ObjectRow>("NewVirtualExtension", about)
        .now(
            "version",
            "Int!",
            "The version of the tenant's defaults; good for `expectedVersion` when the defaults are updated.",
            |row| row.version.into(),
        )
        .read(Read::Row(OfRow::Version))
        .now("changedAt", "DateTime!", "When the tenant's defaults were last saved.", |row| {
            row.changed_at.answer().into()
        })
        .read(Read::Row(OfRow::ChangedAt))
        .fields(section_fields(|row: &ObjectRow| row.id))
        .done()
}

async fn phone_books(id: ObjectId, call: Call<'_>) -> Result<Node> {
    let scope = call.scope()?;
    let settings = scope.section(CallSettings::info_of(), id).await?;
    if settings.typed().is_none_or(|settings: &CallSettings| !settings.include_in_phone_books) {
        return Ok(Node::List(Vec::new()));
    }
    let rows = scope.of_kind(id.tenant, Kind::PhoneBook).await?;
    let lists = futures_util::future::try_join_all(rows.iter().map(|row| lists_extensions(row, scope))).await?;
    Ok(rows.into_iter().zip(lists).filter(|(_, lists)| *lists).map(|(row, _)| rows::node_of(row)).collect())
}

async fn lists_extensions(row: &Arc<ObjectRow>, scope: &Scope) -> Result<bool> {
    let book: Arc<dyn Section> = scope.section(PhoneBook::info_of(), row.id).await?;
    Ok(book.typed().is_some_and(|book: &PhoneBook| book.include_extensions))
}
