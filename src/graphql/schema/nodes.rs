//! Objects as what fields answer.

use std::sync::Arc;

use crate::domain::Kind;
use crate::graphql::layer::Node;
use crate::store::ObjectRow;

/// An object as its own type; null for a tenant's template, which is not reached this way.
pub fn node_of(row: Arc<ObjectRow>) -> Node {
    match row.kind {
        Kind::FormDefaults => Node::Null,
        kind => Node::shared(kind.name(), row),
    }
}
