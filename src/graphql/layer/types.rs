//! What describes types, arguments and the types of what is sent.

use std::borrow::Cow;
use std::fmt;

use async_graphql::Value;

/// A name or a description. Most stand in the program's text.
pub type Text = Cow<'static, str>;

/// A type as SDL writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ty {
    shape: TypeShape,
    nullable: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum TypeShape {
    Named(String),
    List(Box<Ty>),
}

impl Ty {
    /// The type of a text such as `[String!]!`. A text that is none names a type that nobody has defined, which
    /// [`Layer::problems`](super::Layer::problems) tells.
    pub fn of(text: &str) -> Self {
        let (text, nullable) = text.strip_suffix('!').map_or((text, true), |text| (text, false));
        let shape = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(entry) => TypeShape::List(Box::new(Self::of(entry))),
            None => TypeShape::Named(text.to_owned()),
        };
        Self { shape, nullable }
    }

    /// The name inside all brackets.
    pub fn name(&self) -> &str {
        match &self.shape {
            TypeShape::Named(name) => name,
            TypeShape::List(entry) => entry.name(),
        }
    }

    /// Whether it may be null.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// The type of the entries, when it is a list.
    pub fn inner(&self) -> Option<&Ty> {
        match &self.shape {
            TypeShape::Named(_) => None,
            TypeShape::List(entry) => Some(entry),
        }
    }
}

impl fmt::Display for Ty {
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
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// What it takes.
    pub ty: Ty,
    /// What it is when it is left out.
    pub default: Option<Value>,
    /// Whether its text is a secret, which is wiped from memory with it.
    pub secret: bool,
}

impl InputValue {
    /// One without a default.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        Self { name: name.into(), about: about.into(), ty: Ty::of(ty), default: None, secret: false }
    }
}

/// An input object type.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// In order.
    pub fields: Vec<InputValue>,
    /// Whether exactly one field is given.
    pub one_of: bool,
}

/// An enum type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enum {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// The words with their descriptions.
    pub values: Vec<(Text, Text)>,
}

/// The plain values that a scalar takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlainType {
    /// A text.
    String,
    /// A whole number.
    Int,
    /// A text, or a whole number that is taken for its digits.
    Id,
    /// True or false.
    Boolean,
    /// Any of these, and lists and objects of them.
    Any,
}

/// A scalar type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SchemaScalar {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// Where it is specified.
    pub url: Option<Text>,
    /// What it takes.
    pub plain: PlainType,
}
