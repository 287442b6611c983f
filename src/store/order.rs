//! Orders of lists, and places in them.

use super::objects::ObjectRow;
use crate::domain::{LAST_CHARACTER, Value, choice, sort_key};

choice! {
    /// What a list is sorted by; equal ones stand in the order in which they were made.
    pub enum OrderField {
        /// The number, digit by digit from left to right; what has none stands first.
        Number = "NUMBER",
        /// The name, whatever its capitals and accents.
        Name = "NAME",
        /// When the object was made.
        CreatedAt = "CREATED_AT",
        /// When the object was last saved.
        ChangedAt = "CHANGED_AT",
    }
}

choice! {
    /// Which end of a list comes first.
    pub enum OrderDirection {
        /// The least first.
        Asc = "ASC",
        /// The greatest first.
        Desc = "DESC",
    }
}

/// What an object is sorted by in a list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// A number or a folded name.
    Text(String),
    /// Epoch milliseconds.
    Time(i64),
}

/// A place in a sorted list: the key, and for equal keys the object.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// What the list is sorted by.
    pub key: Key,
    /// The object's key in the tenant.
    pub id: i64,
}

/// What lies between two places of a list, neither end included.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Before all of it.
    pub from: Position,
    /// Behind all of it.
    pub to: Position,
}

/// The first id of an object is 1, so this stands before all objects with the same key.
const BEFORE: i64 = 0;

impl OrderField {
    /// What an object is sorted by in this order.
    pub fn key(self, row: &ObjectRow) -> Key {
        match self {
            OrderField::Number => Key::Text(row.number.clone().unwrap_or_default()),
            OrderField::Name => Key::Text(sort_key(&row.name)),
            OrderField::CreatedAt => Key::Time(row.created_at.0),
            OrderField::ChangedAt => Key::Time(row.changed_at.0),
        }
    }

    /// The object's place in this order.
    pub fn position(self, row: &ObjectRow) -> Position {
        Position { key: self.key(row), id: row.id.local }
    }

    /// The whole list.
    pub fn whole(self) -> Span {
        match self {
            OrderField::Number | OrderField::Name => Span::beginning_with(""),
            OrderField::CreatedAt | OrderField::ChangedAt => Span::of_keys(Key::Time(i64::MIN), Key::Time(i64::MAX)),
        }
    }
}

impl Span {
    /// The keys from `from` up to, but not including, `to`.
    pub fn of_keys(from: Key, to: Key) -> Self {
        Self { from: Position { key: from, id: BEFORE }, to: Position { key: to, id: BEFORE } }
    }

    /// The texts that begin so.
    pub fn beginning_with(prefix: &str) -> Self {
        Self::of_keys(Key::Text(prefix.to_owned()), Key::Text(format!("{prefix}{LAST_CHARACTER}")))
    }

    /// The texts from `from` to `to`, both included.
    pub fn of_texts(from: &str, to: &str) -> Self {
        // No folded text contains the character NUL, so this is the text next to `to`.
        Self::of_keys(Key::Text(from.to_owned()), Key::Text(format!("{to}\u{1}")))
    }

    /// What lies in both.
    pub fn within(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }

    /// Whether a place lies in it.
    pub fn contains(&self, position: &Position) -> bool {
        *position > self.from && *position < self.to
    }

    /// The four values of it in a statement.
    pub(super) fn params(&self) -> [Value; 4] {
        let key = |key: &Key| match key {
            Key::Text(text) => text.as_str().into(),
            Key::Time(time) => (*time).into(),
        };
        [key(&self.from.key), self.from.id.into(), key(&self.to.key), self.to.id.into()]
    }
}
