//! The shapes of values in the API, and the names and words of scalars and choices.

/// The text of a description from the lines of a doc comment.
pub fn about(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n")
}

/// A scalar type of the API with its own name.
#[derive(Debug)]
pub struct ScalarType {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// The lines of its description, see [`about`].
    pub doc: &'static [&'static str],
    /// The specification of its format, if there is one.
    pub url: Option<&'static str>,
    /// The JSON type of its values.
    pub plain: Shape,
}

/// An enum of the API: one of several words.
#[derive(Debug)]
pub struct ChoiceType {
    /// Its name in GraphQL.
    pub name: &'static str,
    /// The lines of its description, see [`about`].
    pub doc: &'static [&'static str],
    /// Each word with the lines of its description.
    pub words: &'static [(&'static str, &'static [&'static str])],
}

/// The shape of a value in the API.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    String,
    /// A whole number.
    Int,
    /// A boolean.
    Boolean,
    /// The opaque id of an object.
    Id,
    /// A string or number with its own scalar type.
    Scalar(&'static ScalarType),
    /// One of several words.
    Choice(&'static ChoiceType),
    /// A list of values without nulls.
    List(&'static Shape),
}

/// The shape of a value with its own GraphQL scalar: `scalar!(/// description  "Name", Plain,
/// "https://specification")`.
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

/// Declares an enum whose values have words in the API: `words! { "Mode"; /// … pub enum Mode { /// … Auto = "AUTO" }
/// }`.
macro_rules! words {
    ($name:expr; $(#[doc = $doc:literal])* pub enum $Name:ident {
        $($(#[doc = $word_doc:literal])* $Variant:ident = $word:literal),+ $(,)?
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum $Name { $($(#[doc = $word_doc])* $Variant),+ }

        impl $Name {
            /// Describes the enum for the API.
            pub const TYPE: &'static $crate::domain::ChoiceType = &$crate::domain::ChoiceType {
                name: $name,
                doc: &[$($doc),*],
                words: &[$(($word, &[$($word_doc),*])),+],
            };

            /// The word in the API and in columns.
            pub fn word(self) -> &'static str {
                match self { $($Name::$Variant => $word),+ }
            }

            /// The value with this word, if there is one.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some($Name::$Variant),)+ _ => None }
            }
        }
    };
}
pub(crate) use words;
