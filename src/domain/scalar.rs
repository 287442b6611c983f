//! The trait of a single value: what a client sends for it, how it is kept, how it is shown.

use async_graphql::InputType;

use super::{Code, Problem, Value};

/// How a secret is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    /// As a hash, in text form.
    Hashed,
    /// Sealed with the key of the server, in bytes.
    Sealed,
}

/// A value that stands in one column.
pub trait Scalar: Clone + PartialEq + Sized + Send + Sync {
    /// How the value is kept when it is a secret.
    const SECRET: Option<Kept> = None;

    /// Whether the value is a number that somebody or something dials, which may be that of an object: a soft reference.
    const DIALS: bool = false;

    /// What a client sends: the plain JSON type under the scalar's name. A wrong JSON type is a GraphQL error, a value
    /// that breaks a rule is a [`Problem`], so that all rules can be checked in one go.
    type Sent: InputType;

    /// The one way in.
    ///
    /// # Errors
    /// The rule that the value breaks, without its path.
    fn parse(sent: &Self::Sent) -> Result<Self, Problem>;

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
    fn answer(&self) -> async_graphql::Value {
        match self.to_value() {
            Value::Bool(b) => b.into(),
            Value::Int(n) => n.into(),
            Value::Text(s) => s.into(),
            Value::Null | Value::Bytes(_) | Value::Ids(_) | Value::Texts(_) => async_graphql::Value::Null,
        }
    }

    /// What was sent, when it is a secret: whoever saves has it hashed or sealed before the save's transaction.
    fn secret(_sent: &Self::Sent) -> Option<super::SentSecret<'_>> {
        None
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
    type Sent = bool;

    fn parse(sent: &bool) -> Result<Self, Problem> {
        Ok(*sent)
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
}

/// Lets a value type stand in an answer, under the GraphQL type of `$Via`: `answers!([generics] Type as Via)`.
macro_rules! answers {
    ([$($generics:tt)*] $Type:ty as $Via:ty) => {
        impl<$($generics)*> async_graphql::OutputType for $Type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                <$Via as async_graphql::OutputType>::type_name()
            }

            fn qualified_type_name() -> String {
                <$Via as async_graphql::OutputType>::qualified_type_name()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <$Via as async_graphql::OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                _: &async_graphql::ContextSelectionSet<'_>,
                _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                Ok($crate::domain::Scalar::answer(self))
            }
        }
    };
}
pub(crate) use answers;

/// Ties a value type to a GraphQL scalar: `scalar!(/// description  Type <- Sent(plain), "Name", "https://specification")`.
///
/// `Sent` is the scalar as clients send it, any value of the plain JSON type; the type itself is only ever answered.
macro_rules! scalar {
    ($(#[$doc:meta])* $($Type:ty),* => $Sent:ident($plain:ty), $name:literal $(, $url:literal)?) => {
        #[doc = concat!("What a client sends for the scalar `", $name, "`, not yet checked.")]
        #[derive(Clone, Debug)]
        pub struct $Sent(pub $plain);

        $(#[$doc])*
        #[async_graphql::Scalar(name = $name $(, specified_by_url = $url)?)]
        impl async_graphql::ScalarType for $Sent {
            fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
                <$plain as async_graphql::ScalarType>::parse(value).map(Self).map_err(|e| e.propagate())
            }

            fn is_valid(value: &async_graphql::Value) -> bool {
                <$plain as async_graphql::ScalarType>::is_valid(value)
            }

            fn to_value(&self) -> async_graphql::Value {
                async_graphql::ScalarType::to_value(&self.0)
            }
        }

        $($crate::domain::answers!([] $Type as $Sent);)*
    };
}
pub(crate) use scalar;

/// A GraphQL enum that is kept as its GraphQL name: `choice! { /// … pub enum Mode { /// … Auto = "AUTO" } }`.
macro_rules! choice {
    ($(#[$meta:meta])* pub enum $Name:ident { $($(#[$doc:meta])* $Variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, async_graphql::Enum)]
        pub enum $Name { $($(#[$doc])* #[graphql(name = $word)] $Variant),+ }

        impl $Name {
            /// The word that clients and columns use.
            pub fn word(self) -> &'static str {
                match self { $($Name::$Variant => $word),+ }
            }

            /// The value behind a word, if there is one.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some($Name::$Variant),)+ _ => None }
            }
        }

        impl $crate::domain::Scalar for $Name {
            type Sent = Self;

            fn parse(sent: &Self) -> Result<Self, $crate::domain::Problem> {
                Ok(*sent)
            }

            /// The first of the list.
            fn blank() -> Option<Self> {
                [$($Name::$Variant),+].first().copied()
            }

            fn to_value(&self) -> $crate::domain::Value {
                self.word().into()
            }

            fn from_value(value: $crate::domain::Value) -> Result<Self, $crate::domain::Problem> {
                value.text().and_then(Self::of).ok_or_else(|| {
                    $crate::domain::Problem::new(
                        $crate::domain::Code::InvalidFormat,
                        concat!("is stored as something else than a ", stringify!($Name)),
                    )
                })
            }
        }
    };
}
pub(crate) use choice;
