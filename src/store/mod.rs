//! The store: the only part of the program that contains SQL and knows the database engines.
//!
//! There are two entry points. [`Store::snapshot`] gives a request its view of the database: one read transaction,
//! which begins with the first read. [`Store::write`] queues a closure for the writer. The writer runs all queued jobs,
//! each in a savepoint, commits once and then answers all of them: an acknowledged write is on disk. Closures are
//! synchronous, may run more than once, and run on the store's own threads. Async tasks never touch a connection or a
//! pool.

mod backfill;
mod cancellation;
mod changes;
mod chosen_fields;
mod commits;
mod connection;
mod data_version;
mod deadline;
mod engine;
mod erase_tenant;
mod error;
mod feed;
mod find;
mod form_lookups;
mod free_numbers;
mod gauges;
mod job;
mod known_numbers;
mod metrics;
mod migrate;
mod migrations;
mod objects;
mod order;
mod postgres;
mod progress;
mod queue;
mod read_ahead;
mod read_transaction;
mod readers;
mod readiness;
mod reference_columns;
mod references;
mod search;
mod sections;
mod session;
mod snapshot;
mod sqlite;
mod tally;
mod tenants;
mod tokens;
mod transfer;
mod unique;
mod verify;
mod view;
mod whole_sections;
mod write_ahead_log;
mod write_health;
mod writer;

use std::sync::Arc;
use std::time::Duration;

pub use changes::{NewChange, fields_changed_since, insert_change};
pub use chosen_fields::{ChosenField, ChosenFields, ChosenList, ChosenRead, FIRST_ENTRY_COLUMN, read_chosen};
use commits::Commits;
pub use commits::GONE;
pub use connection::DatabaseState;
use connection::StatementStats;
pub use data_version::DataVersion;
use data_version::DataVersions;
pub use deadline::Deadline;
use engine::ConnectionManager;
pub use engine::Database;
pub use erase_tenant::{erase_tenant, tenant_id_by_code};
pub use error::{Result, StoreError};
pub use feed::{FeedPlace, FeedRow, KIND_PATH, fields_of_change, read_feed};
pub use find::{Fact, Probe, count_in_range, load_facts, objects_in_range, run_probe};
pub use form_lookups::{has_enabled_ldap_server, login_owners, number_holders, number_in_range, owned_numbers};
pub use free_numbers::{free_number, free_number_behind, parking_slots};
pub use job::Outcome;
pub use known_numbers::known_numbers;
use metrics::Metrics;
pub use migrate::{migrate, missing_migrations, missing_migrations_in, tie_to_key};
pub use objects::{
    ObjectFields, ObjectRow, count_objects, erase_object, insert_object, load_objects, object_by_name,
    object_by_number, objects_of_kind, update_object, visit_objects,
};
pub use order::{OrderDirection, OrderField, SortKey, SortPosition, SortRange};
pub use postgres::PostgresServer;
pub use progress::Progress;
pub use read_ahead::{ReadAhead, RememberedStatement};
use readers::Readers;
pub use readers::lower_thread_priority;
pub use reference_columns::{ReferenceColumn, ReferencePlace, reference_columns};
pub use references::{ReferenceCount, ReferenceQuery, ReferenceRow, ReferenceStrength, count_references, references};
pub use search::objects_with_word;
pub use sections::{erase_section, is_in_object_row, load_details, load_dyn_sections, load_sections, save_section};
pub use session::{Columns, Query, Session, Tx};
pub use snapshot::Snapshot;
pub use sqlite::{ExclusiveFile, FileIntegrityCheck, SqliteView, copy_database, sidecar_path};
use tally::CountingSession;
pub use tally::{Tally, TallyDetails};
pub use tenants::{
    TenantRow, create_tenant, current_tenant, current_tenant_with, find_token_and_tenant, list_tenants, set_defaults,
    tenant_by_code, tenant_by_id, update_tenant,
};
pub use tokens::{TokenRow, create_token, each_valid_token_hash, find_token, list_tokens, revoke_token};
use tokio::sync::watch;
pub use transfer::{
    Presence, StoredChange, TenantCounters, UnfinishedImport, advance_import, begin_import, changes_after,
    finish_import, import_change, import_object, object_kinds, objects_after, presence, tenant_counters, tenant_size,
};
pub use unique::taken_values;
pub use verify::{missing_migrations_in_file, verify_rows};
pub use view::{DatabaseView, last_written_at};
pub use whole_sections::WholeSections;
pub use write_ahead_log::LOG_THRESHOLD;
use writer::Writer;

use crate::domain::TenantId;

/// An open database with the current schema.
#[derive(Clone)]
pub struct Store {
    /// Dropped first: the last connection to close copies SQLite's log into the file, which these cannot do.
    data_versions: Arc<DataVersions>,
    readers: Arc<Readers>,
    expensive_readers: Arc<Readers>,
    writer: Arc<Writer>,
    commits: Arc<Commits>,
    statements: Arc<StatementStats>,
    metrics: Arc<Metrics>,
    migrations: &'static [migrations::Migration],
    /// Counts the statements, if this is the store of one request.
    tally: Option<Arc<Tally>>,
    /// How long a write waits for its turn and its answer.
    deadline: Option<Deadline>,
}

