//! The schema as it describes itself, and documents that are held against it.

use std::sync::LazyLock;

use async_graphql::{SDLExportOptions, Schema, ServerError, ValidationMode};

use super::documents::ParsedDocument;
use super::layer::{LayerSource as _, Mutation, Query, Subscription};
use super::limits::Limits;
use super::prices::Prices;
use super::schema::Vext;
use super::syntax::RefusedDocument;
use super::validation::{Types, definitions, validate};

/// As async-graphql executes it.
pub(super) type TheSchema = Schema<Query<Vext>, Mutation<Vext>, Subscription<Vext>>;

/// The schema. It executes documents that have been validated, so that async-graphql's own checks are set to the
/// fewest.
pub(super) fn schema(limits: &Limits) -> TheSchema {
    // Selections are bounded before, see `Api::estimate`. This bounds what stands in them without being one, fragments
    // in fragments: one for each level.
    let nesting = 2 * limits.max_depth.max(limits.max_introspection_depth);
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(nesting)
        .finish()
}

/// What the schema says of itself.
pub(super) struct DescribedSchema {
    /// What its fields cost.
    pub(super) prices: Prices,
    /// What documents are held against.
    pub(super) types: Types,
}

/// Read once.
pub(super) static DESCRIBED: LazyLock<DescribedSchema> = LazyLock::new(|| match definitions(Vext::layer()) {
    Ok(definitions) => DescribedSchema { prices: Prices::read(&definitions), types: Types::read(definitions) },
    Err(error) => unreachable!("the schema can be read: {error}"),
});

/// Describes the schema, which takes some 10 ms, so that the first [`Api`](super::Api) is made at once.
pub fn prepare() {
    LazyLock::force(&DESCRIBED);
}

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(&Limits::default()).sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// A document that has passed complete validation; needs no application.
///
/// # Errors
/// All that is wrong with it, whatever its variables. Where the schema is `explorable`, names are suggested.
pub fn validated(document: ParsedDocument, explorable: bool) -> Result<ParsedDocument, Vec<ServerError>> {
    if document.new_length().is_none() {
        return Ok(document);
    }
    let found = validate(document.parsed(), &DESCRIBED.types, explorable)?;
    Ok(document.checked(found))
}

/// The document of a text, validated.
///
/// # Errors
/// The limit that it passes, or all that is wrong with it.
pub fn document(text: &str, limits: &Limits, explorable: bool) -> Result<ParsedDocument, Vec<ServerError>> {
    validated(ParsedDocument::parse(text, limits).map_err(RefusedDocument::into_errors)?, explorable)
}
