//! The store's words for what PostgreSQL answers. The codes are those of appendix A of its manual.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::Type;

use super::super::error::{StoreError, constraint_name};

/// The store's word for an error of the engine.
pub(super) fn answer(error: &Error) -> StoreError {
    let Some(said) = error.as_db_error() else { return not_of_the_server(error) };
    let (code, message) = (said.code(), said.message().to_owned());
    match class(said) {
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict { constraint: constraint(said) },
        _ if *code == SqlState::FOREIGN_KEY_VIOLATION => StoreError::Reference,
        // Not null, a check; or data that its type cannot hold.
        "23" | "22" => StoreError::Invalid(message),
        // Serialisation failures and deadlocks; and a statement that was planned before a migration.
        "40" => StoreError::Stale(message),
        _ if is_outdated_plan(said) => StoreError::Stale(message),
        _ if [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED, SqlState::TOO_MANY_CONNECTIONS]
            .contains(code) =>
        {
            StoreError::Busy(message)
        }
        _ if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => StoreError::Corrupt(message),
        _ if ends_the_connection(said) || is_standby(said) => StoreError::Unavailable(message),
        // No resources: disk, memory; and what the system around the server answers.
        "53" | "58" => StoreError::Unavailable(message),
        _ => StoreError::Bug(format!("{message} ({})", code.code())),
    }
}

/// The class of an error: the first two of its code's five characters.
fn class(said: &DbError) -> &str {
    said.code().code().get(..2).unwrap_or_default()
}

/// Errors of the client: a lost connection, or a parameter that does not fit.
fn not_of_the_server(error: &Error) -> StoreError {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    let why = format!("{error}{source}");
    if is_lost(error) {
        StoreError::Unavailable(why)
    } else if std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<Unfit>) {
        StoreError::Invalid(why)
    } else {
        StoreError::Bug(why)
    }
}

/// The store's word for an error in answer to COMMIT. What the server refuses is not there; but when it goes away, or
/// nothing more is heard of it, the transaction may be there.
pub(super) fn ended_by_commit(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if !ends_the_connection(said) => answer(error),
        _ => StoreError::Unknown(error.to_string()),
    }
}

/// Whether the connection is of no use after this error.
pub(super) fn breaks(error: &Error) -> bool {
    match error.as_db_error() {
        Some(said) => ends_the_connection(said) || is_standby(said) || is_outdated_plan(said),
        None => is_lost(error),
    }
}

fn is_lost(error: &Error) -> bool {
    let io = |e: &(dyn std::error::Error + 'static)| e.is::<std::io::Error>();
    error.is_closed() || std::error::Error::source(error).is_some_and(io)
}

/// The server ends the connection: it stops, crashes, is not ready, does not let us in, or we idled for too long.
fn ends_the_connection(said: &DbError) -> bool {
    let code = said.code();
    let stops = class(said) == "57" && *code != SqlState::QUERY_CANCELED;
    stops || ["08", "28", "3D"].contains(&class(said)) || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

/// The server is a standby: it was the primary when this connection was made.
fn is_standby(said: &DbError) -> bool {
    *said.code() == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// A migration has changed what a prepared statement gives.
fn is_outdated_plan(said: &DbError) -> bool {
    said.message().contains("cached plan must not change result type")
}

/// The constraint's common name. Ours are named so; PostgreSQL itself names primary keys `<table>_pkey`.
fn constraint(said: &DbError) -> String {
    let named = said.constraint().map(str::to_owned);
    named.unwrap_or_else(|| constraint_name(said.table().unwrap_or_default(), &[]))
}

/// A parameter that its column cannot hold. Does not repeat the value, which may be a secret's.
#[derive(Debug, thiserror::Error)]
#[error("the parameter is no {0}")]
pub(super) struct Unfit(pub(super) Type);
