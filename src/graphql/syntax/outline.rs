//! What a text defines, as far as counting its fields goes.

use async_graphql::Pos;

/// What a text defines and how its definitions hang together, which is all that counting its fields takes.
#[derive(Default)]
pub(super) struct Outline<'a> {
    pub(super) definitions: Vec<Definition<'a>>,
    /// In the order of the text, so that those of a definition are neighbours.
    pub(super) spreads: Vec<Spread<'a>>,
}

/// An operation or a fragment.
pub(super) struct Definition<'a> {
    /// Of a fragment.
    pub(super) fragment: Option<&'a str>,
    pub(super) at: Pos,
    /// The fields, spreads and inline fragments that stand in it.
    pub(super) fields: usize,
    /// The deepest field that stands in it, and where.
    pub(super) deepest: (usize, Pos),
    /// The first of its spreads; they end where those of the next definition begin.
    pub(super) spreads: usize,
}

/// `...Name` in a definition.
pub(super) struct Spread<'a> {
    pub(super) fragment: &'a str,
    pub(super) at: Pos,
    /// How many fields are around it, unless introspection is one of them.
    pub(super) depth: Option<usize>,
}
