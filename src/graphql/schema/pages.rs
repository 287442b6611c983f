//! Pages of lists: connections, edges and page information.

use std::sync::Arc;

use async_graphql::Result;

use crate::domain::{Kind, Patch};
use crate::graphql::errors::coded;
use crate::graphql::layer::{
    ArgValues as _, EdgeSource, FieldSource, InputValue, Node, ObjectBuilder, PageInfoSource, PageSource, Resolver,
    SchemaField, Text, Thing, object,
};

/// The length of a page if the client does not set `first`.
pub const DEFAULT_PAGE: i64 = 20;
/// The maximum length of a page, and the maximum number of ids in `nodes`.
pub const MAX_PAGE: i64 = 100;

/// The length of a page from the argument `first`.
pub fn page_length(first: Option<i64>) -> Result<i64> {
    let first = first.unwrap_or(DEFAULT_PAGE);
    if (1..=MAX_PAGE).contains(&first) {
        Ok(first)
    } else {
        Err(coded("BAD_USER_INPUT", format!("first must be 1 to {MAX_PAGE}; it is {first}.")))
    }
}

/// The arguments for pagination.
pub fn page_args() -> [InputValue; 2] {
    [
        InputValue::new("first", "Int", "The length of the page: 1 to 100, 20 by default."),
        InputValue::new("after", "String", "The page starts after this cursor; by default at the beginning."),
    ]
}

/// The argument for kinds.
pub fn kinds_arg(about: &'static str) -> InputValue {
    InputValue::new("kinds", "[Kind!]", about)
}

/// The kinds that a client wants; `None` for all.
pub fn kinds_from_args(args: &Patch) -> Result<Option<Vec<Kind>>> {
    args.choices("kinds", Kind::from_word)
}

/// Where a page is in the whole list.
#[derive(Clone)]
pub struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

/// The type of [`PageInfo`].
pub fn page_info_type() -> ObjectBuilder<PageInfo> {
    object::<PageInfo>("PageInfo", "Where a page is in the whole list.")
        .now("hasNextPage", "Boolean!", "Whether there are entries after the page.", |page| page.has_next_page.into())
        .source(FieldSource::PageInfo(PageInfoSource::HasNext))
        .now("hasPreviousPage", "Boolean!", "Whether there are entries before the page.", |page| {
            page.has_previous_page.into()
        })
        .source(FieldSource::PageInfo(PageInfoSource::HasPrevious))
        .now("startCursor", "String", "The cursor of the page's first entry; null on an empty page.", |page| {
            page.start_cursor.as_deref().into()
        })
        .source(FieldSource::PageInfo(PageInfoSource::Start))
        .now(
            "endCursor",
            "String",
            "The cursor of the page's last entry; null on an empty page. For a lint that stopped early, the\n\
             place to continue.",
            |page| page.end_cursor.as_deref().into(),
        )
        .source(FieldSource::PageInfo(PageInfoSource::End))
}

/// An entry of a page with its cursor.
pub struct Edge {
    /// The name of the entry's type, and the value behind the entry.
    pub node: (&'static str, Thing),
    /// Its position in the whole list.
    pub cursor: String,
}

impl Edge {
    fn node(&self) -> Node {
        let (name, thing) = &self.node;
        Node::Object(name, thing.clone())
    }
}

/// A page of any list: the value behind every connection.
pub struct Edges {
    edges: Vec<Arc<Edge>>,
    page: PageInfo,
    /// The data for the connection's own fields.
    pub extra: Thing,
}

impl Edges {
    /// A page with these entries. `has_next` tells whether there are entries after it, `has_previous` whether it was
    /// requested after a cursor.
    pub fn new(edges: impl IntoIterator<Item = Edge>, has_next: bool, has_previous: bool, extra: Thing) -> Self {
        let edges: Vec<_> = edges.into_iter().map(Arc::new).collect();
        let [start_cursor, end_cursor] = [edges.first(), edges.last()].map(|edge| edge.map(|edge| edge.cursor.clone()));
        let page = PageInfo { has_next_page: has_next, has_previous_page: has_previous, start_cursor, end_cursor };
        Self { edges, page, extra }
    }

    /// Sets another place to continue than after the last entry, if there is one.
    pub fn ending_at(mut self, at: Option<String>) -> Self {
        self.page.end_cursor = at.or(self.page.end_cursor);
        self
    }
}

/// The field of a connection with the edges.
pub fn edges_field(edge: &'static str, about: &'static str) -> SchemaField {
    let answer = Resolver::now(move |thing, _| {
        let edges = thing.get::<Edges>()?.edges.iter();
        Ok(edges.map(|own| Node::shared(edge, Arc::clone(own))).collect())
    });
    SchemaField::new("edges", &format!("[{edge}!]!"), about, answer).source(FieldSource::Page(PageSource::Edges))
}

/// The field of a connection with the entries only.
pub fn nodes_field(node: &str, about: &'static str) -> SchemaField {
    let answer = Resolver::now(|thing, _| Ok(thing.get::<Edges>()?.edges.iter().map(|edge| edge.node()).collect()));
    SchemaField::new("nodes", &format!("[{node}!]!"), about, answer).source(FieldSource::Page(PageSource::Nodes))
}

/// The field of a connection with the page information.
pub fn page_field() -> SchemaField {
    let answer = Resolver::now(|thing, _| Ok(Node::object("PageInfo", thing.get::<Edges>()?.page.clone())));
    SchemaField::new("pageInfo", "PageInfo!", "Where the page is in the whole list.", answer)
        .source(FieldSource::Page(PageSource::Info))
}

/// The type of an edge.
pub fn edge_type(
    name: impl Into<Text>,
    about: impl Into<Text>,
    (node, node_about): (&str, &'static str),
    cursor_about: &'static str,
) -> ObjectBuilder<Edge> {
    object::<Edge>(name, about)
        .now("node", &format!("{node}!"), node_about, Edge::node)
        .source(FieldSource::Edge(EdgeSource::Node))
        .now("cursor", "String!", cursor_about, |edge| edge.cursor.as_str().into())
        .source(FieldSource::Edge(EdgeSource::Cursor))
}
