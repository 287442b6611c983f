//! Why a plan does not answer a request.

use crate::graphql::layer::ReadError;
use crate::store::StoreError;

pub(super) type PlanResult<T> = Result<T, Unplanned>;

/// Why a plan does not answer a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unplanned {
    /// It queries the schema itself.
    Introspection,
    /// A field declares no source.
    Field,
    /// It selects more than a plan has room for.
    Long,
    /// Its conditions have had too many combinations of values.
    Conditions,
    /// Something is wrong, which the executor finds again and reports.
    Error,
}

impl Unplanned {
    /// Its label in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Introspection => "introspection",
            Self::Field => "field",
            Self::Long => "long",
            Self::Conditions => "conditions",
            Self::Error => "error",
        }
    }
}

impl From<StoreError> for Unplanned {
    fn from(_: StoreError) -> Self {
        Self::Error
    }
}

impl From<async_graphql::Error> for Unplanned {
    fn from(_: async_graphql::Error) -> Self {
        Self::Error
    }
}

impl From<ReadError> for Unplanned {
    fn from(_: ReadError) -> Self {
        Self::Error
    }
}
