//! What a request carries: its viewer, its view of the database, its loaders.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Error, Result};
use futures_util::future::try_join_all;

use super::batch::{Batches, NoDelay};
use super::budget::Budget;
use super::errors::{coded, store_error, tenant_required};
use super::layer::{FieldReader, ReadError, Text};
use crate::domain::{ObjectId, TenantId};
use crate::form::{Section, SectionInfo};
use crate::service::{App, Selected, StoreError, TenantRow, Viewer};
use crate::store::{self, ObjectRow, Query, Session, Snapshot};

/// A request while it is executed.
pub struct Scope {
    pub(super) app: App,
    pub(super) snapshot: Arc<Snapshot>,
    viewer: Option<Viewer>,
    /// Identifies the request in logs and answers.
    pub(super) request_id: Arc<str>,
    loaders: DataLoader<SnapshotLoader>,
    budget: Budget,
}

impl Scope {
    /// A request whose loaders send their batches to `batches`.
    pub(super) fn new(app: &App, context: RequestContext, batches: Batches, budget: Budget) -> Self {
        let RequestContext { snapshot, viewer, request_id } = context;
        let app = app.with_tally(snapshot.tally());
        let loaders =
            DataLoader::new(SnapshotLoader(Arc::clone(&snapshot)), batches, NoDelay).max_batch_size(usize::MAX);
        Self { app, snapshot, viewer, request_id, loaders, budget }
    }

    /// Counts answered objects. A request that gets more than it was expected to is stopped.
    pub(super) fn spend(&self, objects: usize) -> Result<()> {
        self.budget.spend(objects)
    }

    /// The viewer.
    pub(super) fn viewer(&self) -> Result<&Viewer> {
        self.viewer.as_ref().ok_or_else(|| coded("UNAUTHENTICATED", "A bearer token is required."))
    }

    /// The tenant with this code, or else the selected one. `None` when it does not exist for the viewer.
    pub(super) async fn tenant(&self, code: Option<String>) -> Result<Option<TenantRow>> {
        let viewer = self.viewer()?;
        match (code, &viewer.selected) {
            (Some(code), _) => self.app.tenant(&self.snapshot, viewer, code).await.map_err(|e| self.store_error(&e)),
            (None, Selected::Tenant(row)) => Ok(Some((**row).clone())),
            (None, Selected::Unknown(_)) => Ok(None),
            (None, Selected::None) => Err(tenant_required()),
        }
    }

    /// The row of an object in a tenant that the viewer sees.
    pub(super) async fn object(&self, id: ObjectId) -> Result<Option<Arc<ObjectRow>>> {
        self.spend(1)?;
        self.loaders.load_one(id).await.map_err(|e| self.store_error(&e))
    }

    /// The rows of objects that must exist, in order.
    pub(super) async fn objects(&self, ids: Vec<ObjectId>) -> Result<Vec<Arc<ObjectRow>>> {
        self.spend(ids.len())?;
        let rows = self.loaders.load_many(ids.clone()).await.map_err(|e| self.store_error(&e))?;
        ids.iter().map(|id| rows.get(id).cloned().ok_or_else(|| self.dangling_reference())).collect()
    }

    /// The error for a reference to an object that does not exist, which the database's foreign keys rule out.
    pub(super) fn dangling_reference(&self) -> Error {
        self.store_error(&StoreError::Corrupt("a referenced object is missing".into()))
    }

    /// A section or detail that an object must have.
    pub(super) async fn section(&self, info: &'static SectionInfo, id: ObjectId) -> Result<Arc<dyn Section>> {
        let found = self.loaders.load_one(SectionKey(info, id)).await.map_err(|e| self.store_error(&e))?;
        found.ok_or_else(|| self.store_error(&StoreError::Corrupt(format!("{}[{}] is missing", info.table, id.local))))
    }

    /// Runs reads in one trip.
    pub(super) async fn read_in_one_trip<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut FieldReader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T> {
        self.read_fields(None, Vec::new(), work).await
    }

