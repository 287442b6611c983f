//! The `choice!` macro: it turns a list of words into a [`Scalar`](super::Scalar) that is one of them.

use super::{ChoiceType, Code, Problem};

/// Declares a choice that is stored as its word: `choice! { /// … pub enum Mode { /// … Auto = "AUTO" } }`. The first
/// word is the default.
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
                Self::from_word(word).ok_or_else(|| $crate::domain::no_such_word(Self::TYPE, word))
            }

            fn blank() -> Option<Self> {
                Some($Name::$First)
            }

            fn to_value(&self) -> $crate::domain::Value {
                self.word().into()
            }

            fn from_value(value: $crate::domain::Value) -> Result<Self, $crate::domain::Problem> {
                value.text().and_then(Self::from_word).ok_or_else(|| {
                    $crate::domain::Problem::new(
                        $crate::domain::Code::InvalidFormat,
                        concat!("is not stored as a ", stringify!($Name)),
                    )
                })
            }

            fn write(
                stored: $crate::domain::ValueRef<'_>,
                json: &mut Vec<u8>,
            ) -> Result<(), $crate::domain::Problem> {
                match stored.text().and_then(Self::from_word) {
                    Some(choice) => Ok($crate::domain::json::write(choice.word(), json)),
                    None => Self::from_value(stored.into()).map(drop),
                }
            }
        }
    };
}
pub(crate) use choice;

/// The problem of a word that is not in a choice.
pub(crate) fn no_such_word(choice: &ChoiceType, word: &str) -> Problem {
    let words: Vec<_> = choice.words.iter().map(|(word, _)| *word).collect();
    Problem::new(Code::InvalidFormat, format!("must be one of {}", words.join(", "))).value(word)
}
