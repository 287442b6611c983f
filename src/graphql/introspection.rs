//! Who may see the schema.

use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Pos, Positioned, ServerError};

use crate::service::Viewer;

/// The reason not to execute a document for a viewer, if it queries the schema: that requires the scope `explore`.
pub(super) fn refusal(document: &ExecutableDocument, viewer: Option<&Viewer>) -> Option<ServerError> {
    if viewer.is_some_and(|viewer| viewer.explore) {
        return None;
    }
    let code = if viewer.is_some() { "INTROSPECTION_FORBIDDEN" } else { "UNAUTHENTICATED" };
    let mut error = ServerError::new(
        "Introspection needs a token with the scope explore.",
        Some(introspection_position(document)?),
    );
    error.extensions.get_or_insert_default().set("code", code);
    Some(error)
}

/// Where a document queries the schema. `__schema` and `__type` are fields of the query root only, so it is enough to
/// visit each selection once, wherever a fragment may be spread.
fn introspection_position(document: &ExecutableDocument) -> Option<Pos> {
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.node.selection_set);
    operations.chain(fragments).find_map(position_in)
}

/// Recurses as deep as brackets nest in the text, which admission bounds.
fn position_in(set: &Positioned<SelectionSet>) -> Option<Pos> {
    set.node.items.iter().find_map(|item| match &item.node {
        Selection::Field(field) if ["__schema", "__type"].contains(&field.node.name.node.as_str()) => Some(item.pos),
        Selection::Field(field) => position_in(&field.node.selection_set),
        Selection::InlineFragment(fragment) => position_in(&fragment.node.selection_set),
        Selection::FragmentSpread(_) => None,
    })
}
