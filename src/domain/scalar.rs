//! The trait of a single value: what a client sends for it, how it is kept, how it is shown.

use serde_json::Value as Json;

use super::{Code, Problem, Sent, Shape, Value, ValueRef, json};

/// How a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    /// As a hash, in text form.
    Hashed,
    /// Sealed with the key of the server, in bytes.
    Sealed,
}

/// A value that stands in one column.
pub trait Scalar: Clone + PartialEq + Sized + Send + Sync + 'static {
    /// How the value is kept when it is a secret.
    const SECRET: Option<Kept> = None;

    /// Whether the value is a number that somebody or something dials, which may be that of an object: a soft reference.
    const DIALS: bool = false;

    /// How clients send it. A value of another shape is a GraphQL error, one that breaks a rule is a [`Problem`], so that
    /// all rules can be checked in one go.
    const TAKES: Shape;

    /// How it is answered.
    const ANSWERS: Shape = Self::TAKES;

    /// The one way in.
    ///
    /// # Errors
    /// The rule that the value breaks, without its path.
    fn parse(sent: &Sent) -> Result<Self, Problem>;

    /// What clearing the field with `null` leaves; `None` when it cannot be cleared.
    fn empty() -> Option<Self> {
        None
    }

    /// What a field of this type holds when nobody ever said anything; `None` when somebody has to.
    fn blank() -> Option<Self> {
        Self::empty()
    }

    /// The column form.
    fn to_value(&self) -> Value;

    /// Back from the column form.
    ///
    /// # Errors
    /// The rule that the stored value breaks: the row was not written by this program.
    fn from_value(value: Value) -> Result<Self, Problem>;

    /// Back from a file that somebody may have written by hand: like [`Scalar::from_value`], but every rule is asked
    /// again.
    ///
    /// # Errors
    /// The rule that the value breaks.
    fn admit(value: Value) -> Result<Self, Problem> {
        Self::from_value(value)
    }

    /// The value as clients and change records see it; a secret answers only whether it is set.
    fn answer(&self) -> Json {
        match self.to_value() {
            Value::Bool(b) => b.into(),
            Value::Int(n) => n.into(),
            Value::Text(s) => s.into(),
            Value::Null | Value::Bytes(_) | Value::Ids(_) | Value::Texts(_) => Json::Null,
        }
    }

    /// Writes a stored value as JSON, as [`Scalar::answer`] shows it.
    ///
    /// # Errors
    /// As [`Scalar::from_value`].
    fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
        Self::from_value(stored.into()).map(|value| json::write(&value.answer(), json))
    }

    /// Dials `to` where it dialled `from`, when [`Scalar::DIALS`].
    fn redial(&mut self, from: &str, to: &str) {
        if Self::DIALS
            && self.to_value().text() == Some(from)
            && let Ok(redialled) = Self::from_value(to.into())
        {
            *self = redialled;
        }
    }
}

/// The problem of a column that does not hold what its type says.
pub(super) fn corrupt(what: &str) -> Problem {
    Problem::new(Code::InvalidFormat, format!("is stored as something else than {what}"))
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
        value.bool().ok_or_else(|| corrupt("a switch"))
    }

    fn write(stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
        stored.bool().map(|on| json::write(&on, json)).ok_or_else(|| corrupt("a switch"))
    }
}
