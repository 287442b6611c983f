//! The errors that clients get, for whole requests and for fields. Each has a code. For requests that are not executed,
//! the codes are those that clients of Apollo Server know (apollographql.com/docs/apollo-server/data/errors).

use async_graphql::{Error, ErrorExtensions as _, Pos, ServerError};

use super::limits::{Exceeded, Limit};
use crate::service::{StoreError, log_once};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Code {
    /// The text breaks the grammar.
    Syntax,
    /// The document does not fit the schema.
    Validation,
    /// A variable's value does not fit its type.
    Input,
    /// The document does not contain the requested operation.
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

/// An error with its code and its position in the text.
pub(super) fn error(code: Code, sentence: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(sentence, at);
    error.extensions.get_or_insert_default().set("code", code.word());
    error
}

/// The error for a request that has to name a tenant.
pub(super) fn tenant_required() -> Error {
    coded("TENANT_REQUIRED", "The token is for several tenants: name one in the argument or in the header X-Tenant.")
}

/// An error with a code that clients can branch on.
pub(super) fn coded(code: &'static str, sentence: impl Into<String>) -> Error {
    Error::new(sentence).extend_with(|_, e| e.set("code", code))
}

/// The error that a client gets for a failure that it did not cause: a code and the request's id, nothing internal.
pub(super) fn store_error(error: &StoreError, request_id: &str) -> Error {
    if let StoreError::Deadline { limit, actual } = *error {
        tracing::warn!(request = request_id, actual, "a request took too long");
        let exceeded = Exceeded { limit: Limit::Deadline, allowed: limit, actual, at: None };
        return exceeded.field_error().extend_with(|_, e| e.set("requestId", request_id));
    }
    if let StoreError::Overloaded { places, waiting } = *error {
        tracing::warn!(request = request_id, waiting, "the queue for hashing secrets is full");
        let sentence = "The server has too many secrets to hash; try again later.";
        return coded("OVERLOADED", sentence).extend_with(|_, e| {
            e.set("requestId", request_id);
            e.set("limit", places);
            e.set("actual", waiting + 1);
        });
    }
    // While the database is away each request fails for the same reason.
    let is_of_all = matches!(error, StoreError::Busy(_) | StoreError::Unavailable(_) | StoreError::Unknown(_));
    if let Some(omitted) = if is_of_all { log_once(&error.to_string()) } else { Some(0) } {
        tracing::error!(request = request_id, %error, omitted, "a request failed");
    }
    let (code, sentence) = match error {
        StoreError::Busy(_) | StoreError::Stale(_) => ("BUSY", "The server is busy; try again."),
        StoreError::Unavailable(_) => ("UNAVAILABLE", "The database is not available; try again later."),
        StoreError::Unknown(_) => (
            "UNAVAILABLE",
            "The database became unavailable during the save: read the current state before you try again.",
        ),
        StoreError::Exhausted(_) => (
            "COUNTER_EXHAUSTED",
            "A counter has reached its end, and nothing more can be saved here: tell the operator.",
        ),
        StoreError::Conflict { .. }
        | StoreError::Reference
        | StoreError::Invalid(_)
        | StoreError::NoTenant
        | StoreError::Deadline { .. }
        | StoreError::Overloaded { .. }
        | StoreError::Corrupt(_)
        | StoreError::Bug(_) => ("INTERNAL", "Something went wrong in the server."),
    };
    coded(code, sentence).extend_with(|_, e| {
        e.set("requestId", request_id);
        if let StoreError::Unknown(_) = error {
            e.set("outcome", "UNKNOWN");
        }
    })
}

/// The error for a value whose shape validation should have ruled out.
pub(super) fn wrong_shape() -> Error {
    coded("INTERNAL", "Something went wrong in the server.")
}

/// An error in the program itself. The details go to the log only.
pub(super) fn bug(what: impl std::fmt::Display) -> Error {
    tracing::error!(%what, "the schema's descriptions are wrong");
    Error::new("Something went wrong in the server.").extend_with(|_, e| e.set("code", "INTERNAL"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_hashing_queue_is_reported() {
        let error = store_error(&StoreError::Overloaded { places: 64, waiting: 64 }, "0f");
        let json = serde_json::to_value(error.into_server_error(Pos::default())).unwrap();
        let extensions = serde_json::json!({ "code": "OVERLOADED", "limit": 64, "actual": 65, "requestId": "0f" });
        assert_eq!(json["extensions"], extensions);
    }
}
