//! The values behind objects, and the values that fields answer.

use std::any::{Any, type_name};
use std::sync::Arc;

use async_graphql::{Result, Value};

use crate::graphql::errors::bug;

/// The value behind an object: of any type, cheap to clone.
#[derive(Clone)]
pub struct Thing(Arc<dyn Any + Send + Sync>);

impl Thing {
    /// Wraps a value.
    pub fn new<T: Any + Send + Sync>(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Wraps a shared value.
    pub fn shared<T: Any + Send + Sync>(value: Arc<T>) -> Self {
        Self(value)
    }

    /// The value.
    ///
    /// # Errors
    /// It has another type, which is a bug.
    pub fn get<T: Any>(&self) -> Result<&T> {
        self.0.downcast_ref().ok_or_else(|| bug(format_args!("a thing is not a {}", type_name::<T>())))
    }

    /// The value, shared.
    ///
    /// # Errors
    /// It has another type, which is a bug.
    pub fn share<T: Any + Send + Sync>(&self) -> Result<Arc<T>> {
        Arc::clone(&self.0).downcast().map_err(|_| bug(format_args!("a thing is not a {}", type_name::<T>())))
    }
}

/// The value that a field answers, before the selection below it is applied.
#[derive(Clone)]
pub enum Node {
    /// Null.
    Null,
    /// The value of a scalar or an enum, or a list of them.
    Leaf(Value),
    /// An object: the name of its type, and the value behind it.
    Object(&'static str, Thing),
    /// A list.
    List(Vec<Node>),
    /// A list without pages: its entries count towards the request's budget.
    Counted(Vec<Node>),
}

impl Node {
    /// An object of the type `name`.
    pub fn object<T: Any + Send + Sync>(name: &'static str, value: T) -> Self {
        Self::Object(name, Thing::new(value))
    }

    /// An object of the type `name`, with a shared value.
    pub fn shared<T: Any + Send + Sync>(name: &'static str, value: Arc<T>) -> Self {
        Self::Object(name, Thing::shared(value))
    }

    /// A list of values.
    pub fn list<T: Into<Node>>(values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().map(Into::into).collect()
    }

    /// A list of objects of the type `name`.
    pub fn objects<T: Any + Send + Sync>(name: &'static str, values: impl IntoIterator<Item = T>) -> Self {
        values.into_iter().map(|value| Self::object(name, value)).collect()
    }
}

impl FromIterator<Node> for Node {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        Self::List(nodes.into_iter().collect())
    }
}

impl From<Value> for Node {
    fn from(value: Value) -> Self {
        Self::Leaf(value)
    }
}

impl From<bool> for Node {
    fn from(b: bool) -> Self {
        Self::Leaf(Value::Boolean(b))
    }
}

impl From<i64> for Node {
    fn from(n: i64) -> Self {
        Self::Leaf(n.into())
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Leaf(Value::String(text.to_owned()))
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Leaf(Value::String(text))
    }
}

impl From<&String> for Node {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<serde_json::Value> for Node {
    fn from(json: serde_json::Value) -> Self {
        Self::Leaf(Value::from_json(json).unwrap_or_default())
    }
}

impl<T: Into<Node>> From<Option<T>> for Node {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(values: Vec<T>) -> Self {
        Self::list(values)
    }
}

impl From<&[String]> for Node {
    fn from(texts: &[String]) -> Self {
        Self::list(texts)
    }
}
