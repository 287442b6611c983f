//! Database values in a form that is the same for both engines.

use std::sync::Arc;

/// A parameter or a result of a statement.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A boolean. SQLite returns it as an integer, see [`Value::bool`].
    Bool(bool),
    /// A 64-bit integer; times are epoch milliseconds.
    Int(i64),
    /// UTF-8 text.
    Text(String),
    /// Raw bytes: hashes and encrypted secrets.
    Bytes(Vec<u8>),
    /// A list of ids, used only as a parameter of `= ANY($n)`.
    Ids(Arc<[i64]>),
    /// A list of texts, used only as a parameter of `= ANY($n)`.
    Texts(Arc<[String]>),
}

/// The columns of one row, in the order of the statement.
pub type Row = Vec<Value>;

/// A value in the current row of a statement: a [`Value`] without ownership.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// SQL NULL.
    Null,
    /// A boolean, see [`ValueRef::bool`].
    Bool(bool),
    /// A 64-bit integer.
    Int(i64),
    /// UTF-8 text.
    Text(&'a str),
    /// Raw bytes.
    Bytes(&'a [u8]),
}

impl<'a> ValueRef<'a> {
    /// The integer in this value, or `None` if it holds anything else.
    pub fn int(self) -> Option<i64> {
        match self {
            ValueRef::Int(n) => Some(n),
            _ => None,
        }
    }

    /// The text in this value, or `None` if it holds anything else.
    pub fn text(self) -> Option<&'a str> {
        match self {
            ValueRef::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean in this value, see [`Value::bool`].
    pub fn bool(self) -> Option<bool> {
        match self {
            ValueRef::Bool(b) => Some(b),
            ValueRef::Int(0) => Some(false),
            ValueRef::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl From<ValueRef<'_>> for Value {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Value::Null,
            ValueRef::Bool(b) => Value::Bool(b),
            ValueRef::Int(n) => Value::Int(n),
            ValueRef::Text(text) => Value::Text(text.to_owned()),
            ValueRef::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
        }
    }
}

impl Value {
    /// A borrowed form; `None` for a list, which no row contains.
    pub fn borrowed(&self) -> Option<ValueRef<'_>> {
        Some(match self {
            Value::Null => ValueRef::Null,
            Value::Bool(b) => ValueRef::Bool(*b),
            Value::Int(n) => ValueRef::Int(*n),
            Value::Text(text) => ValueRef::Text(text),
            Value::Bytes(bytes) => ValueRef::Bytes(bytes),
            Value::Ids(_) | Value::Texts(_) => return None,
        })
    }

    /// The integer in this value, or `None` if it holds anything else.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text in this value, or `None` if it holds anything else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(s) => Some(s),
            _ => None,
        }
    }

    /// The bytes in this value, or `None` if it holds anything else.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(b) => Some(b),
            _ => None,
        }
    }

    /// The boolean in this value. SQLite stores booleans as the integers 0 and 1, PostgreSQL has a type for them.
    pub fn bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Value::Int(n)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Text(s.to_owned())
    }
}

impl From<String> for Value {
    fn from(s: String) -> Self {
        Value::Text(s)
    }
}

impl From<&[u8]> for Value {
    fn from(b: &[u8]) -> Self {
        Value::Bytes(b.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl FromIterator<String> for Value {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        Value::Texts(texts.into_iter().collect())
    }
}

impl FromIterator<i64> for Value {
    fn from_iter<I: IntoIterator<Item = i64>>(ids: I) -> Self {
        Value::Ids(ids.into_iter().collect())
    }
}
