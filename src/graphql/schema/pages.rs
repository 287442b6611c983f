//! Pages of lists: connections, edges and where a page stands.

use std::sync::Arc;

use async_graphql::Result;

use crate::domain::{Kind, Patch};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    FieldSource, Given as _, InputValue, Node, ObjectBuilder, OfEdge, OfPage, OfPageInfo, Resolver, SchemaField, Text,
    Thing, object,
};

/// How many entries a page has when the client does not say.
pub const PAGE: i64 = 20;
/// The most entries of a page, and the most ids of `nodes`.
pub const MOST: i64 = 100;

/// The length of a page that a client asks for, or does not.
pub fn page_length(first: Option<i64>) -> Result<i64> {
    let first = first.unwrap_or(PAGE);
    if (1..=MOST).contains(&first) {
        Ok(first)
    } else {
        Err(coded("BAD_USER_INPUT", format!("first must be 1 to {MOST}; it is {first}.")))
    }
}

/// The arguments that say which page is wanted.
pub fn page_args() -> [InputValue; 2] {
    [
        InputValue::new("first", "Int", "The length of the page: 1 to 100, 20 when left out."),
        InputValue::new("after", "String", "The cursor behind which the page begins; left out, at the beginning."),
    ]
}

/// The argument that says which kinds are wanted.
pub fn kinds_arg(about: &'static str) -> InputValue {
    InputValue::new("kinds", "[Kind!]", about)
}

/// The kinds that are wanted; `None` is all.
pub fn kinds(args: &Patch) -> Result<Option<Vec<Kind>>> {
    args.choices("kinds", Kind::from_word)
}

/// Where a page stands in the whole list.
#[derive(Clone)]
pub struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

/// The type of [`PageInfo`].
pub fn page_info() -> ObjectBuilder<PageInfo> {
    object::<PageInfo>("PageInfo", "Where a page stands in the whole list.")
        .now("hasNextPage", "Boolean!", "Whether there are entries behind the page.", |page| page.has_next_page.into())
        .read(FieldSource::PageInfo(OfPageInfo::HasNext))
        .now("hasPreviousPage", "Boolean!", "Whether there are entries before the page.", |page| {
            page.has_previous_page.into()
        })
        .read(FieldSource::PageInfo(OfPageInfo::HasPrevious))
        .now("startCursor", "String", "The cursor of the page's first entry; null on an empty page.", |page| {
            page.start_cursor.as_deref().into()
        })
        .read(FieldSource::PageInfo(OfPageInfo::Start))
        .now(
            "endCursor",
            "String",
            "The cursor of the page's last entry; null on an empty page. Of a lint that stopped early, where it goes on.",
            |page| page.end_cursor.as_deref().into(),
        )
        .read(FieldSource::PageInfo(OfPageInfo::End))
}

/// An entry of a page: what it is, and its cursor.
pub struct Edge {
    /// The name of the entry's type, and what stands behind it.
    pub node: (&'static str, Thing),
    /// Where it stands in the whole list.
    pub cursor: String,
}

impl Edge {
    fn node(&self) -> Node {
        let (name, thing) = &self.node;
        Node::Object(name, thing.clone())
    }
}

/// A page of any list: what stands behind every connection.
pub struct Edges {
    edges: Vec<Arc<Edge>>,
    page: PageInfo,
    /// What more the connection's own fields need.
    pub of: Thing,
}

impl Edges {
    /// Of a page with these entries: whether there are more behind it, and whether it was asked for behind a cursor.
    pub fn new(edges: impl IntoIterator<Item = Edge>, more: bool, behind: bool, of: Thing) -> Self {
        let edges: Vec<_> = edges.into_iter().map(Arc::new).collect();
        let [start_cursor, end_cursor] = [edges.first(), edges.last()].map(|edge| edge.map(|edge| edge.cursor.clone()));
        let page = PageInfo { has_next_page: more, has_previous_page: behind, start_cursor, end_cursor };
        Self { edges, page, of }
    }

    /// With another place to go on at than behind the last entry, if there is one.
    pub fn going_on(mut self, at: Option<String>) -> Self {
        self.page.end_cursor = at.or(self.page.end_cursor);
        self
    }
}

/// The field of a connection that has the entries with their cursors.
pub fn edges_field(edge: &'static str, about: &'static str) -> SchemaField {
    let answer = Resolver::now(move |thing, _| {
        let edges = thing.get::<Edges>()?.edges.iter();
        Ok(edges.map(|own| Node::shared(edge, Arc::clone(own))).collect())
    });
    SchemaField::new("edges", &format!("[{edge}!]!"), about, answer).read(FieldSource::Page(OfPage::Edges))
}

/// The field of a connection that has the entries without their cursors.
pub fn nodes_field(node: &str, about: &'static str) -> SchemaField {
    let answer = Resolver::now(|thing, _| Ok(thing.get::<Edges>()?.edges.iter().map(|edge| edge.node()).collect()));
    SchemaField::new("nodes", &format!("[{node}!]!"), about, answer).read(FieldSource::Page(OfPage::Nodes))
}

/// The field of a connection that says where the page stands.
pub fn page_field() -> SchemaField {
    let answer = Resolver::now(|thing, _| Ok(Node::object("PageInfo", thing.get::<Edges>()?.page.clone())));
    SchemaField::new("pageInfo", "PageInfo!", "Where the page stands in the whole list.", answer)
        .read(FieldSource::Page(OfPage::Info))
}

/// The type of an entry with its cursor.
pub fn edge(
    name: impl Into<Text>,
    about: impl Into<Text>,
    (node, node_about): (&str, &'static str),
    cursor_about: &'static str,
) -> ObjectBuilder<Edge> {
    object::<Edge>(name, about)
        .now("node", &format!("{node}!"), node_about, Edge::node)
        .read(FieldSource::Edge(OfEdge::Node))
        .now("cursor", "String!", cursor_about, |edge| edge.cursor.as_str().into())
        .read(FieldSource::Edge(OfEdge::Cursor))
}
