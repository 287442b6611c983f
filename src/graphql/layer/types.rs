//! Type references, arguments and input types, enums and scalars.

use std::borrow::Cow;
use std::fmt;

use async_graphql::Value;

/// A name or a description. Most are constants of the program.
pub type Text = Cow<'static, str>;

/// A reference to a type, as SDL writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TypeRef {
    shape: TypeShape,
    nullable: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum TypeShape {
    Named(String),
    List(Box<TypeRef>),
}

impl TypeRef {
    /// Parses a text such as `[String!]!`. A malformed text becomes the name of an undefined type, which
    /// [`Layer::problems`](super::Layer::problems) reports.
    pub fn parse(text: &str) -> Self {
        let (text, nullable) = text.strip_suffix('!').map_or((text, true), |text| (text, false));
        let shape = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(entry) => TypeShape::List(Box::new(Self::parse(entry))),
            None => TypeShape::Named(text.to_owned()),
        };
        Self { shape, nullable }
    }

    /// The name without brackets.
    pub fn name(&self) -> &str {
        match &self.shape {
            TypeShape::Named(name) => name,
            TypeShape::List(entry) => entry.name(),
        }
    }

    /// Whether it is nullable.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// The type of the entries, if it is a list.
    pub fn inner(&self) -> Option<&TypeRef> {
        match &self.shape {
            TypeShape::Named(_) => None,
            TypeShape::List(entry) => Some(entry),
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            TypeShape::Named(name) => f.write_str(name)?,
            TypeShape::List(entry) => write!(f, "[{entry}]")?,
        }
        f.write_str(if self.nullable { "" } else { "!" })
    }
}

/// An argument, or a field of an input object.
#[derive(Clone, Debug)]
pub struct InputValue {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// Its type.
    pub ty: TypeRef,
    /// Its default.
    pub default: Option<Value>,
    /// Whether its text is a secret, which is zeroed in memory when it is dropped.
    pub secret: bool,
}

impl InputValue {
    /// A value without a default.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        Self { name: name.into(), about: about.into(), ty: TypeRef::parse(ty), default: None, secret: false }
    }
}

/// An input object type.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// Its fields, in order.
    pub fields: Vec<InputValue>,
    /// Whether exactly one field must be given.
    pub one_of: bool,
}

/// An enum type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enum {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// Its words with their descriptions.
    pub values: Vec<(Text, Text)>,
}

/// The plain values that a scalar takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlainType {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A text, or a whole number, which is converted to a text.
    Id,
    /// True or false.
    Boolean,
    /// Any of these, and lists and objects of them.
    Any,
}

/// A scalar type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SchemaScalar {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// The URL of its specification.
    pub url: Option<Text>,
    /// The plain values that it takes.
    pub plain: PlainType,
}
