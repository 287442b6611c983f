//! What a store can answer besides data: one list for all engines. `tests/it/errors.rs` provokes every row of it.

use crate::domain::Counter;

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What a store can answer besides data. Cloneable, because one failed commit answers every job of its group.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint would be broken.
    #[error("the constraint {constraint} would be broken")]
    Conflict {
        /// The constraint's name, the same on every engine: the table's name with its columns, the tenant left out,
        /// such as `pbx_object_number`, or with `pkey` for the primary key.
        constraint: String,
    },
    /// A row refers to one that does not exist, or is referred to by one that does.
    #[error("a reference leads nowhere, or to what is still in use")]
    Reference,
    /// A value does not fit its column: not null, a check, a range or a type.
    #[error("a value does not fit its column: {0}")]
    Invalid(String),
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// Somebody else changed meanwhile what the transaction had read, or both waited for each other. Nothing was
    /// written; the writer runs such a job again.
    #[error("the transaction has to be run again: {0}")]
    Stale(String),
    /// The database is locked, too slow, or all its connections are in use; nothing was written, later it may work.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// More is asked for than can be done, and all places to wait for it are taken; nothing was written.
    #[error("{waiting} of {places} places to wait are taken")]
    Overloaded {
        /// How many may wait.
        places: usize,
        /// How many do.
        waiting: usize,
    },
    /// The request's time is over; nothing was written.
    #[error("not done within {limit} ms")]
    Deadline {
        /// How many milliseconds the request had.
        limit: u64,
        /// How many had passed when it was given up.
        actual: u64,
    },
    /// The database cannot be reached, or not be written: disk full, read-only, gone. Nothing was written.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The connection was lost, or no answer came, while a transaction was being committed: it may be there or not.
    /// Never run again blindly.
    #[error("the database became unavailable while it saved, and it is not known whether it did: {0}")]
    Unknown(String),
    /// The database holds what this program did not write.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A counter is at its end. Nothing was written, and nothing will be.
    #[error("the counter of {} is at its end, {}", .0.label(), .0.max())]
    Exhausted(Counter),
    /// A statement that cannot work: a mistake in the program.
    #[error("internal error: {0}")]
    Bug(String),
}

impl From<crate::domain::Problem> for StoreError {
    /// A stored value that breaks the rule of its type.
    fn from(problem: crate::domain::Problem) -> Self {
        let place = problem.path.join(".");
        let path = if place.is_empty() { Vec::new() } else { vec![place] };
        StoreError::Corrupt(crate::domain::Problem { path, ..problem }.message())
    }
}

/// The common name of a unique constraint over these columns of a table.
pub(super) fn constraint_name(table: &str, columns: &[&str]) -> String {
    let columns = columns.iter().filter(|column| **column != "tenant_id" || columns.len() == 1);
    columns.fold(table.to_owned(), |name, column| name + "_" + column)
}
