//! The schema's own description, and validation of documents against it.

use std::sync::LazyLock;

use async_graphql::{SDLExportOptions, Schema, ServerError, ValidationMode};

use super::documents::ParsedDocument;
use super::layer::{LayerSource as _, Mutation, Query, Subscription};
use super::limits::Limits;
use super::prices::Prices;
use super::schema::Vext;
use super::syntax::RefusedDocument;
use super::validation::{Types, definitions, validate};

/// The schema in the form that async-graphql executes.
pub(super) type TheSchema = Schema<Query<Vext>, Mutation<Vext>, Subscription<Vext>>;

/// The schema. It only executes validated documents, so async-graphql's own checks are set to the minimum.
pub(super) fn schema(limits: &Limits) -> TheSchema {
    // `Api::estimate` has bounded the selections. This bounds nested fragments too, one per level.
    let nesting = 2 * limits.max_depth.max(limits.max_introspection_depth);
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(nesting)
        .finish()
}

/// What is derived from the schema's definitions.
pub(super) struct DescribedSchema {
    /// What its fields cost.
    pub(super) prices: Prices,
    /// The types that documents are validated against.
    pub(super) types: Types,
}

/// Built once.
pub(super) static DESCRIBED: LazyLock<DescribedSchema> = LazyLock::new(|| match definitions(Vext::layer()) {
    Ok(definitions) => DescribedSchema { prices: Prices::read(&definitions), types: Types::read(definitions) },
    Err(error) => unreachable!("the schema can be read: {error}"),
});

/// Builds the description of the schema, which takes some 10 ms, so that the first [`Api`](super::Api) is made without delay.
pub fn prepare() {
    LazyLock::force(&DESCRIBED);
}

/// The schema in the schema definition language, as `schema.graphql` keeps it.
pub fn sdl() -> String {
    schema(&Limits::default()).sdl_with_options(SDLExportOptions::new().include_specified_by())
}

/// The document, validated. Needs no application.
///
/// # Errors
/// All that is wrong with it, whatever its variables. If the schema is `explorable`, errors suggest names.
pub fn validate_document(document: ParsedDocument, explorable: bool) -> Result<ParsedDocument, Vec<ServerError>> {
    if document.unvalidated_length().is_none() {
        return Ok(document);
    }
    let found = validate(document.parsed(), &DESCRIBED.types, explorable)?;
    Ok(document.with_validation(found))
}

/// Parses and validates a text.
///
/// # Errors
/// The limit that it exceeds, or all that is wrong with it.
pub fn parse_and_validate(text: &str, limits: &Limits, explorable: bool) -> Result<ParsedDocument, Vec<ServerError>> {
    validate_document(ParsedDocument::parse(text, limits).map_err(RefusedDocument::into_errors)?, explorable)
}
