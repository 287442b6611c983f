//! The store: the only part of the program that knows SQL and engines.
//!
//! There are two ways in. [`Store::snapshot`] gives a request its view of the database: one read transaction, begun with
//! the first read. [`Store::write`] queues a closure for the writer, which runs what has queued up, each job in a savepoint, commits
//! once and then answers all: acknowledged means on disk. Closures are synchronous, may be run again, and run on the
//! store's own threads; async tasks never touch a connection or a pool.

mod changes;
mod engine;
mod erase;
mod error;
mod find;
mod known_numbers;
mod metrics;
mod migrate;
mod numbers;
mod objects;
mod order;
mod postgres;
mod readers;
mod references;
mod search;
mod sections;
mod session;
mod sources;
mod sqlite;
mod tally;
mod tenants;
mod tokens;
mod transfer;
mod verify;
mod writer;

use std::sync::Arc;

pub use changes::{Record, changed_since, record};
pub use engine::{Database, Found};
use engine::{Manager, Statements};
pub use erase::{find as find_tenant, tenant as erase_tenant};
pub use error::{Result, StoreError};
pub use find::{Fact, Probe, facts, probe, walk};
pub use known_numbers::known_numbers;
use metrics::Metrics;
pub use migrate::{migrate, missing as missing_migrations, tie_to_key};
pub use numbers::{free_number, free_number_behind, parking_slots};
pub use objects::{
    ObjectRow, OwnRow, count, erase as erase_object, holders, insert as insert_object, ldap_exists,
    load as load_objects, logins, number_inside, of_kind, only_named, owned_numbers, plain_row, touch,
};
pub use order::{Key, OrderDirection, OrderField, Position, Span};
pub use postgres::Server as PostgresServer;
use readers::Readers;
pub use readers::Snapshot;
pub use references::{Asked, ReferenceCount, ReferencePlace, ReferenceRow, count_references, references};
pub use search::among as with_word;
pub use sections::{
    alike, erase as erase_section, in_object_row, load as load_sections, load_one as load_section, save as save_section,
};
pub use session::{Query, Session, Tx};
pub use sources::{Source, sources};
pub use sqlite::{Exclusive, Frozen, beside, copy_database};
use tally::Tallied;
pub use tally::{Listing, Tally};
pub use tenants::{
    TenantRow, create as create_tenant, own_tenant, set_defaults, tenant_by_code, tenant_by_id, tenants,
    update as update_tenant,
};
pub use tokens::{TokenRow, create as create_token, find as find_token, revoke as revoke_token, tokens};
pub use transfer::{
    Counters, KeptChange, Presence, Underway, advance_import, begin_import, changes_after, counters, finish_import,
    import_change, import_object, kinds, objects_after, presence, size,
};
pub use verify::{lacking_migrations, verify_rows};
pub use writer::Outcome;
use writer::Writer;

use crate::domain::TenantId;

/// Hears what a long piece of work is doing, and how much is done of how much. An error ends the work.
pub type Progress<'a> = dyn FnMut(&'static str, u64, u64) -> std::result::Result<(), String> + 'a;

/// A database that is open and up to date.
#[derive(Clone)]
pub struct Store {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
    statements: Arc<Statements>,
    metrics: Arc<Metrics>,
    migrations: &'static [migrate::Migration],
    /// Counts what is asked of this store, when it is the store of one request.
    tally: Option<Arc<Tally>>,
}

impl Store {
    /// Opens a database whose schema is this program's, see [`migrate()`].
    ///
    /// # Errors
    /// One sentence on why it cannot be used.
    pub fn open(database: &Database, readers: usize) -> std::result::Result<Self, String> {
        let said = |error: StoreError| format!("{database}: {error}");
        let statements = Arc::<Statements>::default();
        let manager = Manager { database: database.clone(), readonly: false, statements: Arc::clone(&statements) };
        let metrics = Arc::<Metrics>::default();
        let writer = Writer::start(&manager, &metrics).map_err(said)?;
        let readers = Readers::start(Manager { readonly: true, ..manager }, readers, &metrics).map_err(said)?;
        let (readers, writer) = (Arc::new(readers), Arc::new(writer));
        Ok(Self { readers, writer, statements, metrics, migrations: database.migrations(), tally: None })
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

    /// Changes a tenant: see the [module](self). The closure may be run again and has no effect but on its transaction.
    ///
    /// # Errors
    /// What the closure answers, or why nothing could be committed; in both cases nothing is kept.
    pub async fn write<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl Fn(&mut Tx<'_>) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.submit(Some(tenant), move |session| work(&mut Tx::begin(session, tenant)?)).await
    }

    /// Changes what belongs to no tenant: tenants themselves and tokens.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_system<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.submit(None, work).await
    }

    async fn submit<T: Send + 'static>(
        &self,
        key: Option<TenantId>,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        let Some(tally) = self.tally.clone() else { return self.writer.submit(key, work).await };
        self.writer.submit(key, move |session| work(&mut Tallied { session, tally: &tally })).await
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
