//! What is looked over.

use std::path::PathBuf;

use crate::domain::Environment;
use crate::operations::schedule::Schedule;
use crate::store::Database;

/// What is deployed.
pub struct Deployment {
    /// Where the data is.
    pub database: Database,
    /// The file with the key.
    pub key_file: PathBuf,
    /// The backups that the server takes by itself; or that what was said of them makes no sense.
    pub schedule: Result<Option<Schedule>, String>,
    /// What else the server reads.
    pub files: Vec<OwnFile>,
    /// Time and chance.
    pub environment: Environment,
}

/// A file that the operator has written.
#[derive(Clone, Debug)]
pub struct OwnFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it holds a password or a token.
    pub is_secret: bool,
}
