//! What one request carries: who asks, its view of the database, its loaders.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Error, Result};
use futures_util::future::try_join_all;

use super::batch::{AtOnce, Batches};
use super::budget::Budget;
use super::errors::{coded, surprise, tenant_required};
use super::layer::{FieldReader, ReadError, Text};
use crate::domain::{ObjectId, TenantId};
use crate::form::{Section, SectionInfo};
use crate::service::{App, Selected, StoreError, TenantRow, Viewer};
use crate::store::{self, ObjectRow, Query, Session, Snapshot};

/// One request.
pub struct Scope {
    pub(super) app: App,
    pub(super) snapshot: Arc<Snapshot>,
    viewer: Option<Viewer>,
    /// Names the request in logs and in answers.
    pub(super) request_id: Arc<str>,
    loaders: DataLoader<SnapshotLoader>,
    budget: Budget,
}

impl Scope {
    /// A request with loaders whose batches go to `batches`.
    pub(super) fn new(app: &App, asking: Asking, batches: Batches, budget: Budget) -> Self {
        let Asking { snapshot, viewer, request_id } = asking;
        let app = app.with_tally(snapshot.tally());
        let loaders =
            DataLoader::new(SnapshotLoader(Arc::clone(&snapshot)), batches, AtOnce).max_batch_size(usize::MAX);
        Self { app, snapshot, viewer, request_id, loaders, budget }
    }

    /// Counts objects that are answered, so that a request that gets more than it was taken to get ends.
    pub(super) fn spend(&self, objects: usize) -> Result<()> {
        self.budget.spend(objects)
    }

    /// Who asks.
    pub(super) fn viewer(&self) -> Result<&Viewer> {
        self.viewer.as_ref().ok_or_else(|| coded("UNAUTHENTICATED", "A bearer token is required."))
    }

    /// The tenant with this code, or else the selected one. `None` when it does not exist for who asks.
    pub(super) async fn tenant(&self, code: Option<String>) -> Result<Option<TenantRow>> {
        let viewer = self.viewer()?;
        match (code, &viewer.selected) {
            (Some(code), _) => self.app.tenant(&self.snapshot, viewer, code).await.map_err(|e| self.surprise(&e)),
            (None, Selected::Tenant(row)) => Ok(Some((**row).clone())),
            (None, Selected::Unknown(_)) => Ok(None),
            (None, Selected::None) => Err(tenant_required()),
        }
    }

    /// The own row of an object of a tenant that the viewer sees.
    pub(super) async fn object(&self, id: ObjectId) -> Result<Option<Arc<ObjectRow>>> {
        self.spend(1)?;
        self.loaders.load_one(id).await.map_err(|e| self.surprise(&e))
    }

    /// The own rows of objects that must exist, in order.
    pub(super) async fn objects(&self, ids: Vec<ObjectId>) -> Result<Vec<Arc<ObjectRow>>> {
        self.spend(ids.len())?;
        let rows = self.loaders.load_many(ids.clone()).await.map_err(|e| self.surprise(&e))?;
        ids.iter().map(|id| rows.get(id).cloned().ok_or_else(|| self.dangling())).collect()
    }

    /// The error of a reference whose object is not there, which the database's foreign keys rule out.
    pub(super) fn dangling(&self) -> Error {
        self.surprise(&StoreError::Corrupt("a reference leads nowhere".into()))
    }

    /// A section or detail that an object must have.
    pub(super) async fn section(&self, info: &'static SectionInfo, id: ObjectId) -> Result<Arc<dyn Section>> {
        let found = self.loaders.load_one(Of(info, id)).await.map_err(|e| self.surprise(&e))?;
        found.ok_or_else(|| self.surprise(&StoreError::Corrupt(format!("{}[{}] is missing", info.table, id.local))))
    }

    /// Other reads, in one trip.
    pub(super) async fn read_all<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut FieldReader<'_>) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T> {
        self.reads(None, Vec::new(), work).await
    }

    /// The same for what depends on the tenant `depends` alone, if there is one, and of which fields of these names are
    /// selected.
    pub(super) async fn reads<T: Send + 'static>(
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
        let (read, spent) = self.snapshot.read_session(depends, work).await.map_err(|error| self.surprise(&error))?;
        self.spend(spent)?;
        read.map_err(|error| match error {
            ReadError::Told(error) => error,
            ReadError::Store(error) => self.surprise(&error),
        })
    }

    /// Other reads of a tenant.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&mut Query<'_>) -> store::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.snapshot.read(tenant, work).await.map_err(|e| self.surprise(&e))
    }

    /// See [`surprise`].
    pub(super) fn surprise(&self, error: &StoreError) -> Error {
        surprise(error, &self.request_id)
    }
}

/// Who asks, as the transport found out.
#[derive(Clone)]
pub struct Asking {
    /// The request's view of the database.
    pub snapshot: Arc<Snapshot>,
    /// Who asks; `None` without a token.
    pub viewer: Option<Viewer>,
    /// Names the request in logs and in answers.
    pub request_id: Arc<str>,
}

/// Loads what many resolvers ask for together.
struct SnapshotLoader(Arc<Snapshot>);

/// The key of a section of an object.
#[derive(Clone, Copy)]
struct Of(&'static SectionInfo, ObjectId);

impl PartialEq for Of {
    fn eq(&self, other: &Self) -> bool {
        (self.0.table, self.1) == (other.0.table, other.1)
    }
}

impl Eq for Of {}

impl Hash for Of {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.table, self.1).hash(state);
    }
}

impl SnapshotLoader {
    /// Asks each tenant once for what is wanted of it. Nearly always there is one tenant.
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
        self.0.batch("object", keys.len());
        self.by_tenant(keys.iter().copied(), store::load_objects).await
    }
}

impl Loader<Of> for SnapshotLoader {
    type Value = Arc<dyn Section>;
    type Error = StoreError;

    /// All sections that are asked for make one trip, with one read for each.
    async fn load(&self, keys: &[Of]) -> store::Result<HashMap<Of, Arc<dyn Section>>> {
        let mut wanted: BTreeMap<(&str, TenantId), (&'static SectionInfo, Vec<i64>)> = BTreeMap::new();
        for Of(info, id) in keys {
            wanted.entry((info.table, id.tenant)).or_insert_with(|| (info, Vec::new())).1.push(id.local);
        }
        let reads = wanted.into_iter().map(|((table, tenant), (info, ids))| {
            self.0.batch(table, ids.len());
            let read = self.0.read(tenant, move |query| store::load_any(query, info, &ids));
            async move {
                let of = |(local, section)| (Of(info, ObjectId { tenant, local }), Arc::from(section));
                Ok::<_, StoreError>(read.await?.into_iter().map(of).collect::<Vec<_>>())
            }
        });
        Ok(try_join_all(reads).await?.into_iter().flatten().collect())
    }
}
