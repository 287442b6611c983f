//! The store: the only part of the program that knows SQL and engines.
//!
//! There are two ways in. [`Store::snapshot`] gives a request its view of the database: one read transaction, begun with
//! the first read. [`Store::write`] queues a closure for the writer, which runs what has queued up, each job in a savepoint, commits
//! once and then answers all: acknowledged means on disk. Closures are synchronous, may be run again, and run on the
//! store's own threads; async tasks never touch a connection or a pool.

mod backfill;
mod changes;
mod chosen;
mod commits;
mod connection;
mod data_version;
mod deadline;
mod engine;
mod erase;
mod error;
mod feed;
mod find;
mod gauges;
mod job;
mod known_numbers;
mod log;
mod look;
mod metrics;
mod migrate;
mod migrations;
mod numbers;
mod objects;
mod order;
mod postgres;
mod progress;
mod queue;
mod read_ahead;
mod readers;
mod reading;
mod references;
mod search;
mod sections;
mod session;
mod snapshot;
mod sources;
mod sqlite;
mod stop;
mod surroundings;
mod tally;
mod tenants;
mod tokens;
mod transfer;
mod unique;
mod verify;
mod whole;
mod writer;

use std::sync::Arc;
use std::time::Duration;

pub use changes::{Record, changed_since, record};
pub use chosen::{Chosen, ChosenField, ChosenList, ENTRY, Wanted, read_chosen};
use commits::Commits;
pub use commits::GONE;
pub use connection::DatabaseState;
use connection::StatementLog;
pub use data_version::DataVersion;
use data_version::DataVersions;
pub use deadline::Deadline;
pub use engine::Database;
use engine::Manager;
pub use erase::{erase_tenant, find_tenant};
pub use error::{Result, StoreError};
pub use feed::{FeedPlace, FeedRow, KIND_PATH, feed, fields_of_change};
pub use find::{Fact, Probe, count_span, facts, probe, walk};
pub use job::Outcome;
pub use known_numbers::known_numbers;
pub use log::LOG_EMPTIED;
pub use look::{Look, newest};
use metrics::Metrics;
pub use migrate::{migrate, migrations_lacking, missing_migrations, tie_to_key};
pub use numbers::{free_number, free_number_behind, parking_slots};
pub use objects::{
    ObjectRow, OwnRow, count, erase_object, insert_object, load_objects, of_kind, only_named, plain_row, scan_objects,
    touch,
};
pub use order::{Key, OrderDirection, OrderField, Position, Span};
pub use postgres::PostgresServer;
pub use progress::Progress;
pub use read_ahead::{Ask, ReadAhead};
use readers::Readers;
pub use readers::step_back;
pub use references::{Asked, ReferenceCount, ReferenceRow, ReferenceStrength, count_references, references};
pub use search::with_word;
pub use sections::{erase_section, in_object_row, load_any, load_details, load_sections, save_section};
pub use session::{Columns, Query, Session, Tx};
pub use snapshot::Snapshot;
pub use sources::{ReferenceColumn, ReferencePlace, sources};
pub use sqlite::{Exclusive, FileReading, Frozen, beside, copy_database};
pub use surroundings::{holders, ldap_exists, logins, number_inside, owned_numbers};
use tally::Tallied;
pub use tally::{Listing, Tally};
pub use tenants::{
    TenantRow, create_tenant, find_token_and_tenant, own_tenant, own_tenant_with, set_defaults, tenant_by_code,
    tenant_by_id, tenants, update_tenant,
};
pub use tokens::{TokenRow, create_token, find_token, revoke_token, tokens, valid_tokens};
use tokio::sync::watch;
pub use transfer::{
    Counters, KeptChange, Presence, Underway, advance_import, begin_import, changes_after, counters, finish_import,
    import_change, import_object, kinds, objects_after, presence, size,
};
pub use unique::alike;
pub use verify::{lacking_migrations, verify_rows};
pub use whole::Whole;
use writer::Writer;

use crate::domain::TenantId;

/// A database that is open and up to date.
#[derive(Clone)]
pub struct Store {
    /// Dropped first: whoever closes a file last has to bring what stands in its log into it.
    data_versions: Arc<DataVersions>,
    readers: Arc<Readers>,
    /// For expensive requests.
    apart: Arc<Readers>,
    writer: Arc<Writer>,
    commits: Arc<Commits>,
    statements: Arc<StatementLog>,
    metrics: Arc<Metrics>,
    migrations: &'static [migrations::Migration],
    /// Counts what is asked of this store, when it is the store of one request.
    tally: Option<Arc<Tally>>,
    /// Until when a write waits for its turn and its answer.
    deadline: Option<Deadline>,
}

impl Store {
    /// Opens a database whose schema is this program's, see [`migrate()`].
    ///
    /// # Errors
    /// One sentence on why it cannot be used.
    pub fn open(database: &Database, readers: usize) -> std::result::Result<Self, String> {
        let said = |error: StoreError| format!("{database}: {error}");
        let statements = Arc::<StatementLog>::default();
        let manager = Manager { database: database.clone(), readonly: false, statements: Arc::clone(&statements) };
        let metrics = Arc::<Metrics>::default();
        let writer = Writer::start(&manager, &metrics).map_err(said)?;
        let manager = Manager { readonly: true, ..manager };
        let data_versions = Arc::new(DataVersions::start(&manager, readers).map_err(said)?);
        let apart = Readers::start_apart(manager.clone(), readers, &metrics).map_err(said)?;
        let readers = Readers::start(manager, readers, &metrics).map_err(said)?;
        let (readers, apart, writer) = (Arc::new(readers), Arc::new(apart), Arc::new(writer));
        let (commits, migrations, tally, deadline) = (Arc::default(), database.migrations(), None, None);
        Ok(Self { readers, apart, writer, commits, data_versions, statements, metrics, migrations, tally, deadline })
    }