impl Store {
    /// Opens a database that has the schema of this program, see [`migrate()`].
    ///
    /// # Errors
    /// One sentence that says why the database cannot be used.
    pub fn open(database: &Database, readers: usize) -> std::result::Result<Self, String> {
        let message = |error: StoreError| format!("{database}: {error}");
        let statements = Arc::<StatementStats>::default();
        let manager =
            ConnectionManager { database: database.clone(), readonly: false, statements: Arc::clone(&statements) };
        let metrics = Arc::<Metrics>::default();
        let writer = Arc::new(Writer::start(&manager, &metrics).map_err(message)?);
        let manager = ConnectionManager { readonly: true, ..manager };
        let data_versions = Arc::new(DataVersions::start(&manager, readers).map_err(message)?);
        let expensive_readers = Readers::start_expensive(manager.clone(), readers, &metrics).map_err(message)?;
        let readers = Arc::new(Readers::start(manager, readers, &metrics).map_err(message)?);
        Ok(Self {
            data_versions,
            readers,
            expensive_readers: Arc::new(expensive_readers),
            writer,
            commits: Arc::default(),
            statements,
            metrics,
            migrations: database.migrations(),
            tally: None,
            deadline: None,
        })
    }

    /// The current version of the data, found in microseconds. `None` if that is not possible, as on PostgreSQL.
    pub fn data_version(&self) -> Option<DataVersion> {
        self.data_versions.current()
    }

    /// Whether nothing has been committed since `before`, so that everything read since then belongs to one state.
    /// `false` if that cannot be found at once.
    pub fn is_unchanged_since(&self, before: DataVersion) -> bool {
        self.data_versions.is_unchanged_since(before)
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.readers), self.tally.clone())
    }

    /// A view of the database for one request, which counts its statements.
    pub fn snapshot_with_tally(&self, tally: Arc<Tally>) -> Snapshot {
        Snapshot::new(Arc::clone(&self.readers), Some(tally))
    }

    /// The same store for one request, which counts its statements, including those of its saves.
    pub fn with_tally(&self, tally: Option<Arc<Tally>>) -> Self {
        Self { tally, ..self.clone() }
    }

    /// A view of the database for an expensive request. It uses separate threads and connections with a low priority,
    /// so that no other request waits for it.
    pub fn expensive_snapshot(&self, tally: Arc<Tally>) -> Snapshot {
        Snapshot::new(Arc::clone(&self.expensive_readers), Some(tally))
    }

    /// The number of cores that may read, as passed to [`Store::open`].
    pub fn readers(&self) -> usize {
        self.readers.readers
    }

    /// The number of expensive requests that can read at the same time.
    pub fn expensive_readers(&self) -> usize {
        self.expensive_readers.readers
    }

    /// The same store with the deadline of this snapshot: a request's writes wait no longer than its reads.
    #[must_use]
    pub fn with_deadline_of(&self, snapshot: &Snapshot) -> Self {
        Self { deadline: snapshot.deadline(), ..self.clone() }
    }

    /// Changes a tenant, see the [module](self). The closure may run more than once, so it must only affect its
    /// transaction.
    ///
    /// # Errors
    /// The error of the closure, or why nothing could be committed. In both cases, nothing is saved.
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

    /// The latest revision of a tenant that this process knows; [`GONE`] if the tenant is deleted. It learns of its own
    /// commits at once, and of those of other processes with [`Store::refresh_revisions`].
    pub fn watch(&self, tenant: TenantId, revision: i64) -> watch::Receiver<i64> {
        self.commits.watch(tenant, revision)
    }

    /// Waits until it is time to look for commits of other processes, and returns the tenants for
    /// [`Store::refresh_revisions`]. Only one of those who wait gets them, so that there is one query per interval.
    pub async fn next_refresh(&self, every: Duration) -> Vec<TenantId> {
        self.commits.next_refresh(every).await
    }

    /// Reads the revisions of tenants, and wakes those who watch a tenant with a new one.
    ///
    /// # Errors
    /// Why the database cannot be read.
    pub async fn refresh_revisions(&self, tenants: Vec<TenantId>) -> Result<()> {
        if tenants.is_empty() {
            return Ok(());
        }
        let refreshed = tenants.clone();
        let found = self.snapshot().read_system(move |session| commits::revisions(session, &refreshed)).await?;
        for tenant in tenants {
            self.commits.reached(tenant, found.get(&tenant).copied().unwrap_or(GONE));
        }
        Ok(())
    }

    /// Changes data that belongs to no tenant: the tenants themselves, and tokens.
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
        let work = move |session: &mut dyn Session| work(&mut CountingSession { session, tally: &tally });
        self.writer.submit(key, self.deadline, work, committed).await
    }

    /// Whether the database has exactly the schema of this program, neither an older nor a newer one.
    ///
    /// # Errors
    /// Why the database cannot be read.
    pub async fn is_current(&self) -> Result<bool> {
        let known = self.migrations;
        self.snapshot().read_system(move |session| migrate::is_current(session, known)).await
    }
}
