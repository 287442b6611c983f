//! Opens a database: migrates its schema to this version, and reads or creates its key.

use std::path::PathBuf;
use std::sync::Arc;

use super::key::load_key;
use crate::domain::{Environment, Sealer};
use crate::store::{self, Database, DatabaseState};

/// How to open an [`App`](super::App).
#[derive(Clone)]
pub struct OpenOptions {
    /// The database. A SQLite file is created or migrated to this version if necessary.
    pub database: Database,
    /// The file with the key that encrypts secrets. It is created with mode 0600 together with the schema.
    pub key_file: PathBuf,
    /// The number of reader threads.
    pub readers: usize,
    /// The clock and the random generator.
    pub environment: Environment,
}

/// Why an [`App`](super::App) cannot be opened: one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub(super) String);

impl OpenOptions {
    /// Reads the key, or creates it for a `fresh` database. An existing database accepts only its own key.
    pub(super) fn sealer(&self, fresh: bool) -> Result<Sealer, StartError> {
        let Self { database, key_file, environment, .. } = self;
        let key = load_key(key_file, fresh, &*environment.random).map_err(StartError)?;
        let sealer = Sealer::new(&key, Arc::clone(&environment.random));
        if !fresh && !store::tie_to_key(database, sealer.key_id(), environment.clock.now()).map_err(StartError)? {
            let key = key_file.display();
            return Err(StartError(format!("the key file {key} is not the one that sealed the secrets of {database}")));
        }
        Ok(sealer)
    }

    /// Migrates the schema to this version. Returns the migrations that were applied, and the key.
    pub(super) fn migrate(&self) -> Result<(Vec<String>, Sealer), StartError> {
        let Self { database, environment, .. } = self;
        // The key is created first: a database without a key could not be opened again.
        if database.inspect().map_err(StartError)? == DatabaseState::Empty {
            self.sealer(true)?;
        }
        let applied = store::migrate(database, environment.clock.now()).map_err(StartError)?;
        Ok((applied, self.sealer(false)?))
    }
}

/// Migrates the schema of a database to this version and creates the key of a new one. Returns the names of the
/// migrations that were applied.
///
/// # Errors
/// The errors of [`App::open`](super::App::open). Nothing is applied if there is an error.
pub fn migrate(options: &OpenOptions) -> Result<Vec<String>, StartError> {
    options.migrate().map(|(applied, _)| applied)
}
