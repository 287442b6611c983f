//! The program without its transport.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::hashing::Hashing;
use super::open::{OpenOptions, StartError};
use super::viewers::Viewers;
use crate::domain::{Environment, Sealer};
use crate::store::{self, Database, Store};

/// The program without its transport: database, key, clock and random generator. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(super) hashing: Arc<Hashing>,
    pub(super) viewers: Arc<Viewers>,
    pub(crate) environment: Arc<Environment>,
    /// Random numbers for later use.
    random_numbers: Arc<Mutex<Vec<u64>>>,
    /// How often to look for commits of other processes while a client follows a tenant.
    pub(super) feed_poll: Duration,
}

/// How many random numbers are generated at once.
const RANDOM_BATCH: usize = 64;

/// The default interval, see [`App::with_feed_poll`].
const FEED_POLL: Duration = Duration::from_secs(1);

impl App {
    /// Opens the database and the key file; blocks while it checks the database. The schema of a SQLite file is
    /// migrated first. A PostgreSQL database may be shared by several servers, so only [`migrate`](super::migrate)
    /// changes its schema.
    ///
    /// # Errors
    /// One sentence: the database belongs to another program, is newer, older, damaged or not writable; or the key is
    /// missing, belongs to another database, or can be read by others.
    pub fn open(options: &OpenOptions) -> Result<Self, StartError> {
        let OpenOptions { database, readers, environment, .. } = options;
        let sealer = if let Database::Sqlite(_) = database {
            options.migrate()?.1
        } else if let [first, ..] = store::missing_migrations(database).map_err(StartError)?.as_slice() {
            let why = "the database is older than this program: it lacks the migration";
            return Err(StartError(format!("{database}: {why} {first}; run `vext migrate` first")));
        } else {
            options.sealer(false)?
        };
        let store = Store::open(database, *readers).map_err(StartError)?;
        let hashing = Arc::new(Hashing::new(store.expensive_readers()));
        let viewers = Arc::new(Viewers::new(*readers));
        let (environment, random_numbers) = (Arc::new(environment.clone()), Arc::default());
        Ok(Self { store, sealer, hashing, viewers, environment, random_numbers, feed_poll: FEED_POLL })
    }

    /// Sets the interval at which to look for commits of other processes.
    pub fn with_feed_poll(self, feed_poll: Duration) -> Self {
        Self { feed_poll, ..self }
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> store::Snapshot {
        self.store.snapshot()
    }

    /// A view of the database for one request whose statements are counted. For an expensive request, see
    /// [`store::Store::expensive_snapshot`].
    pub fn snapshot_for(&self, tally: Arc<store::Tally>, expensive: bool) -> store::Snapshot {
        match expensive {
            true => self.store.expensive_snapshot(tally),
            false => self.store.snapshot_with_tally(tally),
        }
    }

    /// See [`Store::data_version`].
    pub fn data_version(&self) -> Option<store::DataVersion> {
        self.store.data_version()
    }

    /// The number of readers, see [`OpenOptions::readers`].
    pub fn readers(&self) -> usize {
        self.store.readers()
    }

    /// The number of expensive requests that can read at the same time.
    pub fn expensive_readers(&self) -> usize {
        self.store.expensive_readers()
    }

    /// This application for the writes of the request with this snapshot, which wait no longer than its reads.
    pub(super) fn within(&self, snapshot: &store::Snapshot) -> Self {
        Self { store: self.store.with_deadline_of(snapshot), ..self.clone() }
    }

    /// This application for one request whose statements are counted, including those of its saves.
    pub(crate) fn with_tally(&self, tally: Option<Arc<store::Tally>>) -> Self {
        Self { store: self.store.with_tally(tally), ..self.clone() }
    }

    /// Registers the metrics of the database and of hashing.
    pub fn register(&self, registry: &mut prometheus_client::registry::Registry) {
        self.store.register(registry);
        self.hashing.register(registry);
    }

    /// The number of secrets that have been hashed since the start.
    pub fn hashes(&self) -> u64 {
        self.hashing.hashes()
    }

    /// The number of statements that have been run since the start.
    pub fn statements(&self) -> u64 {
        self.store.statements()
    }

    /// The texts of all statements that have been run since the start, in alphabetical order.
    pub fn statement_texts(&self) -> Vec<&'static str> {
        self.store.statement_texts()
    }

    /// A unique id for a request: 16 hexadecimal digits.
    pub fn request_id(&self) -> Arc<str> {
        format!("{:016x}", self.random_number()).into()
    }

    /// A unique id for a trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        format!("{:016x}{:016x}", self.random_number(), self.random_number())
    }

    /// A random number.
    fn random_number(&self) -> u64 {
        // A poisoned lock only means that another thread panicked; the numbers are still random.
        let mut numbers = self.random_numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.is_empty() {
            // Random bytes take a system call, so they are fetched in batches.
            let mut bytes = [0; 8 * RANDOM_BATCH];
            self.environment.random.fill(&mut bytes);
            numbers
                .extend(bytes.chunks_exact(8).map(|bytes| bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))));
        }
        numbers.pop().unwrap_or_default()
    }

    /// The current time, in epoch milliseconds.
    pub fn now(&self) -> i64 {
        self.environment.clock.now()
    }
}
