//! The outline of a text: its definitions, as far as they are needed to count fields.

use async_graphql::Pos;

/// The definitions of a text and the fragments that they spread: everything that is needed to count fields.
#[derive(Default)]
pub(super) struct Outline<'a> {
    pub(super) definitions: Vec<Definition<'a>>,
    /// In the order of the text, so that the spreads of a definition are adjacent.
    pub(super) spreads: Vec<Spread<'a>>,
}

/// An operation or a fragment.
pub(super) struct Definition<'a> {
    /// The name of a fragment; `None` for an operation.
    pub(super) fragment: Option<&'a str>,
    pub(super) at: Pos,
    /// The number of fields, spreads and inline fragments in it.
    pub(super) fields: usize,
    /// The depth of its deepest field, and where that is.
    pub(super) deepest: (usize, Pos),
    /// The index of its first spread. Its spreads end where those of the next definition start.
    pub(super) spreads: usize,
}

/// `...Name` in a definition.
pub(super) struct Spread<'a> {
    pub(super) fragment: &'a str,
    pub(super) at: Pos,
    /// The number of fields around it; `None` inside of introspection.
    pub(super) depth: Option<usize>,
}
