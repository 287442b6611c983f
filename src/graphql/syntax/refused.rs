//! Why a text is refused.

use async_graphql::{Pos, ServerError};

use crate::graphql::errors::{self, Code};
use crate::graphql::limits::{Exceeded, Limit};

/// Why a text is refused.
#[derive(Debug)]
pub enum RefusedDocument {
    /// It exceeds a limit.
    Limit(Exceeded),
    /// It breaks the grammar, or uses a name twice that must be unique.
    Document(Vec<ServerError>),
}

impl RefusedDocument {
    /// The errors that the client gets.
    pub fn into_errors(self) -> Vec<ServerError> {
        match self {
            RefusedDocument::Limit(exceeded) => vec![exceeded.error()],
            RefusedDocument::Document(errors) => errors,
        }
    }

    pub(super) fn syntax(sentence: impl Into<String>, at: Pos) -> Self {
        RefusedDocument::Document(vec![errors::error(Code::Syntax, sentence, Some(at))])
    }
}

impl From<Exceeded> for RefusedDocument {
    fn from(exceeded: Exceeded) -> Self {
        RefusedDocument::Limit(exceeded)
    }
}

pub(super) fn exceeded(limit: Limit, allowed: usize, actual: usize, at: Option<Pos>) -> Exceeded {
    Exceeded { limit, allowed: allowed as u64, actual: actual as u64, at }
}
