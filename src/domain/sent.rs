//! What a client sent, once it is known to be of its type: plain data that knows no GraphQL and no field.

use super::{Code, Problem, SecretText};

/// A value that a client sent. A value of the wrong shape does not come here over GraphQL, which refuses it before; in
/// a file that somebody wrote by hand it is a [`Problem`] like any other.
#[derive(Clone, Debug)]
pub enum Sent {
    /// `null`: clears.
    Null,
    /// A switch.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text: also ids and the words of choices.
    Text(String),
    /// A text that is a secret.
    Secret(SecretText),
    /// A list.
    List(Vec<Sent>),
    /// An input object.
    Object(Patch),
}

/// An input object: what was sent of each field, by the field's name as clients write it. What is left out is not there.
#[derive(Clone, Debug, Default)]
pub struct Patch(pub Vec<(String, Sent)>);

fn shape(rule: &str) -> Problem {
    Problem::new(Code::InvalidFormat, rule)
}

impl Sent {
    /// The text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self) -> Result<&str, Problem> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(shape("must be a text")),
        }
    }

    /// The whole number.
    ///
    /// # Errors
    /// It is something else.
    pub fn int(&self) -> Result<i64, Problem> {
        match self {
            Self::Int(n) => Ok(*n),
            _ => Err(shape("must be a whole number")),
        }
    }

    /// The switch.
    ///
    /// # Errors
    /// It is something else.
    pub fn bool(&self) -> Result<bool, Problem> {
        match self {
            Self::Bool(b) => Ok(*b),
            _ => Err(shape("must be true or false")),
        }
    }

    /// The entries of a list.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(&self) -> Result<&[Sent], Problem> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(shape("must be a list")),
        }
    }

    /// The input object.
    ///
    /// # Errors
    /// It is something else.
    pub fn object(&self) -> Result<&Patch, Problem> {
        match self {
            Self::Object(patch) => Ok(patch),
            _ => Err(shape("must be an object")),
        }
    }

    /// The secret.
    ///
    /// # Errors
    /// It is something else; the value is not repeated.
    pub fn secret(&self) -> Result<&SecretText, Problem> {
        match self {
            Self::Secret(secret) => Ok(secret),
            _ => Err(shape("must be a text")),
        }
    }
}

impl Patch {
    /// What was sent of a field; `None` when it was left out.
    pub fn get(&self, field: &str) -> Option<&Sent> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, sent)| sent)
    }

    /// Takes out what was sent of a field.
    pub fn take(&mut self, field: &str) -> Option<Sent> {
        let at = self.0.iter().position(|(name, _)| name == field)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Whether something was sent of a field, be it `null`.
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
