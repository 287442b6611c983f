//! How far the counters of a tenant go. Each of them is a number that somebody sees, and none may come to where that
//! number cannot be shown or counted on.

/// A counter of a tenant or of one of its objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Counter {
    /// The changes of a tenant.
    Revision,
    /// The saves of an object.
    Version,
    /// The key that the next object of a tenant gets.
    NextObject,
}

impl Counter {
    /// The greatest value that is ever reached.
    pub const fn most(self) -> i64 {
        match self {
            // An `Int` of GraphQL has 32 bits.
            Self::Revision | Self::Version => 0x7FFF_FFFF,
            // The whole numbers on which all programs that read JSON agree.
            Self::NextObject => (1 << 53) - 1,
        }
    }

    /// The greatest value that an import takes: half of the way is left.
    pub const fn most_imported(self) -> i64 {
        self.most() / 2
    }

    /// What it counts, in words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Revision => "the tenant's changes",
            Self::Version => "the object's saves",
            Self::NextObject => "the tenant's objects",
        }
    }
}
