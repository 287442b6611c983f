//! Opening a database: its schema is brought up to this version, and its key is found or made.

use std::path::PathBuf;
use std::sync::Arc;

use super::key::load_key;
use crate::domain::{Environment, Sealer};
use crate::store::{self, Database, DatabaseState};

/// How to open an [`App`](super::App).
#[derive(Clone)]
pub struct OpenOptions {
    /// Where the data is. A SQLite file is made, and brought up to this version, when that is needed.
    pub database: Database,
    /// The file with the key that seals secrets; made with mode 0600 together with the database's schema.
    pub key_file: PathBuf,
    /// How many threads read.
    pub readers: usize,
    /// Time and chance.
    pub environment: Environment,
}

/// Why an [`App`](super::App) cannot be opened: one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub(super) String);

impl OpenOptions {
    /// The key, which is made when the database is `fresh`; otherwise it must be the one that the database knows.
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

    /// Brings the schema up to this version. Answers the migrations that were applied, and the key.
    pub(super) fn migrated(&self) -> Result<(Vec<String>, Sealer), StartError> {
        let Self { database, environment, .. } = self;
        // The key comes first: a database without one could not be opened again.
        if database.inspect().map_err(StartError)? == DatabaseState::Empty {
            self.sealer(true)?;
        }
        let applied = store::migrate(database, environment.clock.now()).map_err(StartError)?;
        Ok((applied, self.sealer(false)?))
    }
}

/// Brings a database's schema up to this version, gives a new database its key, and names the migrations that were
/// applied.
///
/// # Errors
/// As [`App::open`](super::App::open); nothing is applied then.
pub fn migrate(options: &OpenOptions) -> Result<Vec<String>, StartError> {
    options.migrated().map(|(applied, _)| applied)
}
