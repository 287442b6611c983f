//! What a selection measures before it is executed.

use async_graphql::Pos;

use crate::graphql::limits::{Exceeded, Limit};
use crate::graphql::prices::LEAVES;

/// The largest of some numbers, and where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::graphql) struct Peak {
    pub(in crate::graphql) value: u64,
    pub(in crate::graphql) at: Pos,
}

impl Peak {
    /// Checks it against a limit.
    pub(in crate::graphql) fn within(self, limit: Limit, allowed: u64) -> Result<(), Exceeded> {
        let Self { value: actual, at } = self;
        let at = Some(at).filter(|at| at.line > 0);
        if actual > allowed { Err(Exceeded { limit, allowed, actual, at }) } else { Ok(()) }
    }

    pub(super) fn max(self, other: Self) -> Self {
        if other.value > self.value { other } else { self }
    }

    pub(super) fn up(self, field: Pos) -> Self {
        Self { value: self.value + 1, at: if self.value == 0 { field } else { self.at } }
    }
}

/// What a selection asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::graphql) struct SelectionMeasure {
    /// What it costs, and where most of that comes from.
    pub(in crate::graphql) cost: u64,
    pub(in crate::graphql) dearest: Peak,
    /// The plain fields of the object that is selected from.
    pub(super) leaves: u64,
    /// Levels of fields. Introspection counts as one level here and has its own.
    pub(in crate::graphql) levels: Peak,
    pub(in crate::graphql) introspection_levels: Peak,
    /// Lists in lists.
    pub(super) lists: Peak,
    pub(in crate::graphql) introspection_lists: Peak,
    /// Whether it may take a look at all of a tenant, or of a kind.
    pub(in crate::graphql) walks: bool,
    /// Whether it sends secrets that are hashed, if only to see what that would do.
    pub(in crate::graphql) secret: bool,
}

impl SelectionMeasure {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            dearest: self.dearest.max(other.dearest),
            leaves: self.leaves.saturating_add(other.leaves),
            levels: self.levels.max(other.levels),
            introspection_levels: self.introspection_levels.max(other.introspection_levels),
            lists: self.lists.max(other.lists),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            walks: self.walks || other.walks,
            secret: self.secret || other.secret,
        }
    }

    /// What the object costs that is selected from, with all that hangs below it.
    pub(super) fn whole(self) -> u64 {
        self.cost.saturating_add(self.leaves / LEAVES)
    }
}
