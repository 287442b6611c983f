//! The arguments of a field.

use std::ops::Deref;

use async_graphql::{Name, Positioned, Result, Value};
use async_graphql_value::Value as Written;

use crate::domain::{Patch, Sent};
use crate::graphql::errors::bug;

/// The arguments of a field, in the order of their definition, with defaults filled in. An argument that is left out
/// and has no default is missing.
#[derive(Clone, Debug, Default)]
pub struct Args(pub Patch);

/// An argument as a document contains it.
pub type Argument = (Positioned<Name>, Positioned<Written>);

/// Looks up the values of variables.
pub type Variables<'a> = dyn Fn(&Name) -> Option<Value> + 'a;

impl Deref for Args {
    type Target = Patch;

    fn deref(&self) -> &Patch {
        &self.0
    }
}

/// The error does not repeat the value, which may be a secret.
pub(super) fn wrong_type(name: &str) -> async_graphql::Error {
    bug(format_args!("a value is not of type {name}"))
}

/// Reads the arguments of a field or the fields of an input object. A value that was left out reads like `null` here;
/// [`Patch::get`] tells them apart. A value of another shape than requested is a bug.
pub trait ArgValues {
    /// The value, unless it is `null` or missing.
    fn given(&self, name: &str) -> Option<&Sent>;

    /// A text, an id or the word of an enum.
    ///
    /// # Errors
    /// The value is something else.
    fn text(&self, name: &str) -> Result<Option<&str>> {
        self.given(name).map(|sent| sent.text().map_err(|_| wrong_type(name))).transpose()
    }

    /// A required text.
    ///
    /// # Errors
    /// The value is something else or missing.
    fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name)?.ok_or_else(|| wrong_type(name))
    }

    /// A whole number.
    ///
    /// # Errors
    /// The value is something else.
    fn int(&self, name: &str) -> Result<Option<i64>> {
        self.given(name).map(|sent| sent.int().map_err(|_| wrong_type(name))).transpose()
    }

    /// A boolean.
    ///
    /// # Errors
    /// The value is something else.
    fn bool(&self, name: &str) -> Result<Option<bool>> {
        self.given(name).map(|sent| sent.bool().map_err(|_| wrong_type(name))).transpose()
    }

    /// A list.
    ///
    /// # Errors
    /// The value is something else.
    fn list(&self, name: &str) -> Result<Option<&[Sent]>> {
        self.given(name).map(|sent| sent.list().map_err(|_| wrong_type(name))).transpose()
    }

    /// A list of texts.
    ///
    /// # Errors
    /// The value is something else.
    fn texts(&self, name: &str) -> Result<Option<Vec<&str>>> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        list.iter().map(|sent| sent.text().map_err(|_| wrong_type(name))).collect::<Result<_>>().map(Some)
    }

    /// An enum value, converted by `parse`.
    ///
    /// # Errors
    /// The value is something else.
    fn choice<C>(&self, name: &str, parse: fn(&str) -> Option<C>) -> Result<Option<C>> {
        self.text(name)?.map(|word| parse(word).ok_or_else(|| wrong_type(name))).transpose()
    }

    /// A list of enum values, converted by `parse`.
    ///
    /// # Errors
    /// The value is something else.
    fn choices<C>(&self, name: &str, parse: fn(&str) -> Option<C>) -> Result<Option<Vec<C>>> {
        let Some(words) = self.texts(name)? else { return Ok(None) };
        words.into_iter().map(|word| parse(word).ok_or_else(|| wrong_type(name))).collect::<Result<_>>().map(Some)
    }

    /// An input object.
    ///
    /// # Errors
    /// The value is something else.
    fn object(&self, name: &str) -> Result<Option<&Patch>> {
        self.given(name).map(|sent| sent.object().map_err(|_| wrong_type(name))).transpose()
    }

    /// A required input object.
    ///
    /// # Errors
    /// The value is something else or missing.
    fn required_object(&self, name: &str) -> Result<&Patch> {
        self.object(name)?.ok_or_else(|| wrong_type(name))
    }
}

impl ArgValues for Patch {
    fn given(&self, name: &str) -> Option<&Sent> {
        self.get(name).filter(|sent| !matches!(sent, Sent::Null))
    }
}
