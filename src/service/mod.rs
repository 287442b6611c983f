//! Use cases: what a caller can ask for, one transaction each. Permissions are checked here.

mod access;
pub mod demo;
mod facts;
mod forms;
mod key;
mod tenants;

use std::path::PathBuf;
use std::sync::Arc;

pub use access::{NewToken, Selected, Viewer};
pub use forms::{Save, SaveTarget, Saved};

use crate::domain::{Environment, Sealer};
use crate::store::Store;
pub use crate::store::{StoreError, TenantRow, TokenRow};

/// How to open an [`App`].
#[derive(Clone)]
pub struct OpenOptions {
    /// The SQLite file; made when it does not exist.
    pub database: PathBuf,
    /// The file with the key that seals secrets; made with mode 0600 together with the database.
    pub key_file: PathBuf,
    /// How many threads read.
    pub readers: usize,
    /// Time and chance.
    pub environment: Environment,
}

/// Why an [`App`] cannot be opened: one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// The program without its transport: database, key, time and chance. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Store,
    sealer: Sealer,
    environment: Arc<Environment>,
}

impl App {
    /// Opens database and key file; blocks while it checks the file and applies migrations.
    ///
    /// # Errors
    /// One sentence: the file is not ours, newer, damaged or not writable; the key is missing or readable by others.
    pub fn open(options: &OpenOptions) -> Result<Self, StartError> {
        let OpenOptions { database, key_file, readers, environment } = options;
        let fresh = !database.exists();
        let store = Store::open(database, *readers, &*environment.clock).map_err(StartError)?;
        let key = key::load(key_file, fresh, &*environment.random).map_err(StartError)?;
        let sealer = Sealer::new(&key, Arc::clone(&environment.random));
        Ok(Self { store, sealer, environment: Arc::new(environment.clone()) })
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> crate::store::Snapshot {
        self.store.snapshot()
    }

    /// How many statements have been run since the start.
    pub fn statements(&self) -> u64 {
        self.store.statements()
    }

    /// A name for a request, unlike all others.
    pub fn request_id(&self) -> String {
        let mut bytes = [0; 8];
        self.environment.random.fill(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn now(&self) -> i64 {
        self.environment.clock.now()
    }
}
