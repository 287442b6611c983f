//! The trait of a single value: what a client sends for it, how it is kept, how it is shown.

use serde_json::Value as Json;

use super::{Code, Problem, Sent, Value, ValueRef, json};

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

/// The lines of a doc comment as clients read them.
pub fn about(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
}

/// A scalar of the API under a name of its own.
#[derive(Debug)]
pub struct ScalarType {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// The lines of its description, see [`about`].
    pub doc: &'static [&'static str],
    /// The specification of its form, if there is one.
    pub url: Option<&'static str>,
    /// The JSON type of its values.
    pub plain: Shape,
}

/// A choice of the API: words of which one is meant.
#[derive(Debug)]
pub struct ChoiceType {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// The lines of its description, see [`about`].
    pub doc: &'static [&'static str],
    /// Each word with the lines of its description.
    pub words: &'static [(&'static str, &'static [&'static str])],
}

/// How clients see a value.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A switch.
    Boolean,
    /// The opaque id of an object.
    Id,
    /// A text or a number under a name of its own.
    Scalar(&'static ScalarType),
    /// One of some words.
    Choice(&'static ChoiceType),
    /// A list of values, none of which is null.
    List(&'static Shape),
}

/// A GraphQL scalar for a value type: `scalar!(/// description  "Name", Plain, "https://specification")` is the shape.
macro_rules! scalar {
    ($(#[doc = $doc:literal])* $name:literal, $Plain:ident $(, $url:literal)?) => {
        $crate::domain::Shape::Scalar(&$crate::domain::ScalarType {
            name: $name,
            doc: &[$($doc),*],
            url: [$(Some($url),)? None][0],
            plain: $crate::domain::Shape::$Plain,
        })
    };
}
pub(crate) use scalar;

/// An enum whose values clients name by words: `words! { "Mode": /// … pub enum Mode { /// … Auto = "AUTO" } }`.
macro_rules! words {
    ($name:expr; $(#[doc = $doc:literal])* pub enum $Name:ident {
        $($(#[doc = $word_doc:literal])* $Variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $Name { $($(#[doc = $word_doc])* $Variant),+ }

        impl $Name {
            /// How clients see it.
            pub const TYPE: &'static $crate::domain::ChoiceType = &$crate::domain::ChoiceType {
                name: $name,
                doc: &[$($doc),*],
                words: &[$(($word, &[$($word_doc),*])),+],
            };

            /// The word that clients and columns use.
            pub fn word(self) -> &'static str {
                match self { $($Name::$Variant => $word),+ }
            }

            /// The value behind a word, if there is one.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some($Name::$Variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;

/// A choice that is kept as its word: `choice! { /// … pub enum Mode { /// … Auto = "AUTO" } }`. What nobody chose is
/// the first of the list.
macro_rules! choice {
    ($(#[doc = $doc:literal])* pub enum $Name:ident {
        $(#[doc = $first_doc:literal])* $First:ident = $first:literal,
        $($(#[doc = $word_doc:literal])* $Variant:ident = $word:literal),* $(,)?
    }) => {
        $crate::domain::words! {
            stringify!($Name);
            $(#[doc = $doc])*
            pub enum $Name {
                $(#[doc = $first_doc])* $First = $first,
                $($(#[doc = $word_doc])* $Variant = $word),*
            }
        }

        impl $crate::domain::Scalar for $Name {
            const TAKES: $crate::domain::Shape = $crate::domain::Shape::Choice($Name::TYPE);

            fn parse(sent: &$crate::domain::Sent) -> Result<Self, $crate::domain::Problem> {
                let word = sent.text()?;
                Self::of(word).ok_or_else(|| $crate::domain::no_such_word(Self::TYPE, word))
            }

            fn blank() -> Option<Self> {
                Some($Name::$First)
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

            fn write(
                stored: $crate::domain::ValueRef<'_>,
                json: &mut Vec<u8>,
            ) -> Result<(), $crate::domain::Problem> {
                match stored.text().and_then(Self::of) {
                    Some(choice) => Ok($crate::domain::json::write(choice.word(), json)),
                    None => Self::from_value(stored.into()).map(drop),
                }
            }
        }
    };
}
pub(crate) use choice;

/// The problem of a word that is not one of a choice's.
pub(crate) fn no_such_word(choice: &ChoiceType, word: &str) -> Problem {
    let words: Vec<_> = choice.words.iter().map(|(word, _)| *word).collect();
    Problem::new(Code::InvalidFormat, format!("must be one of {}", words.join(", "))).value(word.escape_default())
}
