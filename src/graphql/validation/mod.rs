//! Validation of a document against the schema: all rules of the GraphQL specification of September 2025, section 5,
//! with the messages of graphql-js where it has one. Errors that a text has by itself, such as two fragments of one
//! name, are reported by [`super::syntax`]; the values of variables are checked by [`super::variables`].
//!
//! Each definition is visited once, wherever it is spread. All errors are reported at once, in the order of the text.

mod literal;
mod merge;
mod plain;
mod suggest;
#[cfg(test)]
mod tests;
mod types;
mod value;
mod variables;
mod walk;

use std::collections::HashSet;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Name, ServerError};

pub(super) use plain::PlainKind;
pub(super) use types::{Input, KnownType, Types, definitions, root};
pub(super) use value::{OUT_OF_RANGE, ValuePlace, kind};
pub(super) use variables::NotNull;

use self::merge::conflicts;
use self::walk::ValidationWalk;

/// Validates a document. With `suggests`, errors suggest similar names.
///
/// # Errors
/// All that is wrong with it, whatever the values of its variables.
pub(super) fn validate(
    document: &ExecutableDocument,
    types: &Types,
    suggests: bool,
) -> Result<NotNull, Vec<ServerError>> {
    let mut walk = ValidationWalk::new(document, types, suggests);
    let mut operations: Vec<_> = document.operations.iter().collect();
    operations.sort_unstable_by_key(|(_, operation)| operation.pos);
    let mut fragments: Vec<_> = document.fragments.iter().collect();
    fragments.sort_unstable_by_key(|(_, fragment)| fragment.pos);
    for (name, fragment) in &fragments {
        walk.fragment(name, &fragment.node);
    }
    let (mut not_null, mut spread) = (NotNull::default(), HashSet::new());
    for (name, operation) in operations {
        let reached = walk.operation(name, operation);
        not_null.insert(name.map(Name::as_str), walk.variables(name, &operation.node, &reached, &mut spread));
    }
    let unused: Vec<_> = fragments.iter().filter(|(name, _)| !spread.contains(name.as_str())).collect();
    for (name, fragment) in &unused {
        walk.report(format!("Fragment \"{name}\" is never used."), fragment.pos);
    }
    // The depth of fragments that operations spread is bounded; that of unused fragments is not.
    if unused.is_empty() {
        walk.errors.extend(conflicts(document, types));
    }
    walk.errors.sort_by_key(|error| error.locations.first().copied());
    if walk.errors.is_empty() { Ok(not_null) } else { Err(walk.errors) }
}
