//! What a field that reads in one transaction has to work with.

use async_graphql::{Error, Result};

use super::types::Text;
use crate::domain::TenantId;
use crate::graphql::errors::tenant_required;
use crate::service::{Selected, TenantRow, Viewer};
use crate::store::{self, Deadline, Query, Session, StoreError};

/// What a field that reads has to work with.
pub struct FieldReader<'a> {
    session: &'a mut dyn Session,
    /// The viewer.
    pub viewer: &'a Viewer,
    /// The time, in milliseconds since 1970.
    pub now: i64,
    /// The deadline of the request.
    pub deadline: Option<Deadline>,
    selected: &'a [Text],
    /// The answered objects that neither a page nor an id of the request bounds, see [`FieldReader::spend`].
    pub(in crate::graphql) spent: usize,
}

/// Why a field could not be read.
pub enum ReadError {
    /// An error for the client.
    Client(Error),
    /// An error of the store.
    Store(StoreError),
}

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl<'a> FieldReader<'a> {
    /// A reader for a request of `viewer`; `selected` are the names of the fields that are selected below the field.
    pub(in crate::graphql) fn new(
        session: &'a mut dyn Session,
        viewer: &'a Viewer,
        (now, deadline): (i64, Option<Deadline>),
        selected: &'a [Text],
    ) -> Self {
        Self { session, viewer, now, deadline, selected, spent: 0 }
    }

    /// Reads of one tenant.
    pub fn query(&mut self, tenant: TenantId) -> Query<'_> {
        Query::new(self.session, tenant)
    }

    /// The session of the transaction.
    pub fn session(&mut self) -> &mut dyn Session {
        self.session
    }

    /// Counts answered objects. A request that gets more than it was expected to is stopped.
    pub fn spend(&mut self, objects: usize) {
        self.spent += objects;
    }

    /// Whether a field of this name is selected below the field.
    pub fn selects(&self, name: &str) -> bool {
        self.selected.iter().any(|selected| selected == name)
    }

    /// The tenant with this code, or else the selected one. `None` when it does not exist for the viewer.
    ///
    /// # Errors
    /// An error of the store; TENANT_REQUIRED if neither a code nor a selected tenant is given.
    pub fn tenant(&mut self, code: Option<&str>) -> Result<Option<TenantRow>, ReadError> {
        Ok(match (code, &self.viewer.selected) {
            (Some(code), _) => store::tenant_by_code(self.session, code)?.filter(|tenant| self.viewer.sees(tenant.id)),
            (None, Selected::Tenant(row)) => Some((**row).clone()),
            (None, Selected::Unknown(_)) => None,
            (None, Selected::None) => return Err(tenant_required().into()),
        })
    }
}
