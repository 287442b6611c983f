//! Objects as nodes.

use std::sync::Arc;

use crate::domain::Kind;
use crate::graphql::layer::Node;
use crate::store::ObjectRow;

/// The node of an object with the type of its kind; null for a tenant's template, which cannot be reached this way.
pub fn object_node(row: Arc<ObjectRow>) -> Node {
    match row.kind {
        Kind::FormDefaults => Node::Null,
        kind => Node::shared(kind.name(), row),
    }
}
