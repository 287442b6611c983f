//! The limits of a tenant's counters. Clients see these numbers, so none may reach a value that cannot be shown or
//! incremented.

/// A counter of a tenant or of one of its objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// The number of changes of a tenant.
    Revision,
    /// The number of saves of an object.
    Version,
    /// The key of a tenant's next object.
    NextObject,
}

impl Counter {
    /// The maximum value.
    pub const fn max(self) -> i64 {
        match self {
            // An `Int` of GraphQL has 32 bits.
            Self::Revision | Self::Version => 0x7FFF_FFFF,
            // The integers that all JSON parsers read exactly.
            Self::NextObject => (1 << 53) - 1,
        }
    }

    /// The maximum value that an import accepts: half of the range is left for changes.
    pub const fn max_imported(self) -> i64 {
        self.max() / 2
    }

    /// What it counts, for messages.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Revision => "the tenant's changes",
            Self::Version => "the object's saves",
            Self::NextObject => "the tenant's objects",
        }
    }
}
