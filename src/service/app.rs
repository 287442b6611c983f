//! The program without its transport.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::hashing::Hashing;
use super::open::{OpenOptions, StartError};
use super::viewers::Viewers;
use crate::domain::{Environment, Sealer};
use crate::store::{self, Database, Store};

/// The program without its transport: database, key, time and chance. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(super) hashing: Arc<Hashing>,
    pub(super) viewers: Arc<Viewers>,
    pub(crate) environment: Arc<Environment>,
    /// Random numbers that have not been used yet.
    drawn: Arc<Mutex<Vec<u64>>>,
    /// How often to look for what other processes have committed, while somebody follows a tenant.
    pub(super) feed_poll: Duration,
}

/// How many random numbers are drawn at once.
const DRAWN: usize = 64;

/// The interval unless [`App::with_feed_poll`] sets another.
const FEED_POLL: Duration = Duration::from_secs(1);

impl App {
    /// Opens database and key file; blocks while it checks the database. A SQLite file is brought up to date first;
    /// over PostgreSQL, which several servers may share, only [`migrate`](super::migrate) does that.
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
        let hashing = Arc::new(Hashing::new(store.expensive_readers()));
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

    /// How many cores may read, as [`OpenOptions::readers`] says.
    pub fn readers(&self) -> usize {
        self.store.readers()
    }

    /// How many expensive requests can read at the same time.
    pub fn apart_readers(&self) -> usize {
        self.store.expensive_readers()
    }

    /// The same application for the writes of the request that reads this snapshot: they wait no longer than its reads.
    pub(super) fn within(&self, snapshot: &store::Snapshot) -> Self {
        Self { store: self.store.with_deadline_of(snapshot), ..self.clone() }
    }

    /// The same application for one request, whose statements are counted, those of its saves included.
    pub(crate) fn tallied(&self, tally: Option<Arc<store::Tally>>) -> Self {
        Self { store: self.store.with_tally(tally), ..self.clone() }
    }

    /// Registers the metrics of the database and of hashing.
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
