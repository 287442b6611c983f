//! Sort orders of lists, and positions in them.

use super::objects::ObjectRow;
use crate::domain::{LAST_CHARACTER, Value, choice, sort_key};

choice! {
    /// What a list is sorted by. Objects that are equal in it are sorted by the order of their creation.
    pub enum OrderField {
        /// By number, digit by digit from left to right; objects without a number come first.
        Number = "NUMBER",
        /// By name, ignoring case and accents.
        Name = "NAME",
        /// By the time of creation.
        CreatedAt = "CREATED_AT",
        /// By the time of the last save.
        ChangedAt = "CHANGED_AT",
    }
}

choice! {
    /// The direction of a sort.
    pub enum OrderDirection {
        /// Ascending: the smallest number, the first name or the earliest time comes first.
        Asc = "ASC",
        /// Descending: the largest number, the last name or the latest time comes first.
        Desc = "DESC",
    }
}

/// The value that a list is sorted by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum SortKey {
    /// A number or a folded name.
    Text(String),
    /// Epoch milliseconds.
    Time(i64),
}

/// A position in a sorted list: the sort key, and the object's id for equal keys.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct SortPosition {
    /// The sort key.
    pub key: SortKey,
    /// The object's id in the tenant.
    pub id: i64,
}

/// The part of a list between two positions, both excluded.
#[derive(Clone, Debug, PartialEq)]
pub struct SortRange {
    /// The position before the range.
    pub from: SortPosition,
    /// The position after the range.
    pub to: SortPosition,
}

/// Object ids start at 1, so this is before all objects with the same key.
const BEFORE: i64 = 0;

impl OrderField {
    /// The object's sort key in this order.
    pub fn key(self, row: &ObjectRow) -> SortKey {
        match self {
            OrderField::Number => SortKey::Text(row.number.clone().unwrap_or_default()),
            OrderField::Name => SortKey::Text(sort_key(&row.name)),
            OrderField::CreatedAt => SortKey::Time(row.created_at.0),
            OrderField::ChangedAt => SortKey::Time(row.changed_at.0),
        }
    }

    /// The object's position in this order.
    pub fn position(self, row: &ObjectRow) -> SortPosition {
        SortPosition { key: self.key(row), id: row.id.local }
    }

    /// The whole list.
    pub fn full_range(self) -> SortRange {
        match self {
            OrderField::Number | OrderField::Name => SortRange::with_prefix(""),
            OrderField::CreatedAt | OrderField::ChangedAt => {
                SortRange::between_keys(SortKey::Time(i64::MIN), SortKey::Time(i64::MAX))
            }
        }
    }
}

impl SortRange {
    /// The keys from `from` up to, but not including, `to`.
    pub fn between_keys(from: SortKey, to: SortKey) -> Self {
        Self { from: SortPosition { key: from, id: BEFORE }, to: SortPosition { key: to, id: BEFORE } }
    }

    /// The texts with a prefix.
    pub fn with_prefix(prefix: &str) -> Self {
        Self::between_keys(SortKey::Text(prefix.to_owned()), SortKey::Text(format!("{prefix}{LAST_CHARACTER}")))
    }

    /// The texts from `from` to `to`, both included.
    pub fn between_texts(from: &str, to: &str) -> Self {
        // No folded text contains NUL, so no text lies between `to` and this one.
        Self::between_keys(SortKey::Text(from.to_owned()), SortKey::Text(format!("{to}\u{1}")))
    }

    /// The part that is in both ranges.
    pub fn intersection(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether a position is in the range.
    pub fn contains(&self, position: &SortPosition) -> bool {
        *position > self.from && *position < self.to
    }

    /// The four statement parameters of the range.
    pub(super) fn params(&self) -> [Value; 4] {
        let key = |key: &SortKey| match key {
            SortKey::Text(text) => text.as_str().into(),
            SortKey::Time(time) => (*time).into(),
        };
        [key(&self.from.key), self.from.id.into(), key(&self.to.key), self.to.id.into()]
    }
}
