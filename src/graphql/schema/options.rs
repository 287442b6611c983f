//! Option lists for a form's select fields.

use std::sync::Arc;

use super::mutation::object_id;
use super::nodes::object_node;
use super::pages::{Edge, Edges, edge_type, edges_field, nodes_field, page_args, page_field, page_length};
use crate::domain::{Kind, opaque};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, Args, FieldReader, Node, ReadError, ReadResolver, SchemaField, SchemaType, Thing, fields_of, object,
};
use crate::service::options;
use crate::store::{ObjectRow, TenantRow};

/// An object that a field can refer to.
struct Offer {
    object: Arc<ObjectRow>,
    chosen: bool,
}

/// A field that refers to objects: its path and the kinds of these objects.
type Referring = (&'static String, &'static Vec<Kind>);

/// The types of option lists.
pub fn definitions() -> Vec<SchemaType> {
    let offer = object::<Offer>("Offer", "An object that a field can refer to.")
        .now("object", "PbxObject", "The object.", |offer| object_node(Arc::clone(&offer.object)))
        .now("chosen", "Boolean!", "Whether the field already refers to the object.", |offer| offer.chosen.into());
    let edge = edge_type(
        "OfferEdge",
        "An object that a field can refer to, on a page.",
        ("Offer", "The object."),
        "The position of the object in the whole list; pass it to `after`.",
    );
    let connection = object::<Edges>("OfferConnection", "A page of the objects that a field can refer to.")
        .field(edges_field("OfferEdge", "The objects of the page with their cursors."))
        .field(page_field())
        .field(nodes_field("Offer", "The objects of the page without their cursors."));
    let referring = object::<Referring>("ReferringField", "A field that refers to objects.")
        .now(
            "path",
            "[String!]!",
            "Section and field of a form, such as `information`, `memberIds`, or kind and field of another\n\
             object, such as `queue`, `members`, `extensionId`. Pass it to `options(for:)`.",
            |(path, _)| Node::list(path.split('.')),
        )
        .now("kinds", "[Kind!]!", "The kinds of objects that the field can refer to.", |(_, kinds)| {
            Node::list(kinds.iter().map(|kind| kind.word()))
        });
    vec![offer.into(), edge.into(), connection.into(), referring.into()]
}

/// A tenant's fields for option lists.
pub fn fields() -> Vec<SchemaField> {
    fields_of::<TenantRow>()
        .reads(
            "options",
            "OfferConnection!",
            "The objects that a field can refer to, kind by kind, each kind in the order of its own list.\n\
             Objects of the right kind that do not fit the field are left out, such as a condition without a\n\
             time check for working hours.",
            // Which conditions fit may depend on the time.
            ReadResolver::each(|thing, args, reader| offers(thing.get()?, args, reader)),
        )
        .arg("for", "[String!]!", "The field, such as `information`, `memberIds`; `optionFields` lists all of them.")
        .arg(
            "of",
            "ID",
            "The id of the object that has the field. The objects that it already refers to are marked, and the\n\
             object itself is not offered.",
        )
        .arg("search", "String", "Words or beginnings of words, at most 8. Each must match.")
        .args(page_args())
        .now("optionFields", "[ReferringField!]!", "The fields that refer to objects.", |_| {
            Node::objects::<Referring>("ReferringField", options::fields())
        })
        .only_fields()
}

fn offers(tenant: &TenantRow, args: &Args, reader: &mut FieldReader<'_>) -> Result<Node, ReadError> {
    let first = page_length(args.int("first")?)?.unsigned_abs() as usize;
    let after = args.text("after")?;
    let options = options::Options {
        field: args.texts("for")?.unwrap_or_default().join("."),
        of: args.text("of")?.map(object_id),
        search: args.text("search")?.unwrap_or_default().to_owned(),
        first,
        after: after.map(|cursor| opaque::read(cursor).unwrap_or_default()),
    };
    options.check().map_err(|sentence| coded("BAD_USER_INPUT", sentence))?;
    let now = reader.now;
    let offered = options.page(&mut reader.query(tenant.id), now)?;
    reader.spend(offered.rows.len());
    let edge = |(object, chosen, cursor): (_, bool, String)| Edge {
        node: ("Offer", Thing::new(Offer { object, chosen })),
        cursor: opaque::write(cursor),
    };
    let edges = Edges::new(offered.rows.into_iter().map(edge), offered.more, after.is_some(), Thing::new(()));
    Ok(Node::object("OfferConnection", edges))
}
