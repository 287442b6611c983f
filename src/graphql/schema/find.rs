//! Lists of every kind: pages, single objects and their arguments.

use std::sync::Arc;

use async_graphql::Result;

use super::filter::{filter_from_input, filter_type};
use super::nodes::object_node;
use super::pages::{Edge, Edges, edge_type, edges_field, nodes_field, page_args, page_field, page_length};
use crate::domain::{ExtensionNumber, Kind, ObjectId, Patch, TenantId};
use crate::form::camel;
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Call, FieldSource, InputObject, InputValue, Node, PageSource, Resolver, SchemaField, SchemaType,
    TenantSource, Thing, input, object,
};
use crate::service::find::Find;
use crate::store::{self, ObjectRow, OrderDirection, OrderField, TenantRow};

/// The input that identifies one object.
pub fn object_by_type() -> InputObject {
    input("ObjectBy", "Identifies an object by exactly one of these fields.")
        .one_of()
        .field("id", "ID", "The opaque id.")
        .field("number", "ExtensionNumber", "The number that is dialled to reach the object.")
        .field(
            "name",
            "String",
            "The name; case and accents are ignored. Nothing is found if several objects of the kind have this name.",
        )
}

/// What `totalCount` counts.
struct CountedFind {
    find: Find,
    tenant: TenantId,
}

/// A name that is built once, together with the schema: type names live as long as the program.
fn static_name(name: String) -> &'static str {
    name.leak()
}

/// The types of a page and of an edge, for objects of a kind.
pub fn connection_types(kind: Kind) -> [SchemaType; 2] {
    let name = kind.name();
    let edge_name = static_name(format!("{name}Edge"));
    let connection = object::<Edges>(format!("{name}Connection"), "A page of objects of one kind.")
        .field(edges_field(edge_name, "The objects of the page with their cursors."))
        .field(nodes_field(name, "The objects of the page without their cursors."))
        .field(page_field())
        .later(
            "totalCount",
            "Int!",
            "The number of objects on all pages; counted only if it is selected.",
            |edges, call| Box::pin(async move { total_count(edges, call).await }),
        )
        .source(FieldSource::Page(PageSource::Total));
    let cursor = "The position of the object in the whole list; pass it to `after` with the same `orderBy`.";
    [connection.into(), edge_type(edge_name, "An object on a page.", (name, "The object."), cursor).into()]
}

async fn total_count(edges: &Edges, call: Call<'_>) -> Result<Node> {
    let CountedFind { find, tenant } = edges.extra.get()?;
    let find = find.clone();
    Ok(call.scope()?.read(*tenant, move |query| find.count(query)).await?.into())
}

/// A tenant's fields for a kind: one object, and a list.
pub fn list_fields(kind: Kind) -> [SchemaField; 2] {
    let (name, (single, list)) = (kind.name(), kind.fields());
    let (one_about, all_about, ordered, searched) = if kind == Kind::VirtualExtension {
        (
            "One virtual extension. Null if the tenant has no matching one.".to_owned(),
            "The virtual extensions of the tenant, filtered and paginated. By default sorted by number, digit by\n\
             digit from left to right."
                .to_owned(),
            "The sort order; by default by number.",
            "number, name, description, reference id, branch or department",
        )
    } else {
        (
            format!("One `{name}` of the tenant. Null if there is no matching one."),
            format!(
                "The objects of the type `{name}` in the tenant, filtered and paginated. By default sorted by name."
            ),
            "The sort order; by default by name.",
            "number, name or description",
        )
    };
    let answer = Resolver::later(move |thing, call| Box::pin(async move { resolve_one(thing, call, kind).await }));
    let one = SchemaField::new(camel(single), name, one_about, answer)
        .arg(InputValue::new("by", "ObjectBy!", "Which object to return."))
        .source(FieldSource::Tenant(TenantSource::One(kind)));
    let connection = static_name(format!("{name}Connection"));
    let answer =
        Resolver::later(move |thing, call| Box::pin(async move { resolve_page(thing, call, kind, connection).await }));
    let search = format!("Words or beginnings of words, at most 8. Each must match a word in {searched}.");
    let all = page_args()
        .into_iter()
        .fold(SchemaField::new(camel(list), &format!("{connection}!"), all_about, answer), SchemaField::arg)
        .source(FieldSource::Tenant(TenantSource::Page(kind)))
        .arg(InputValue::new("filter", filter_type(kind), "Only objects that match this filter; by default all."))
        .arg(InputValue::new("orderBy", "ObjectOrder", ordered))
        .arg(InputValue::new("search", "String", search));
    [one, all]
}

/// The list that these arguments describe.
///
/// # Errors
/// What is wrong with the arguments.
pub fn find_from_args(kind: Kind, args: &Patch) -> Result<Find> {
    let mut find = Find::all(kind);
    if let Some(sent) = args.object("filter")? {
        find = find.filtered(filter_from_input(sent)?);
    }
    if let Some(order) = args.object("orderBy")?
        && let Some(field) = order.choice("field", OrderField::from_word)?
    {
        let direction = order.choice("direction", OrderDirection::from_word)?.unwrap_or(OrderDirection::Asc);
        find = find.in_order(field, direction);
    }
    let search = args.text("search")?.unwrap_or_default();
    find.searched(search).map_err(|sentence| coded("BAD_USER_INPUT", sentence))
}

async fn resolve_page(thing: &Thing, call: Call<'_>, kind: Kind, connection: &'static str) -> Result<Node> {
    let tenant = thing.get::<TenantRow>()?.id;
    let find = find_from_args(kind, call.args)?;
    let first = page_length(call.args.int("first")?)?.unsigned_abs() as usize;
    let wrong = || coded("BAD_USER_INPUT", "after must be a cursor from this field with the same orderBy.");
    let after = call.args.text("after")?.map(|cursor| find.place(cursor).ok_or_else(wrong)).transpose()?;
    let (scope, has_previous, looking) = (call.scope()?, after.is_some(), find.clone());
    let page = scope.read(tenant, move |query| looking.page(query, first, after.as_ref())).await?;
    scope.spend(page.rows.len())?;
    let edge = |(row, cursor)| Edge { node: (kind.name(), Thing::shared(row)), cursor };
    let edges = page.rows.into_iter().map(edge);
    Ok(Node::object(connection, Edges::new(edges, page.more, has_previous, Thing::new(CountedFind { find, tenant }))))
}

/// Finds the one object of a kind that `by` identifies.
async fn resolve_one(thing: &Thing, call: Call<'_>, kind: Kind) -> Result<Node> {
    let (tenant, scope) = (thing.get::<TenantRow>()?.id, call.scope()?);
    let by = call.args.required_object("by")?;
    let row: Option<Arc<ObjectRow>> = if let Some(id) = by.text("id")? {
        match ObjectId::from_opaque(id).filter(|id| id.tenant == tenant) {
            Some(id) => scope.object(id).await?,
            None => None,
        }
    } else if let Some(number) = by.text("number")? {
        match ExtensionNumber::read(number) {
            Ok(number) => {
                scope.read(tenant, move |query| store::object_by_number(query, number.as_str())).await?.map(Arc::new)
            }
            Err(_) => None,
        }
    } else {
        let name = by.required_text("name")?.to_owned();
        scope.read(tenant, move |query| store::object_by_name(query, kind, &name)).await?.map(Arc::new)
    };
    Ok(row.filter(|row| row.kind == kind).map_or(Node::Null, object_node))
}
