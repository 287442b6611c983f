//! Where an object is used.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Result;

use super::nodes::object_node;
use super::pages::{
    Edge, Edges, edge_type, edges_field, kinds_arg, kinds_from_args, nodes_field, page_args, page_field, page_length,
};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Args, FieldReader, Node, ObjectBuilder, ReadError, ReadResolver, Resolver, SchemaField, SchemaType,
    Thing, object,
};
use crate::service::label;
use crate::store::{self, ObjectRow, ReferenceCount, ReferencePlace, ReferenceQuery, ReferenceRow, ReferenceStrength};

fn strength(hard: bool) -> Node {
    if hard { ReferenceStrength::Hard.word().into() } else { ReferenceStrength::Soft.word().into() }
}

/// The number of places by kind and strength; empty if it is not selected.
type Counts = Vec<ReferenceCount>;

/// The field that refers, without indexes in lists: `additionalDestinations.onBusy`.
fn slot(row: &ReferenceRow) -> &[String] {
    let length = row.path.iter().take_while(|step| step.parse::<u32>().is_err()).count();
    row.path.get(..length).unwrap_or_default()
}

/// The types of references.
pub fn definitions() -> Vec<SchemaType> {
    let reference = object::<ReferenceRow>("ObjectReference", "A place where an object is used.")
        .now("kind", "Kind!", "The kind of the object that refers.", |row| row.owner.kind.word().into())
        .now("label", "String!", "Number and name of the object that refers.", |row| label(&row.owner).into())
        .now("slot", "[String!]!", "The field that refers, such as `additionalDestinations`, `onBusy`.", |row| {
            slot(row).into()
        })
        .now("path", "[String!]!", "The path of the reference in the object, with indexes in lists.", |row| {
            row.path.as_slice().into()
        })
        .now("strength", "ReferenceStrength!", "Whether it refers by id, or by a text that equals the number.", |row| {
            strength(row.hard)
        })
        .now(
            "object",
            "PbxObject",
            "The object that refers; null for the tenant's defaults, see `newVirtualExtension`.",
            |row| object_node(Arc::clone(&row.owner)),
        );
    let edge = edge_type(
        "ObjectReferenceEdge",
        "A place where an object is used, on a page.",
        ("ObjectReference", "The place."),
        "The position in the whole list; pass it to `after`.",
    );
    let count = object::<ReferenceCount>("ObjectReferenceCount", "How often objects of one kind use an object.")
        .now("kind", "Kind!", "The kind of the objects that refer.", |count| count.kind.word().into())
        .now(
            "strength",
            "ReferenceStrength!",
            "Whether they refer by id, or by a text that equals the number.",
            |count| strength(count.hard),
        )
        .now("count", "Int!", "The number of places.", |count| count.count.into());
    vec![
        super::shapes::choice_type(ReferenceStrength::TYPE).into(),
        reference.into(),
        edge.into(),
        connection().into(),
        count.into(),
    ]
}

fn connection() -> ObjectBuilder<Edges> {
    object::<Edges>("ObjectReferenceConnection", "A page of the places where an object is used.")
        .field(edges_field("ObjectReferenceEdge", "The places of the page with their cursors."))
        .field(page_field())
        .field(nodes_field("ObjectReference", "The places of the page without their cursors."))
        .field(of_counts(
            ("totalCount", "Int!"),
            "The number of places on all pages; counted only if it is selected.",
            |counts| counts.iter().map(|count| count.count).sum::<i64>().into(),
        ))
        .field(of_counts(
            ("counts", "[ObjectReferenceCount!]!"),
            "The number of places on all pages, by kind and strength.",
            |counts| Node::objects("ObjectReferenceCount", counts.iter().copied()),
        ))
}

fn of_counts((name, ty): (&'static str, &str), about: &'static str, get: fn(&Counts) -> Node) -> SchemaField {
    SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(get(thing.get::<Edges>()?.extra.get()?))))
}

/// The field that lists where an object is used. `object` gets the object from a thing.
pub fn references_field(about: &'static str, object: fn(&Thing) -> Result<Arc<ObjectRow>>) -> SchemaField {
    let tenant = move |thing: &Thing| object(thing).ok().map(|row| row.id.tenant);
    let reads = ReadResolver::batch(move |things, args, reader| {
        let targets = things.iter().map(object).collect::<Result<Vec<_>>>()?;
        references(&targets, args, reader)
    });
    let field = SchemaField::new(
        "references",
        "ObjectReferenceConnection!",
        about,
        Resolver::Read(reads.depends_only_on(tenant)),
    );
    let args = page_args().into_iter().chain([kinds_arg("Only places in objects of these kinds; by default all.")]);
    args.fold(field, SchemaField::arg)
}

/// The pages of the places where objects are used.
fn references(targets: &[Arc<ObjectRow>], args: &Args, reader: &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> {
    let first = page_length(args.int("first")?)?;
    let (after, kinds) = (args.text("after")?, kinds_from_args(args)?);
    let wrong = || coded("BAD_USER_INPUT", "after must be a cursor from this field.");
    let position = after.map(|cursor| ReferencePlace::from_cursor(cursor).ok_or_else(wrong)).transpose()?;
    let Some(tenant) = targets.first().map(|target| target.id.tenant) else { return Ok(Vec::new()) };
    let counted = ["totalCount", "counts"].iter().any(|name| reader.selects(name));
    let query = &mut reader.query(tenant);
    let asked = ReferenceQuery { kinds: kinds.clone(), after: position, limit: first + 1 };
    let mut found = store::references(query, targets, &asked)?;
    let mut counts = if counted { store::count_references(query, targets, kinds.as_deref())? } else { HashMap::new() };
    reader.spend(found.values().map(Vec::len).sum());
    let page = usize::try_from(first).unwrap_or_default();
    let connection = |target: &Arc<ObjectRow>| {
        let mut rows = found.remove(&target.id.local).unwrap_or_default();
        let more = rows.len() > page;
        rows.truncate(page);
        let edge =
            |row: ReferenceRow| Edge { cursor: row.position.cursor(), node: ("ObjectReference", Thing::new(row)) };
        let counts: Counts = counts.remove(&target.id.local).unwrap_or_default();
        let edges = Edges::new(rows.into_iter().map(edge), more, after.is_some(), Thing::new(counts));
        Node::object("ObjectReferenceConnection", edges)
    };
    Ok(targets.iter().map(connection).collect())
}
