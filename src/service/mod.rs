//! Use cases: what a caller can ask for, one transaction each. Permissions are checked here.

mod access;
mod backup;
mod checkable;
pub mod demo;
pub mod doctor;
mod document;
mod effect;
mod facts;
mod feed;
mod file_check;
pub mod find;
mod gate;
mod hashing;
mod health;
mod key;
mod lint;
pub mod numbers;
pub mod options;
mod removal;
mod renumber;
mod restore;
mod save;
mod schedule;
mod tenants;
pub mod transfer;
mod verify;
mod viewers;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use access::{NewToken, Selected, TokenMark, Viewer};
pub use backup::{Manifest, backup};
pub use document::hashed_secrets;
pub use effect::{Effect, ObjectChange, ObjectProblem};
pub(crate) use facts::label;
pub use feed::{ChangeAction, Follower, Following, Heard, read_place, write_place};
pub use file_check::FileCheck;
pub(crate) use gate::{Gate, Overloaded, Slot};
use hashing::Hashing;
pub use health::Readiness;
pub use lint::{Finding, Findings, Lint, Place, Severity};
pub use removal::{Delete, DeletePlan, Deleted, OnReferences, Shown};
pub use renumber::{Renumber, Renumbered};
pub use restore::{Restore, Restored, restore};
pub use save::{OpenSave, Save, SaveTarget, Saved, WorkedOut};
pub use schedule::{Schedule, Scheduled};
pub use verify::{Verified, verify};
use viewers::Viewers;

use crate::domain::{Environment, Sealer};
use crate::store::{self, Found, Store};
pub use crate::store::{Database, Progress, StoreError, TenantRow, TokenRow};

/// How to open an [`App`].
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

/// Why an [`App`] cannot be opened: one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// The program without its transport: database, key, time and chance. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Store,
    sealer: Sealer,
    hashing: Arc<Hashing>,
    viewers: Arc<Viewers>,
    environment: Arc<Environment>,
    /// Random numbers that nothing is named by yet.
    drawn: Arc<Mutex<Vec<u64>>>,
    /// How often is looked what other processes have committed, while somebody follows a tenant.
    feed_poll: Duration,
}

/// How many random numbers are drawn at once.
const DRAWN: usize = 64;

/// [`App::with_feed_poll`] when nobody says otherwise.
const FEED_POLL: Duration = Duration::from_secs(1);

impl App {
    /// Opens database and key file; blocks while it checks the database. A SQLite file is brought up to date first;
    /// over PostgreSQL, which several servers may share, only [`migrate`] does that.
    ///
    /// # Errors
    /// One sentence: the database is not ours, newer, older, damaged or not writable; the key is missing, another
    /// one's, or readable by others.
    pub fn open(options: &OpenOptions) -> Result<Self, StartError> {
        let OpenOptions { database, readers, environment, .. } = options;
        let sealer = if let Database::Sqlite(_) = database {
            options.migrated()?.1
        } else if let [first, ..] = store::missing_migrations(database).map_err(StartError)?.as_slice() {
            let why = "the database is older than this program: it lacks the migration";
            return Err(StartError(format!("{database}: {why} {first}; run `vext migrate` first")));
        } else {
            options.sealer(false)?
        };
        let store = Store::open(database, *readers).map_err(StartError)?;
        let hashing = Arc::new(Hashing::new(store.apart_readers()));
        let viewers = Arc::new(Viewers::new(*readers));
        let (environment, drawn) = (Arc::new(environment.clone()), Arc::default());
        Ok(Self { store, sealer, hashing, viewers, environment, drawn, feed_poll: FEED_POLL })
    }

    /// The same with another interval between two looks at what other processes have committed.
    pub fn with_feed_poll(self, feed_poll: Duration) -> Self {
        Self { feed_poll, ..self }
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> store::Snapshot {
        self.store.snapshot()
    }

    /// The same for a request whose statements are counted; for one that is expensive, see
    /// [`store::Store::snapshot_apart`].
    pub fn snapshot_for(&self, tally: Arc<store::Tally>, expensive: bool) -> store::Snapshot {
        match expensive {
            true => self.store.snapshot_apart(tally),
            false => self.store.snapshot_for(tally),
        }
    }

    /// See [`Store::data_version`].
    pub fn data_version(&self) -> Option<store::DataVersion> {
        self.store.data_version()
    }

    /// How many cores may read, as [`OpenOptions::readers`] says.
    pub fn readers(&self) -> usize {
        self.store.readers()
    }

    /// How many expensive requests can read at the same time.
    pub fn apart_readers(&self) -> usize {
        self.store.apart_readers()
    }

    /// The same application for one request, whose statements are counted, those of its saves included.
    pub(crate) fn tallied(&self, tally: Option<Arc<store::Tally>>) -> Self {
        Self { store: self.store.tallied(tally), ..self.clone() }
    }

    /// Adds what is measured of the database, and of hashing, to what somebody may ask for.
    pub fn register(&self, to: &mut prometheus_client::registry::Registry) {
        self.store.register(to);
        self.hashing.register(to);
    }

    /// How many secrets have been hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.hashing.hashes()
    }

    /// How many statements have been run since the start.
    pub fn statements(&self) -> u64 {
        self.store.statements()
    }

    /// The texts of the statements that have been run since the start, in alphabetical order.
    pub fn statement_texts(&self) -> Vec<&'static str> {
        self.store.statement_texts()
    }

    /// A name for a request, unlike all others: 16 hexadecimal digits.
    pub fn request_id(&self) -> Arc<str> {
        format!("{:016x}", self.draw()).into()
    }

    /// A name for a trace, unlike all others: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// A random number.
    fn draw(&self) -> u64 {
        // A poisoned lock only means that another thread panicked; the bytes are as random.
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.is_empty() {
            // Each draw is a call of the system.
            let mut bytes = [0; 8 * DRAWN];
            self.environment.random.fill(&mut bytes);
            drawn.extend(bytes.chunks_exact(8).map(|bytes| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))));
        }
        drawn.pop().unwrap_or_default()
    }

    /// The time, in epoch milliseconds.
    pub fn now(&self) -> i64 {
        self.environment.clock.now()
    }
}

impl OpenOptions {
    /// The key, which is made when the database is `fresh`; otherwise it must be the one that the database knows.
    fn sealer(&self, fresh: bool) -> Result<Sealer, StartError> {
        let Self { database, key_file, environment, .. } = self;
        let key = key::load(key_file, fresh, &*environment.random).map_err(StartError)?;
        let sealer = Sealer::new(&key, Arc::clone(&environment.random));
        if !fresh && !store::tie_to_key(database, sealer.key_id(), environment.clock.now()).map_err(StartError)? {
            let key = key_file.display();
            return Err(StartError(format!("the key file {key} is not the one that sealed the secrets of {database}")));
        }
        Ok(sealer)
    }

    /// Brings the schema up to this version; the migrations that were applied, and the key.
    fn migrated(&self) -> Result<(Vec<String>, Sealer), StartError> {
        let Self { database, environment, .. } = self;
        // The key comes first: a database without one could not be opened again.
        if database.inspect().map_err(StartError)? == Found::Nothing {
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
/// As [`App::open`]; nothing is applied then.
pub fn migrate(options: &OpenOptions) -> Result<Vec<String>, StartError> {
    options.migrated().map(|(applied, _)| applied)
}