    /// The state that the database is in, told in microseconds; `None` where that is not known at once, as on PostgreSQL.
    pub fn data_version(&self) -> Option<DataVersion> {
        self.data_versions.now()
    }

    /// Whether nothing has been committed since: what was read meanwhile was read of one state. `false` where that is not
    /// known at once.
    pub fn is_still(&self, before: DataVersion) -> bool {
        self.data_versions.is_still(before)
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.readers), self.tally.clone())
    }

    /// A view of the database for one request, whose statements are counted.
    pub fn snapshot_for(&self, tally: Arc<Tally>) -> Snapshot {
        Snapshot::new(Arc::clone(&self.readers), Some(tally))
    }

    /// The same store for one request, whose statements are counted, those of its saves included.
    pub fn tallied(&self, tally: Option<Arc<Tally>>) -> Self {
        Self { tally, ..self.clone() }
    }

    /// A view of the database for an expensive request: it has threads and connections of its own, and they have a low
    /// priority, so that no other request waits for it.
    pub fn snapshot_apart(&self, tally: Arc<Tally>) -> Snapshot {
        Snapshot::new(Arc::clone(&self.apart), Some(tally))
    }

    /// How many cores may read, as [`Store::open`] was told.
    pub fn readers(&self) -> usize {
        self.readers.readers
    }

    /// How many expensive requests can read at the same time.
    pub fn apart_readers(&self) -> usize {
        self.apart.readers
    }

    /// The same store for writes of the request that reads this snapshot: they wait no longer than its reads.
    #[must_use]
    pub fn within(&self, snapshot: &Snapshot) -> Self {
        Self { deadline: snapshot.deadline(), ..self.clone() }
    }

    /// Changes a tenant: see the [module](self). The closure may be run again and has no effect but on its transaction.
    ///
    /// # Errors
    /// What the closure answers, or why nothing could be committed; in both cases nothing is kept.
    pub async fn write<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let work = move |session: &mut dyn Session| {
            let mut tx = Tx::begin(session, tenant)?;
            Ok(match work(&mut tx)? {
                Outcome::Commit(value) => Outcome::Commit((value, tx.revision())),
                Outcome::Rollback(value) => Outcome::Rollback((value, tx.revision())),
            })
        };
        let commits = Arc::clone(&self.commits);
        let committed = move |(_, revision): &(T, i64)| commits.reached(tenant, *revision);
        Ok(self.submit(Some(tenant), work, committed).await?.0)
    }

    /// The newest revision of a tenant that this process has heard of; [`GONE`] when the tenant is. It hears of its own
    /// commits at once, and of what others commit with [`Store::ask`].
    pub fn watch(&self, tenant: TenantId, revision: i64) -> watch::Receiver<i64> {
        self.commits.watch(tenant, revision)
    }

    /// Waits until it is time to look what others have committed, and names the tenants to [`ask`](Store::ask) for: to
    /// one of those who wait, so that the database is asked once per interval, whatever their number.
    pub async fn due(&self, every: Duration) -> Vec<TenantId> {
        self.commits.due(every).await
    }

    /// Looks up the revisions of tenants, and wakes those who watch them.
    ///
    /// # Errors
    /// Why the database cannot be read.
    pub async fn ask(&self, tenants: Vec<TenantId>) -> Result<()> {
        if tenants.is_empty() {
            return Ok(());
        }
        let asked = tenants.clone();
        let found = self.snapshot().read_system(move |session| commits::revisions(session, &asked)).await?;
        for tenant in tenants {
            self.commits.reached(tenant, found.get(&tenant).copied().unwrap_or(GONE));
        }
        Ok(())
    }

    /// Changes what belongs to no tenant: tenants themselves and tokens.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_system<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.submit(None, work, |_| ()).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        key: Option<TenantId>,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
        committed: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T> {
        let Some(tally) = self.tally.clone() else {
            return self.writer.submit(key, self.deadline, work, committed).await;
        };
        let work = move |session: &mut dyn Session| work(&mut Tallied { session, tally: &tally });
        self.writer.submit(key, self.deadline, work, committed).await
    }

    /// Whether the database has this program's schema, neither an older nor a newer one.
    ///
    /// # Errors
    /// Why the database cannot be read.
    pub async fn is_current(&self) -> Result<bool> {
        let known = self.migrations;
        self.snapshot().read_system(move |session| migrate::is_current(session, known)).await
    }

    /// Whether saves are carried out, as far as that shows without one.
    pub fn writer_works(&self) -> bool {
        self.writer.works()
    }

    /// How many statements have been run since the start, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.run()
    }

    /// The texts of the statements that have been run since the start, in alphabetical order.
    pub fn statement_texts(&self) -> Vec<&'static str> {
        self.statements.texts()
    }
}
