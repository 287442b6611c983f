//! Translates the errors of PostgreSQL to those of the store. The error codes are listed in appendix A of its manual.

use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::Type;

use super::super::error::{StoreError, constraint_name};

/// The store's error for an error of the client or the server.
pub(super) fn store_error(error: &Error) -> StoreError {
    let Some(db_error) = error.as_db_error() else { return client_error(error) };
    let (code, message) = (db_error.code(), db_error.message().to_owned());
    match class(db_error) {
        _ if *code == SqlState::UNIQUE_VIOLATION => StoreError::Conflict { constraint: constraint(db_error) },
        _ if *code == SqlState::FOREIGN_KEY_VIOLATION => StoreError::Reference,
        // Violations of NOT NULL and checks, and values that do not fit their type.
        "23" | "22" => StoreError::Invalid(message),
        // Serialization failures and deadlocks, and statements that were planned before a migration.
        "40" => StoreError::Stale(message),
        _ if is_outdated_plan(db_error) => StoreError::Stale(message),
        _ if [SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED, SqlState::TOO_MANY_CONNECTIONS]
            .contains(code) =>
        {
            StoreError::Busy(message)
        }
        _ if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => StoreError::Corrupt(message),
        _ if ends_the_connection(db_error) || is_standby(db_error) => StoreError::Unavailable(message),
        // The server lacks disk space or memory, or its operating system reports an error.
        "53" | "58" => StoreError::Unavailable(message),
        _ => StoreError::Bug(format!("{message} ({})", code.code())),
    }
}

/// The class of an error: the first two of the five characters of its code.
fn class(db_error: &DbError) -> &str {
    db_error.code().code().get(..2).unwrap_or_default()
}

/// The store's error for an error of the client: a lost connection, or a parameter that does not fit.
fn client_error(error: &Error) -> StoreError {
    let source = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
    let why = format!("{error}{source}");
    if is_lost(error) {
        StoreError::Unavailable(why)
    } else if std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<UnfitParameter>) {
        StoreError::Invalid(why)
    } else {
        StoreError::Bug(why)
    }
}

/// The store's error for a failed COMMIT. If the server refuses it, nothing is committed. If the server stops or no
/// longer answers, the transaction may be committed.
pub(super) fn commit_error(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(db_error) if !ends_the_connection(db_error) => store_error(error),
        _ => StoreError::Unknown(error.to_string()),
    }
}

/// Whether the connection can no longer be used after this error.
pub(super) fn breaks_connection(error: &Error) -> bool {
    match error.as_db_error() {
        Some(db_error) => ends_the_connection(db_error) || is_standby(db_error) || is_outdated_plan(db_error),
        None => is_lost(error),
    }
}

fn is_lost(error: &Error) -> bool {
    let io = |e: &(dyn std::error::Error + 'static)| e.is::<std::io::Error>();
    error.is_closed() || std::error::Error::source(error).is_some_and(io)
}

/// The server ends the connection: it stops, crashes, is not ready, rejects the login, or the transaction was idle for
/// too long.
fn ends_the_connection(db_error: &DbError) -> bool {
    let code = db_error.code();
    let stops = class(db_error) == "57" && *code != SqlState::QUERY_CANCELED;
    stops || ["08", "28", "3D"].contains(&class(db_error)) || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

/// The server is now a standby; it was the primary when the connection was opened.
fn is_standby(db_error: &DbError) -> bool {
    *db_error.code() == SqlState::READ_ONLY_SQL_TRANSACTION
}

/// A migration has changed the result type of a prepared statement.
fn is_outdated_plan(db_error: &DbError) -> bool {
    db_error.message().contains("cached plan must not change result type")
}

/// The engine-independent name of the constraint. The migrations use these names, and PostgreSQL itself names primary
/// keys
/// `<table>_pkey`.
fn constraint(db_error: &DbError) -> String {
    let named = db_error.constraint().map(str::to_owned);
    named.unwrap_or_else(|| constraint_name(db_error.table().unwrap_or_default(), &[]))
}

/// A parameter that does not fit its column. The message does not repeat the value, which may be a secret.
#[derive(Debug, thiserror::Error)]
#[error("the parameter does not fit the type {0}")]
pub(super) struct UnfitParameter(pub(super) Type);
