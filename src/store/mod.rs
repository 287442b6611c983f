//! The store: the only part of the program that knows SQL and engines.
//!
//! There are two ways in. [`Store::snapshot`] gives a request its view of the database: one read transaction, begun with
//! the first read. [`Store::write`] queues a closure for the writer, which runs what has queued up, each job in a savepoint, commits
//! once and then answers all: acknowledged means on disk. Closures are synchronous and run on the store's own threads;
//! async tasks never touch a connection or a pool.

mod changes;
mod error;
mod migrate;
mod objects;
mod readers;
mod sections;
mod session;
mod sqlite;
mod tenants;
mod tokens;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use changes::{Record, changed_since, record};
pub use error::{Result, StoreError};
pub use objects::{
    NewObject, ObjectRow, count, free_number, holder, insert, insert_plain, ldap_exists, load as load_objects,
    login_holder, numbers_after, of_kind, owns_number, parking_slot, plain_row, touch,
};
use readers::Readers;
pub use readers::Snapshot;
pub use sections::{load as load_sections, load_one as load_section, save as save_section};
pub use session::{Query, Session, Tx};
use sqlite::{Found, Manager, SqliteSession};
pub use tenants::{
    TenantRow, create as create_tenant, own_tenant, set_defaults, tenant_by_code, tenant_by_id, tenants,
};
pub use tokens::{TokenRow, create as create_token, find as find_token, revoke as revoke_token, tokens};
pub use writer::Outcome;
use writer::Writer;

use crate::domain::{Clock, TenantId};

/// A database that is open and up to date.
#[derive(Clone)]
pub struct Store {
    readers: Arc<Readers>,
    writer: Arc<Writer>,
    statements: Arc<AtomicU64>,
}

impl Store {
    /// Opens the file, making it and applying migrations where needed.
    ///
    /// # Errors
    /// One sentence on why the file cannot be used: not ours, newer than this program, damaged, not writable.
    pub fn open(path: &Path, readers: usize, clock: &dyn Clock) -> std::result::Result<Self, String> {
        migrate(path, false, clock)?;
        let statements = Arc::<AtomicU64>::default();
        let writer = Writer::start(&Manager::new(path, false), Arc::clone(&statements)).map_err(|e| e.to_string())?;
        let readers =
            Readers::start(Manager::new(path, true), readers, Arc::clone(&statements)).map_err(|e| e.to_string())?;
        Ok(Self { readers: Arc::new(readers), writer: Arc::new(writer), statements })
    }

    /// A view of the database for one request.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.readers))
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
        self.writer.submit(move |session| work(&mut Tx::begin(session, tenant)?)).await
    }

    /// Changes what belongs to no tenant: tenants themselves and tokens.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_system<T: Send + 'static>(
        &self,
        work: impl Fn(&mut dyn Session) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.writer.submit(work).await
    }

    /// How many statements have been run since the start, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }
}

/// Brings the file's schema up to date and names the migrations that were applied. A `dry` run only names them and
/// leaves a file that does not exist alone.
///
/// # Errors
/// One sentence on why the file cannot be used.
pub fn migrate(path: &Path, dry: bool, clock: &dyn Clock) -> std::result::Result<Vec<String>, String> {
    let file: PathBuf = match (sqlite::inspect(path)?, dry) {
        // What a new file would get is found out without making it.
        (Found::Nothing, true) => ":memory:".into(),
        _ => path.to_owned(),
    };
    let connection = Manager::new(&file, false).open().map_err(|e| format!("{}: {e}", path.display()))?;
    let statements = Arc::default();
    let mut session = SqliteSession::new(&connection, &statements);
    let names = if dry { migrate::missing(&mut session) } else { migrate::apply(&mut session, clock.now()) };
    names.map_err(|sentence| format!("{}: {sentence}", path.display()))
}
