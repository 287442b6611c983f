//! A client's input as plain data, independent of GraphQL and of fields.

use super::{Code, Problem, SecretText};

/// A value that a client sent. GraphQL refuses values of the wrong shape before this; in a file that somebody edited by
/// hand, they are a [`Problem`] like any other.
#[derive(Clone, Debug)]
pub enum Sent {
    /// `null`, which clears the field.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text, including ids and the words of choices.
    Text(String),
    /// The text of a secret.
    Secret(SecretText),
    /// A list.
    List(Vec<Sent>),
    /// An input object.
    Object(Patch),
}

/// An input object: the values by the names of the input fields. Fields that were left out are not in it.
#[derive(Clone, Debug, Default)]
pub struct Patch(pub Vec<(String, Sent)>);

fn shape(rule: &str) -> Problem {
    Problem::new(Code::InvalidFormat, rule)
}

impl Sent {
    /// The text.
    ///
    /// # Errors
    /// It has another type.
    pub fn text(&self) -> Result<&str, Problem> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(shape("must be a string")),
        }
    }

    /// The whole number.
    ///
    /// # Errors
    /// It has another type.
    pub fn int(&self) -> Result<i64, Problem> {
        match self {
            Self::Int(n) => Ok(*n),
            _ => Err(shape("must be a whole number")),
        }
    }

    /// The boolean.
    ///
    /// # Errors
    /// It has another type.
    pub fn bool(&self) -> Result<bool, Problem> {
        match self {
            Self::Bool(b) => Ok(*b),
            _ => Err(shape("must be true or false")),
        }
    }

    /// The entries of a list.
    ///
    /// # Errors
    /// It has another type.
    pub fn list(&self) -> Result<&[Sent], Problem> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(shape("must be a list")),
        }
    }

    /// The input object.
    ///
    /// # Errors
    /// It has another type.
    pub fn object(&self) -> Result<&Patch, Problem> {
        match self {
            Self::Object(patch) => Ok(patch),
            _ => Err(shape("must be an object")),
        }
    }

    /// The secret.
    ///
    /// # Errors
    /// It has another type; the problem does not repeat the value.
    pub fn secret(&self) -> Result<&SecretText, Problem> {
        match self {
            Self::Secret(secret) => Ok(secret),
            _ => Err(shape("must be a string")),
        }
    }
}

impl Patch {
    /// The value of a field; `None` if it was left out.
    pub fn get(&self, field: &str) -> Option<&Sent> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, sent)| sent)
    }

    /// Removes a field and returns its value.
    pub fn take(&mut self, field: &str) -> Option<Sent> {
        let at = self.0.iter().position(|(name, _)| name == field)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Whether a field was sent, even as `null`.
    pub fn sends(&self, field: &str) -> bool {
        self.get(field).is_some()
    }
}

impl<N: Into<String>, S: Into<Sent>> FromIterator<(N, S)> for Patch {
    fn from_iter<I: IntoIterator<Item = (N, S)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, sent)| (name.into(), sent.into())).collect())
    }
}

impl<N: Into<String>, S: Into<Sent>, const LENGTH: usize> From<[(N, S); LENGTH]> for Patch {
    fn from(fields: [(N, S); LENGTH]) -> Self {
        fields.into_iter().collect()
    }
}

impl From<bool> for Sent {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Sent {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<&str> for Sent {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Sent {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<SecretText> for Sent {
    fn from(secret: SecretText) -> Self {
        Self::Secret(secret)
    }
}

impl From<Patch> for Sent {
    fn from(patch: Patch) -> Self {
        Self::Object(patch)
    }
}

impl<S: Into<Sent>> From<Vec<S>> for Sent {
    fn from(list: Vec<S>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}
