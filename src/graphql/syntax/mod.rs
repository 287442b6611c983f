//! Parsing a text to a document: the grammar of GraphQL (September 2025, sections 2 and appendix B), with the limits of
//! [`Limits`] checked while parsing. Nothing recurses deeper than [`Limits::max_nesting`], and nothing is read twice.
//! Why the parser is our own: `docs/decisions/0026-own-grammar-and-validation.md`.

mod definitions;
mod expand;
mod lexer;
mod outline;
mod parser;
#[cfg(test)]
mod properties;
mod refused;
mod selection;
mod strings;
#[cfg(test)]
mod tests;
mod value;

use async_graphql::parser::types::ExecutableDocument;

pub use refused::RefusedDocument;

use self::expand::check;
use self::parser::Parser;
use self::refused::exceeded;
use super::limits::{Limit, Limits};

/// Parses a document.
///
/// # Errors
/// The first limit that it exceeds, the first place where it breaks the grammar, or all names that occur twice where
/// they must be unique.
pub fn parse(text: &str, limits: &Limits) -> Result<ExecutableDocument, RefusedDocument> {
    if text.len() > limits.max_query {
        return Err(exceeded(Limit::Query, limits.max_query, text.len(), None).into());
    }
    let (outline, document) = Parser::new(text, limits).document()?;
    check(&outline, limits)?;
    document
}
