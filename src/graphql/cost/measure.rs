//! The measure of a selection before it is executed.

use async_graphql::Pos;

use crate::graphql::limits::{Exceeded, Limit};
use crate::graphql::prices::LEAVES;

/// The largest of several numbers, and where it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::graphql) struct Peak {
    pub(in crate::graphql) value: u64,
    pub(in crate::graphql) at: Pos,
}

impl Peak {
    /// Checks the number against a limit.
    pub(in crate::graphql) fn within(self, limit: Limit, allowed: u64) -> Result<(), Exceeded> {
        let Self { value: actual, at } = self;
        let at = Some(at).filter(|at| at.line > 0);
        if actual > allowed { Err(Exceeded { limit, allowed, actual, at }) } else { Ok(()) }
    }

    pub(super) fn max(self, other: Self) -> Self {
        if other.value > self.value { other } else { self }
    }

    pub(super) fn one_more(self, field: Pos) -> Self {
        Self { value: self.value + 1, at: if self.value == 0 { field } else { self.at } }
    }
}

/// The measure of a selection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::graphql) struct SelectionMeasure {
    /// The maximum cost, and where most of it comes from.
    pub(in crate::graphql) cost: u64,
    pub(in crate::graphql) costliest: Peak,
    /// The number of plain fields of the object.
    pub(super) leaves: u64,
    /// Levels of fields. Introspection counts as one level here, and its own levels are counted separately.
    pub(in crate::graphql) levels: Peak,
    pub(in crate::graphql) introspection_levels: Peak,
    /// Lists within lists.
    pub(super) lists: Peak,
    pub(in crate::graphql) introspection_lists: Peak,
    /// Whether it may scan a whole tenant or kind.
    pub(in crate::graphql) scans: bool,
    /// Whether it sends secrets to be hashed, even in a dry run.
    pub(in crate::graphql) secret: bool,
}

impl SelectionMeasure {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            cost: self.cost.saturating_add(other.cost),
            costliest: self.costliest.max(other.costliest),
            leaves: self.leaves.saturating_add(other.leaves),
            levels: self.levels.max(other.levels),
            introspection_levels: self.introspection_levels.max(other.introspection_levels),
            lists: self.lists.max(other.lists),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            scans: self.scans || other.scans,
            secret: self.secret || other.secret,
        }
    }

    /// The cost of the object with everything below it.
    pub(super) fn total(self) -> u64 {
        self.cost.saturating_add(self.leaves / LEAVES)
    }
}
