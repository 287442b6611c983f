//! How a request ended, for all who tell of it.

use async_graphql::parser::types::OperationType;

/// What a request wants to have executed.
pub(super) struct Operation {
    /// Its name in the document.
    pub(super) name: Option<String>,
    pub(super) r#type: OperationType,
}

/// How far a request came.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Ending {
    /// It was executed; there may be errors in the answer.
    Executed,
    /// It was refused before that.
    Refused,
    /// Its client went away before there was an answer, or it was cut off by a stop.
    Abandoned,
}

/// How a request ended.
pub(super) struct RequestOutcome<'a> {
    pub(super) operation: Option<&'a Operation>,
    /// Whether it came with a valid token.
    pub(super) identified: bool,
    pub(super) ending: Ending,
    /// The code of each error.
    pub(super) codes: &'a [String],
    /// See [`Reply::executed_by`](crate::graphql::Reply::executed_by).
    pub(super) by: Option<&'static str>,
}
