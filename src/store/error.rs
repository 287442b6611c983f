//! The errors of the store, the same for all engines. `tests/it/errors.rs` provokes every one of them.

use crate::domain::Counter;

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// An error of the store. Cloneable, because a failed commit is the answer to every job of its group.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint would be violated.
    #[error("the constraint {constraint} would be violated")]
    Conflict {
        /// The constraint's name, the same on every engine: the table and its columns without the tenant, such as
        /// `pbx_object_number`, or the table and `pkey` for the primary key.
        constraint: String,
    },
    /// A row refers to one that does not exist, or another row still refers to a deleted one.
    #[error("a row refers to one that does not exist, or is still referred to")]
    Reference,
    /// A value does not fit its column: NOT NULL, a check, a range or a type.
    #[error("a value does not fit its column: {0}")]
    Invalid(String),
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// Another transaction changed data that this one had read, or there was a deadlock. Nothing was written; the
    /// writer runs such a job again.
    #[error("the transaction must be run again: {0}")]
    Stale(String),
    /// The database is locked or too slow, or all its connections are in use. Nothing was written; a retry may succeed.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// There is more work than capacity, and the waiting queue is full. Nothing was written.
    #[error("{waiting} of {places} places in the queue are taken")]
    Overloaded {
        /// The size of the queue.
        places: usize,
        /// How many are waiting.
        waiting: usize,
    },
    /// The deadline of the request has passed. Nothing was written.
    #[error("not done within {limit} ms")]
    Deadline {
        /// The time limit of the request in milliseconds.
        limit: u64,
        /// The milliseconds that had passed when it was cancelled.
        actual: u64,
    },
    /// The database cannot be reached or written: the disk is full, it is read-only, or it is gone. Nothing was
    /// written.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection was lost, or no answer came, during a commit: the transaction may or may not have been committed.
    /// It must not simply be run again.
    #[error("the database became unavailable during a save, and it is not known whether it was saved: {0}")]
    Unknown(String),
    /// The database contains something that this program did not write.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A counter has reached its maximum. Nothing was written, and no later attempt can succeed.
    #[error("the counter of {} has reached its maximum, {}", .0.label(), .0.max())]
    Exhausted(Counter),
    /// A mistake in the program, such as a statement that cannot work.
    #[error("internal error: {0}")]
    Bug(String),
}

impl From<crate::domain::Problem> for StoreError {
    /// A stored value that violates the rules of its type.
    fn from(problem: crate::domain::Problem) -> Self {
        let place = problem.path.join(".");
        let path = if place.is_empty() { Vec::new() } else { vec![place] };
        StoreError::Corrupt(crate::domain::Problem { path, ..problem }.message())
    }
}

/// The engine-independent name of a unique constraint over these columns of a table.
pub(super) fn constraint_name(table: &str, columns: &[&str]) -> String {
    let columns = columns.iter().filter(|column| **column != "tenant_id" || columns.len() == 1);
    columns.fold(table.to_owned(), |name, column| name + "_" + column)
}
