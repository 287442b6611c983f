//! The deployment that the doctor examines.

use std::path::PathBuf;

use crate::domain::Environment;
use crate::operations::schedule::BackupSchedule;
use crate::store::Database;

/// A deployment: the database and the files of a server.
pub struct Deployment {
    /// The database.
    pub database: Database,
    /// The file with the key.
    pub key_file: PathBuf,
    /// The schedule of automatic backups; an error if its options do not go together.
    pub schedule: Result<Option<BackupSchedule>, String>,
    /// The other files that the server reads.
    pub files: Vec<OperatorFile>,
    /// The clock and the random numbers.
    pub environment: Environment,
}

/// A file that the operator wrote, such as the settings file.
#[derive(Clone, Debug)]
pub struct OperatorFile {
    /// The path of the file.
    pub path: PathBuf,
    /// Whether it contains a password or a token.
    pub is_secret: bool,
}
