//! Translates the errors of SQLite to those of the store.

use rusqlite::{ErrorCode, ffi};

use crate::store::error::{StoreError, constraint_name};

/// The store's error for an error of SQLite.
pub(super) fn store_error(error: rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, message) = &error else { return StoreError::Bug(error.to_string()) };
    let message = message.clone().unwrap_or_else(|| error.to_string());
    match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_UNIQUE) => StoreError::Conflict { constraint: constraint(&message) },
        (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            StoreError::Conflict { constraint: constraint_name(table(&message), &["pkey"]) }
        }
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => StoreError::Reference,
        (ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch, _) => StoreError::Invalid(message),
        (_, ffi::SQLITE_BUSY_SNAPSHOT) => StoreError::Stale(message),
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted, _) => {
            StoreError::Busy(message)
        }
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => StoreError::Corrupt(message),
        (ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly, _) => {
            StoreError::Unavailable(message)
        }
        _ => StoreError::Bug(message),
    }
}

/// The columns at the end of SQLite's message, as pairs of table and column.
fn columns(message: &str) -> impl Iterator<Item = (&str, &str)> {
    message.rsplit(": ").next().unwrap_or_default().split(", ").filter_map(|column| column.split_once('.'))
}

fn table(message: &str) -> &str {
    columns(message).next().map_or("", |(table, _)| table)
}

fn constraint(message: &str) -> String {
    constraint_name(table(message), &columns(message).map(|(_, column)| column).collect::<Vec<_>>())
}
