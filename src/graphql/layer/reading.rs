//! Fields that are answered by reads in one transaction: a plan makes them in its only trip, the executor in one of theirs.

use async_graphql::{Error, Result};

use super::args::Args;
use super::call::Call;
use super::node::{Node, Thing};
use super::types::Text;
use crate::domain::TenantId;
use crate::graphql::scope::tenant_required;
use crate::service::{Selected, TenantRow, Viewer};
use crate::store::{self, Deadline, Query, Session, StoreError};

/// What a field that reads gets to work with.
pub struct Reading<'a> {
    session: &'a mut dyn Session,
    /// Who asks.
    pub viewer: &'a Viewer,
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// When the request has to be done.
    pub deadline: Option<Deadline>,
    selected: &'a [Text],
    /// The objects that are answered and that no page and no id of the request bounds, see [`Reading::spend`].
    pub(in crate::graphql) spent: usize,
}

/// Why a field could not be read.
pub enum ReadError {
    /// What the client hears of it.
    Told(Error),
    /// What the store answered.
    Store(StoreError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> Reading<'a> {
    /// Of a request of `viewer`; `selected` are the names of the fields that are selected of what is read.
    pub(in crate::graphql) fn new(
        session: &'a mut dyn Session,
        viewer: &'a Viewer,
        (now, deadline): (i64, Option<Deadline>),
        selected: &'a [Text],
    ) -> Self {
        Self { session, viewer, now, deadline, selected, spent: 0 }
    }

    /// Reads of one tenant.
    pub fn of(&mut self, tenant: TenantId) -> Query<'_> {
        Query::new(self.session, tenant)
    }

    /// The transaction.
    pub fn session(&mut self) -> &mut dyn Session {
        self.session
    }

    /// Counts objects that are answered, so that a request that gets more than it was taken to get ends.
    pub fn spend(&mut self, objects: usize) {
        self.spent += objects;
    }

    /// Whether a field of this name is selected of what is read.
    pub fn selects(&self, name: &str) -> bool {
        self.selected.iter().any(|selected| selected == name)
    }

    /// The tenant with this code, or else the selected one. `None` when it does not exist for who asks.
    ///
    /// # Errors
    /// What the store answers; TENANT_REQUIRED where nothing says which.
    pub fn tenant(&mut self, code: Option<&str>) -> Result<Option<TenantRow>, ReadError> {
        Ok(match (code, &self.viewer.selected) {
            (Some(code), _) => store::tenant_by_code(self.session, code)?.filter(|tenant| self.viewer.sees(tenant.id)),
            (None, Selected::Tenant(row)) => Some((**row).clone()),
            (None, Selected::Unknown(_)) => None,
            (None, Selected::None) => return Err(tenant_required().into()),
        })
    }
}

type Of = dyn Fn(&Thing) -> Option<TenantId> + Send + Sync;
type Get = dyn Fn(&[Thing], &Args, &mut Reading<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync;

/// How a field is read.
pub struct Reads {
    of: Option<Box<Of>>,
    get: Box<Get>,
}

impl Reads {
    /// For many things of one tenant at once: as many nodes as things, in their order.
    pub fn all(
        get: impl Fn(&[Thing], &Args, &mut Reading<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self { of: None, get: Box::new(get) }
    }

    /// For one thing after the other.
    pub fn each(
        get: impl Fn(&Thing, &Args, &mut Reading<'_>) -> Result<Node, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self::all(move |things, args, reading| things.iter().map(|thing| get(thing, args, reading)).collect())
    }

    /// What it answers depends on nothing but the tenant that `of` says for a thing: not on the time, say.
    pub fn only_of(self, of: impl Fn(&Thing) -> Option<TenantId> + Send + Sync + 'static) -> Self {
        Self { of: Some(Box::new(of)), ..self }
    }

    /// Whether what it answers depends on nothing but one tenant.
    pub fn is_of_a_tenant(&self) -> bool {
        self.of.is_some()
    }

    /// Reads, for things of one tenant.
    ///
    /// # Errors
    /// What the field answers.
    pub fn read(&self, things: &[Thing], args: &Args, reading: &mut Reading<'_>) -> Result<Vec<Node>, ReadError> {
        (self.get)(things, args, reading)
    }

    /// Reads in a trip of the executor.
    pub(super) async fn execute(&'static self, thing: &Thing, call: Call<'_>) -> Result<Node> {
        let (things, args) = ([thing.clone()], call.args.clone());
        let depends = self.of.as_ref().and_then(|of| of(thing));
        let work = move |reading: &mut Reading<'_>| self.read(&things, &args, reading);
        let nodes = call.scope()?.reads(depends, call.selected(), work).await?;
        Ok(nodes.into_iter().next().unwrap_or(Node::Null))
    }
}
