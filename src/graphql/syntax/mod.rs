//! From a text to a document: the grammar of GraphQL (September 2025, sections 2 and appendix B), with the limits of
//! [`Limits`] kept while it is read. Nothing recurs deeper than [`Limits::max_nesting`], nothing is read twice. Why it
//! is our own: `docs/decisions/0026-own-grammar-and-validation.md`.

mod definitions;
mod expand;
mod lexer;
mod parser;
#[cfg(test)]
mod properties;
mod selection;
mod strings;
#[cfg(test)]
mod tests;
mod value;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Pos, ServerError};

use super::errors::{self, Code};
use super::limits::{Exceeded, Limit, Limits};

/// Why a text is no document that is answered.
#[derive(Debug)]
pub enum Refused {
    /// It passes a limit.
    Limit(Exceeded),
    /// It breaks the grammar, or names two things alike where a document can hold only one.
    Document(Vec<ServerError>),
}

impl Refused {
    /// The errors that the client gets.
    pub fn into_errors(self) -> Vec<ServerError> {
        match self {
            Refused::Limit(exceeded) => vec![exceeded.error()],
            Refused::Document(errors) => errors,
        }
    }

    fn syntax(sentence: impl Into<String>, at: Pos) -> Self {
        Refused::Document(vec![errors::error(Code::Syntax, sentence, Some(at))])
    }
}

impl From<Exceeded> for Refused {
    fn from(exceeded: Exceeded) -> Self {
        Refused::Limit(exceeded)
    }
}

/// Reads a document.
///
/// # Errors
/// The first limit that it passes, the first place where it breaks the grammar, or all that stands twice in it and may
/// stand there once.
pub fn parse(text: &str, limits: &Limits) -> Result<ExecutableDocument, Refused> {
    if text.len() > limits.max_query {
        return Err(exceeded(Limit::Query, limits.max_query, text.len(), None).into());
    }
    let (outline, document) = parser::Parser::new(text, limits).document()?;
    expand::check(&outline, limits)?;
    document
}

fn exceeded(limit: Limit, allowed: usize, actual: usize, at: Option<Pos>) -> Exceeded {
    Exceeded { limit, allowed: allowed as u64, actual: actual as u64, at }
}

/// What a text defines and how its definitions hang together, which is all that counting its fields takes.
#[derive(Default)]
struct Outline<'a> {
    definitions: Vec<Definition<'a>>,
    /// In the order of the text, so that those of a definition are neighbours.
    spreads: Vec<Spread<'a>>,
}

/// An operation or a fragment.
struct Definition<'a> {
    /// Of a fragment.
    fragment: Option<&'a str>,
    at: Pos,
    /// The fields, spreads and inline fragments that stand in it.
    fields: usize,
    /// The deepest field that stands in it, and where.
    deepest: (usize, Pos),
    /// The first of its spreads; they end where those of the next definition begin.
    spreads: usize,
}

/// `...Name` in a definition.
struct Spread<'a> {
    fragment: &'a str,
    at: Pos,
    /// How many fields are around it, unless introspection is one of them.
    depth: Option<usize>,
}
