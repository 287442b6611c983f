//! The trait of single values: how clients send them, how they are stored and how they are answered.

use serde_json::Value as Json;

use super::{Code, Problem, Sent, Shape, Value, ValueRef, json};

/// How a secret is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SecretStorage {
    /// As a hash, in text form.
    Hashed,
    /// Encrypted with the key of the server, as bytes.
    Sealed,
}

/// A value that is stored in one column.
pub trait Scalar: Clone + PartialEq + Sized + Send + Sync + 'static {
    /// How the value is stored, if it is a secret.
    const SECRET: Option<SecretStorage> = None;

    /// Whether the value is a dialled number that may be the number of an object: a soft reference.
    const DIALS: bool = false;

    /// Its shape in inputs. A value of another shape is a GraphQL error. A value that breaks a rule is a [`Problem`],
    /// so that all rules can be checked at once.
    const TAKES: Shape;

    /// Its shape in answers.
    const ANSWERS: Shape = Self::TAKES;

    /// Parses the value that a client sent. There is no other way to make one from input.
    ///
    /// # Errors
    /// The rule that the value breaks, without its path.
    fn parse(sent: &Sent) -> Result<Self, Problem>;

    /// The value after the field has been cleared with `null`; `None` if it cannot be cleared.
    fn empty() -> Option<Self> {
        None
    }

    /// The value of a field that nobody has set; `None` if it must be set.
    fn blank() -> Option<Self> {
        Self::empty()
    }

    /// The value as it is stored in its column.
    fn to_value(&self) -> Value;

    /// Loads the value from its column.
    ///
    /// # Errors
    /// The rule that the stored value breaks: the row was not written by this program.
    fn from_value(value: Value) -> Result<Self, Problem>;

    /// Loads the value from a file that somebody may have edited by hand: like [`Scalar::from_value`], but every rule
    /// is checked again.
    ///
    /// # Errors
    /// The rule that the value breaks.
    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        Self::from_value(value)
    }

    /// The value as answers and change records show it; for a secret, only whether it is set.
    fn answer(&self) -> Json {
        match self.to_value() {
            Value::Bool(b) => b.into(),
            Value::Int(n) => n.into(),
            Value::Text(s) => s.into(),
            Value::Null | Value::Bytes(_) | Value::Ids(_) | Value::Texts(_) => Json::Null,
        }
    }

    /// Writes a stored value as JSON, in the same form as [`Scalar::answer`].
    ///
    /// # Errors
    /// The errors of [`Scalar::from_value`].
    fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
        Self::from_value(stored.into()).map(|value| json::write(&value.answer(), json))
    }

    /// Replaces the dialled number `from` by `to`, if [`Scalar::DIALS`] is true.
    fn redial(&mut self, from: &str, to: &str) {
        if Self::DIALS
            && self.to_value().text() == Some(from)
            && let Ok(redialled) = Self::from_value(to.into())
        {
            *self = redialled;
        }
    }
}

/// The problem of a stored value that does not have the type of its field.
pub(super) fn corrupt(what: &str) -> Problem {
    Problem::new(Code::InvalidFormat, format!("is not stored as {what}"))
}

impl Scalar for bool {
    const TAKES: Shape = Shape::Boolean;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        sent.bool()
    }

    fn blank() -> Option<Self> {
        Some(false)
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        value.bool().ok_or_else(|| corrupt("a boolean"))
    }

    fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
        stored.bool().map(|on| json::write(&on, json)).ok_or_else(|| corrupt("a boolean"))
    }
}
