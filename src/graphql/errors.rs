//! The errors of requests that are not executed. Every one has a code, in the words that clients of Apollo Server know
//! (apollographql.com/docs/apollo-server/data/errors).

use async_graphql::{Pos, ServerError};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Code {
    /// The text breaks the grammar.
    Syntax,
    /// The document does not fit the schema.
    Validation,
    /// A variable does not have a value of its type.
    Input,
    /// The operation that is asked for is not in the document.
    Operation,
}

impl Code {
    fn word(self) -> &'static str {
        match self {
            Code::Syntax => "GRAPHQL_PARSE_FAILED",
            Code::Validation => "GRAPHQL_VALIDATION_FAILED",
            Code::Input => "BAD_USER_INPUT",
            Code::Operation => "OPERATION_RESOLUTION_FAILURE",
        }
    }
}

/// An error with its code and its place in the text.
pub(super) fn error(code: Code, sentence: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(sentence, at);
    error.extensions.get_or_insert_default().set("code", code.word());
    error
}
