//! What a store can answer besides data.

/// The result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// What a store can answer besides data. Cloneable, because one failed commit answers every job of its group.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A unique constraint would be broken.
    #[error("the constraint {constraint} would be broken")]
    Conflict {
        /// The constraint or the columns, as the engine names them.
        constraint: String,
    },
    /// A row refers to one that does not exist, or is referred to by one that does.
    #[error("a reference leads nowhere, or to what is still in use")]
    Reference,
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NoTenant,
    /// The database is locked, or all its connections are in use; later it may work.
    #[error("the database is busy")]
    Busy,
    /// The database cannot be reached, or not be written: disk full, read-only, gone.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The file holds what this program did not write.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A statement that cannot work: a mistake in the program.
    #[error("internal error: {0}")]
    Bug(String),
}

impl From<crate::domain::Problem> for StoreError {
    /// A stored value that breaks the rule of its type.
    fn from(problem: crate::domain::Problem) -> Self {
        StoreError::Corrupt(problem.message())
    }
}
