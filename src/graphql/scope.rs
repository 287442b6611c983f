//! What one request carries: who asks, its view of the database, its loaders.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
use async_graphql::{Context, Error, ErrorExtensions as _, Result};

use super::batch::{AtOnce, Batches};
use crate::domain::{Kind, ObjectId, TenantId};
use crate::form::Section;
use crate::service::{App, Selected, StoreError, TenantRow, Viewer};
use crate::store::{self, ObjectRow, Query, Snapshot};

/// One request.
pub struct Scope {
    pub(super) app: App,
    pub(super) snapshot: Arc<Snapshot>,
    viewer: Option<Viewer>,
    /// Names the request in logs and in answers.
    pub(super) request_id: String,
    loaders: DataLoader<Batch>,
}

impl Scope {
    /// A request with loaders whose batches go to `batches`.
    pub(super) fn new(app: App, asking: Asking, batches: Batches) -> Self {
        let Asking { snapshot, viewer, request_id } = asking;
        let loaders = DataLoader::new(Batch(Arc::clone(&snapshot)), batches, AtOnce).max_batch_size(usize::MAX);
        Self { app, snapshot, viewer, request_id, loaders }
    }

    /// The request that a resolver works for.
    pub(super) fn of<'a>(ctx: &Context<'a>) -> Result<&'a Self> {
        ctx.data::<Self>()
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
            (None, Selected::Unknown) => Ok(None),
            (None, Selected::None) => {
                let sentence = "The token is for several tenants: name one in the argument or in the header X-Tenant.";
                Err(coded("TENANT_REQUIRED", sentence))
            }
        }
    }

    /// The own row of an object of a tenant that the viewer sees.
    pub(super) async fn object(&self, id: ObjectId) -> Result<Option<Arc<ObjectRow>>> {
        self.loaders.load_one(id).await.map_err(|e| self.surprise(&e))
    }

    /// The own rows of objects that must exist, in order.
    pub(super) async fn objects(&self, ids: Vec<ObjectId>) -> Result<Vec<Arc<ObjectRow>>> {
        let rows = self.loaders.load_many(ids.clone()).await.map_err(|e| self.surprise(&e))?;
        ids.iter().map(|id| rows.get(id).cloned().ok_or_else(|| self.dangling())).collect()
    }

    /// The error of a reference whose object is not there, which the database's foreign keys rule out.
    pub(super) fn dangling(&self) -> Error {
        self.surprise(&StoreError::Corrupt("a reference leads nowhere".into()))
    }

    /// A section or detail that an object must have.
    pub(super) async fn section<S: Section>(&self, id: ObjectId) -> Result<Arc<S>> {
        let found = self.loaders.load_one(Of::<S>(id, PhantomData)).await.map_err(|e| self.surprise(&e))?;
        found.ok_or_else(|| self.surprise(&StoreError::Corrupt(format!("{}[{}] is missing", S::TABLE, id.local))))
    }

    /// All objects of a kind of a tenant.
    pub(super) async fn of_kind(&self, tenant: TenantId, kind: Kind) -> Result<Vec<Arc<ObjectRow>>> {
        let found = self.loaders.load_one((tenant, kind)).await.map_err(|e| self.surprise(&e))?;
        Ok(found.unwrap_or_default())
    }

    /// Other reads of a tenant.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        work: impl FnOnce(&mut Query<'_>) -> store::Result<T> + Send + 'static,
    ) -> Result<T> {
        self.snapshot.read(tenant, work).await.map_err(|e| self.surprise(&e))
    }

    /// What the client hears of an error that it did not cause: a code and the request's name, nothing internal.
    pub(super) fn surprise(&self, error: &StoreError) -> Error {
        tracing::error!(request = self.request_id, %error, "a request failed");
        let (code, sentence) = match error {
            StoreError::Busy(_) | StoreError::Stale(_) => ("BUSY", "The server is busy; try again."),
            StoreError::Unavailable(_) => ("UNAVAILABLE", "The database is not available; try again later."),
            StoreError::Unknown(_) => (
                "UNAVAILABLE",
                "The database became unavailable while it saved: read what is there before you try again.",
            ),
            StoreError::Conflict { .. }
            | StoreError::Reference
            | StoreError::Invalid(_)
            | StoreError::NoTenant
            | StoreError::Corrupt(_)
            | StoreError::Bug(_) => ("INTERNAL", "Something went wrong in the server."),
        };
        coded(code, sentence).extend_with(|_, e| {
            e.set("requestId", self.request_id.as_str());
            if let StoreError::Unknown(_) = error {
                e.set("outcome", "UNKNOWN");
            }
        })
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
    pub request_id: String,
}

/// An error with a code that clients can branch on.
pub(super) fn coded(code: &'static str, sentence: impl Into<String>) -> Error {
    Error::new(sentence).extend_with(|_, e| e.set("code", code))
}

/// Loads what many resolvers ask for together.
struct Batch(Arc<Snapshot>);

/// The key of a section of an object.
struct Of<S>(ObjectId, PhantomData<fn() -> S>);

impl<S> Clone for Of<S> {
    fn clone(&self) -> Self {
        Self(self.0, PhantomData)
    }
}

impl<S> PartialEq for Of<S> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<S> Eq for Of<S> {}

impl<S> Hash for Of<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Batch {
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

impl Loader<ObjectId> for Batch {
    type Value = Arc<ObjectRow>;
    type Error = StoreError;

    async fn load(&self, keys: &[ObjectId]) -> store::Result<HashMap<ObjectId, Arc<ObjectRow>>> {
        self.by_tenant(keys.iter().copied(), store::load_objects).await
    }
}

impl<S: Section> Loader<Of<S>> for Batch {
    type Value = Arc<S>;
    type Error = StoreError;

    async fn load(&self, keys: &[Of<S>]) -> store::Result<HashMap<Of<S>, Arc<S>>> {
        let found = self.by_tenant(keys.iter().map(|key| key.0), store::load_sections::<S>).await?;
        Ok(found.into_iter().map(|(id, section)| (Of(id, PhantomData), section)).collect())
    }
}

impl Loader<(TenantId, Kind)> for Batch {
    type Value = Vec<Arc<ObjectRow>>;
    type Error = StoreError;

    async fn load(&self, keys: &[(TenantId, Kind)]) -> store::Result<HashMap<(TenantId, Kind), Vec<Arc<ObjectRow>>>> {
        let mut found = HashMap::new();
        for &(tenant, kind) in keys {
            let rows = self.0.read(tenant, move |query| store::of_kind(query, kind)).await?;
            found.insert((tenant, kind), rows.into_iter().map(Arc::new).collect());
        }
        Ok(found)
    }
}
