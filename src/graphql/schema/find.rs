//! Lists of every kind: pages of them, single objects, and what of them is asked.

use std::sync::Arc;

use async_graphql::Result;

use super::filter::{filter, filter_type};
use super::nodes::node_of;
use super::pages::{Edge, Edges, edge, edges_field, nodes_field, page_args, page_field, page_length};
use crate::domain::{ExtensionNumber, Kind, ObjectId, Patch, TenantId};
use crate::form::camel;
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    Call, FieldSource, Given as _, InputObject, InputValue, Node, OfPage, OfTenant, Resolver, SchemaField, SchemaType,
    Thing, input, object,
};
use crate::service::find::Find;
use crate::store::{self, ObjectRow, OrderDirection, OrderField, TenantRow};

/// How an object is found.
pub fn object_by() -> InputObject {
    input("ObjectBy", "How an object is found: exactly one field is given.")
        .one_of()
        .field("id", "ID", "Its opaque id.")
        .field("number", "ExtensionNumber", "The number that is dialled for it.")
        .field(
            "name",
            "String",
            "Its name, whatever its capitals and accents; nothing is found when several objects of the kind have it.",
        )
}

/// What a connection counts.
struct CountedFind {
    find: Find,
    tenant: TenantId,
}

/// A name that is put together once, when the schema is: types are known by names that live as long as the program.
fn lasting(name: String) -> &'static str {
    name.leak()
}

/// The types of a page of a kind's objects and of an entry on it.
pub fn connection_types(kind: Kind) -> [SchemaType; 2] {
    let name = kind.name();
    let edge_type = lasting(format!("{name}Edge"));
    let connection = object::<Edges>(format!("{name}Connection"), "A page of objects of one kind.")
        .field(edges_field(edge_type, "The objects with their cursors."))
        .field(nodes_field(name, "The objects of the page, without their cursors."))
        .field(page_field())
        .later(
            "totalCount",
            "Int!",
            "How many there are on all pages together; counted only when it is selected.",
            |edges, call| Box::pin(async move { total_count(edges, call).await }),
        )
        .read(FieldSource::Page(OfPage::Total));
    let cursor = "Where the object stands in the whole list: good for `after`, with the same `orderBy`.";
    [connection.into(), edge(edge_type, "An object on a page.", (name, "The object."), cursor).into()]
}

async fn total_count(edges: &Edges, call: Call<'_>) -> Result<Node> {
    let CountedFind { find, tenant } = edges.of.get()?;
    let find = find.clone();
    Ok(call.scope()?.read(*tenant, move |query| find.count(query)).await?.into())
}

/// A tenant's fields for a kind: one object, and all of them.
pub fn list_fields(kind: Kind) -> [SchemaField; 2] {
    let (name, (single, list)) = (kind.name(), kind.fields());
    let (one_about, all_about, ordered, searched) = if kind == Kind::VirtualExtension {
        (
            "One virtual extension. Null when the tenant has no such one.".to_owned(),
            "The virtual extensions, by number unless `orderBy` says otherwise: in the order of the numbers' digits from\n\
             left to right."
                .to_owned(),
            "The order; left out, by number.",
            "number, name, description, reference id, branch or department",
        )
    } else {
        (
            format!("The one `{name}` that is meant. Null when the tenant has no such one."),
            format!("Every `{name}` of the tenant, by name unless `orderBy` says otherwise."),
            "The order; left out, by name.",
            "number, name or description",
        )
    };
    let answer = Resolver::later(move |thing, call| Box::pin(async move { one(thing, call, kind).await }));
    let one = SchemaField::new(camel(single), name, one_about, answer)
        .arg(InputValue::new("by", "ObjectBy!", "Which one."))
        .read(FieldSource::Tenant(OfTenant::One(kind)));
    let connection = lasting(format!("{name}Connection"));
    let answer = Resolver::later(move |thing, call| Box::pin(async move { all(thing, call, kind, connection).await }));
    let search = format!("Beginnings of words, at most 8, each of which must be found in {searched}.");
    let all = page_args()
        .into_iter()
        .fold(SchemaField::new(camel(list), &format!("{connection}!"), all_about, answer), SchemaField::arg)
        .read(FieldSource::Tenant(OfTenant::Page(kind)))
        .arg(InputValue::new("filter", filter_type(kind), "What is let through; left out, everything."))
        .arg(InputValue::new("orderBy", "ObjectOrder", ordered))
        .arg(InputValue::new("search", "String", search));
    [one, all]
}

/// What is looked for.
///
/// # Errors
/// What is wrong with the arguments.
pub fn find(kind: Kind, args: &Patch) -> Result<Find> {
    let mut find = Find::all(kind);
    if let Some(sent) = args.object("filter")? {
        find = find.filtered(filter(sent)?);
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

async fn all(thing: &Thing, call: Call<'_>, kind: Kind, connection: &'static str) -> Result<Node> {
    let tenant = thing.get::<TenantRow>()?.id;
    let find = find(kind, call.args)?;
    let first = page_length(call.args.int("first")?)?.unsigned_abs() as usize;
    let wrong =
        || coded("BAD_USER_INPUT", "after must be a cursor that this field has answered with the same orderBy.");
    let after = call.args.text("after")?.map(|cursor| find.place(cursor).ok_or_else(wrong)).transpose()?;
    let (scope, behind, looking) = (call.scope()?, after.is_some(), find.clone());
    let page = scope.read(tenant, move |query| looking.page(query, first, after.as_ref())).await?;
    scope.spend(page.rows.len())?;
    let edge = |(row, cursor)| Edge { node: (kind.name(), Thing::shared(row)), cursor };
    let edges = page.rows.into_iter().map(edge);
    Ok(Node::object(connection, Edges::new(edges, page.more, behind, Thing::of(CountedFind { find, tenant }))))
}

/// The one object of a kind that is meant.
async fn one(thing: &Thing, call: Call<'_>, kind: Kind) -> Result<Node> {
    let (tenant, scope) = (thing.get::<TenantRow>()?.id, call.scope()?);
    let by = call.args.the_object("by")?;
    let row: Option<Arc<ObjectRow>> = if let Some(id) = by.text("id")? {
        match ObjectId::from_opaque(id).filter(|id| id.tenant == tenant) {
            Some(id) => scope.object(id).await?,
            None => None,
        }
    } else if let Some(number) = by.text("number")? {
        match ExtensionNumber::read(number) {
            Ok(number) => {
                scope.read(tenant, move |query| store::plain_row(query, number.as_str())).await?.map(Arc::new)
            }
            Err(_) => None,
        }
    } else {
        let name = by.the_text("name")?.to_owned();
        scope.read(tenant, move |query| store::only_named(query, kind, &name)).await?.map(Arc::new)
    };
    Ok(row.filter(|row| row.kind == kind).map_or(Node::Null, node_of))
}
