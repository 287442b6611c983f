//! How clients see a value: its shape, and the names and words that the API has for it.

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