    /// Runs reads in one trip. `depends` is the tenant that the result depends on, if it depends on nothing else;
    /// `selected` are the names of the selected fields.
    pub(super) async fn read_fields<T: Send + 'static>(
        &self,
        depends: Option<TenantId>,
        selected: Vec<Text>,
        work: impl FnOnce(&mut FieldReader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T> {
        let (viewer, times) = (self.viewer()?.clone(), (self.app.now(), self.snapshot.deadline()));
        let work = move |session: &mut dyn Session| {
            let mut reading = FieldReader::new(session, &viewer, times, &selected);
            let read = work(&mut reading);
            Ok((read, reading.spent))
        };
        let (read, spent) =
            self.snapshot.read_session(depends, work).await.map_err(|error| self.store_error(&error))?;
        self.spend(spent)?;
        read.map_err(|error| match error {
            ReadError::Client(error) => error,
            ReadError::Store(error) => self.store_error(&error),
        })
    }

    /// Runs a read of one tenant.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&mut Query<'_>) -> store::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.snapshot.read(tenant, work).await.map_err(|e| self.store_error(&e))
    }

    /// See [`store_error`].
    pub(super) fn store_error(&self, error: &StoreError) -> Error {
        store_error(error, &self.request_id)
    }
}

/// What the transport knows about a request.
#[derive(Clone)]
pub struct RequestContext {
    /// The request's view of the database.
    pub snapshot: Arc<Snapshot>,
    /// The viewer; `None` without a token.
    pub viewer: Option<Viewer>,
    /// Identifies the request in logs and answers.
    pub request_id: Arc<str>,
}

/// Loads what several resolvers request together.
struct SnapshotLoader(Arc<Snapshot>);

/// The key of a section of an object.
#[derive(Clone, Copy)]
struct SectionKey(&'static SectionInfo, ObjectId);

impl PartialEq for SectionKey {
    fn eq(&self, other: &Self) -> bool {
        (self.0.table, self.1) == (other.0.table, other.1)
    }
}

impl Eq for SectionKey {}

impl Hash for SectionKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.table, self.1).hash(state);
    }
}

impl SnapshotLoader {
    /// Runs one read per tenant for the wanted ids. There is nearly always one tenant.
    async fn by_tenant<V: Send + 'static>(
        &self,
        ids: impl Iterator<Item = ObjectId>,
        load: impl Fn(&mut Query<'_>, &[i64]) -> store::Result<HashMap<i64, V>> + Clone + Send + 'static,
    ) -> store::Result<HashMap<ObjectId, Arc<V>>> {
        let mut wanted: HashMap<TenantId, Vec<i64>> = HashMap::new();
        for id in ids {
            wanted.entry(id.tenant).or_default().push(id.local);
        }
        let mut found = HashMap::new();
        for (tenant, ids) in wanted {
            let load = load.clone();
            let of_tenant = self.0.read(tenant, move |query| load(query, &ids)).await?;
            found.extend(of_tenant.into_iter().map(|(local, value)| (ObjectId { tenant, local }, Arc::new(value))));
        }
        Ok(found)
    }
}

impl Loader<ObjectId> for SnapshotLoader {
    type Value = Arc<ObjectRow>;
    type Error = StoreError;

    async fn load(&self, keys: &[ObjectId]) -> store::Result<HashMap<ObjectId, Arc<ObjectRow>>> {
        self.0.count_batch("object", keys.len());
        self.by_tenant(keys.iter().copied(), store::load_objects).await
    }
}

impl Loader<SectionKey> for SnapshotLoader {
    type Value = Arc<dyn Section>;
    type Error = StoreError;

    /// All requested sections are read in one trip, with one read per section and tenant.
    async fn load(&self, keys: &[SectionKey]) -> store::Result<HashMap<SectionKey, Arc<dyn Section>>> {
        let mut wanted: BTreeMap<(&str, TenantId), (&'static SectionInfo, Vec<i64>)> = BTreeMap::new();
        for SectionKey(info, id) in keys {
            wanted.entry((info.table, id.tenant)).or_insert_with(|| (info, Vec::new())).1.push(id.local);
        }
        let reads = wanted.into_iter().map(|((table, tenant), (info, ids))| {
            self.0.count_batch(table, ids.len());
            let read = self.0.read(tenant, move |query| store::load_dyn_sections(query, info, &ids));
            async move {
                let of = |(local, section)| (SectionKey(info, ObjectId { tenant, local }), Arc::from(section));
                Ok::<_, StoreError>(read.await?.into_iter().map(of).collect::<Vec<_>>())
            }
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }
}
