//! How a request ended, as reported in metrics, logs and spans.

use async_graphql::parser::types::OperationType;

/// The operation that a request asks for.
pub(super) struct Operation {
    /// Its name in the document.
    pub(super) name: Option<String>,
    pub(super) r#type: OperationType,
}

/// How far a request got.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Ending {
    /// It was executed; the response may contain errors.
    Executed,
    /// It was refused before the execution.
    Refused,
    /// Its client left before there was a response, or a stop of the server cut it off.
    Abandoned,
}

impl RequestOutcome<'_> {
    /// The word for it in metrics and in the log: `ok`, `errors`, `refused` or `abandoned`.
    pub(super) fn word(&self) -> &'static str {
        match self.ending {
            Ending::Executed if self.codes.is_empty() => "ok",
            Ending::Executed => "errors",
            Ending::Refused => "refused",
            Ending::Abandoned => "abandoned",
        }
    }
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
    pub(super) executed_by: Option<&'static str>,
}
