//! What describes the types of a schema.

use std::borrow::Cow;
use std::fmt;

use async_graphql::{Result, Value};
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use indexmap::IndexMap;

use super::args::Args;
use super::call::Call;
use super::node::{Node, Thing};
use super::read::Read;
use super::reading::Reads;

/// A name or a description. Most stand in the program's text.
pub type Text = Cow<'static, str>;

/// A type as SDL writes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ty {
    shape: Shape,
    nullable: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Shape {
    Named(String),
    List(Box<Ty>),
}

impl Ty {
    /// The type of a text such as `[String!]!`. A text that is none names a type that nobody has defined, which
    /// [`Layer::problems`](super::Layer::problems) tells.
    pub fn of(text: &str) -> Self {
        let (text, nullable) = text.strip_suffix('!').map_or((text, true), |text| (text, false));
        let shape = match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
            Some(entry) => Shape::List(Box::new(Self::of(entry))),
            None => Shape::Named(text.to_owned()),
        };
        Self { shape, nullable }
    }

    /// The name inside all brackets.
    pub fn name(&self) -> &str {
        match &self.shape {
            Shape::Named(name) => name,
            Shape::List(entry) => entry.name(),
        }
    }

    /// Whether it may be null.
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// The type of the entries, when it is a list.
    pub fn inner(&self) -> Option<&Ty> {
        match &self.shape {
            Shape::Named(_) => None,
            Shape::List(entry) => Some(entry),
        }
    }
}

impl fmt::Display for Ty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::Named(name) => f.write_str(name)?,
            Shape::List(entry) => write!(f, "[{entry}]")?,
        }
        f.write_str(if self.nullable { "" } else { "!" })
    }
}

/// An argument, or a field of an input object.
#[derive(Clone, Debug)]
pub struct Input {
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

impl Input {
    /// One without a default.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        Self { name: name.into(), about: about.into(), ty: Ty::of(ty), default: None, secret: false }
    }
}

type Now = dyn Fn(&Thing, &Args) -> Result<Node> + Send + Sync;
type Later = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Node>> + Send + Sync;
type Fuller = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Thing>> + Send + Sync;
type Events = BoxStream<'static, Result<Node>>;

/// How a field is answered.
pub enum Answer {
    /// At once.
    Now(Box<Now>),
    /// By reads in one transaction.
    Read(Reads),
    /// By a future.
    Later(Box<Later>),
    /// By events; only fields of the subscription's object.
    Stream(for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<Events>>),
    /// Not here: of an interface's field, which its objects answer.
    Elsewhere,
}

impl Answer {
    /// At once.
    pub fn now(get: impl Fn(&Thing, &Args) -> Result<Node> + Send + Sync + 'static) -> Self {
        Self::Now(Box::new(get))
    }

    /// By a future.
    pub fn later(
        get: impl for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Node>> + Send + Sync + 'static,
    ) -> Self {
        Self::Later(Box::new(get))
    }
}

/// A field of an object or of an interface.
pub struct Field {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// What it answers.
    pub ty: Ty,
    /// What can be asked of it.
    pub args: Vec<Input>,
    /// How it is answered.
    pub answer: Answer,
    /// Where its answer is read.
    pub read: Read,
    /// Whether it is answered from the fuller thing that [`Object::prepare`] makes.
    pub prepared: bool,
    /// Why it should not be used any more.
    pub deprecated: Option<Text>,
}

impl Field {
    /// One without arguments.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>, answer: Answer) -> Self {
        let (name, about, ty) = (name.into(), about.into(), Ty::of(ty));
        let (args, read) = (Vec::new(), Read::Unsaid);
        Self { name, about, ty, args, answer, read, prepared: false, deprecated: None }
    }

    /// With the place where its answer is read.
    pub fn read(self, read: Read) -> Self {
        Self { read, ..self }
    }

    /// With an argument more.
    pub fn arg(mut self, arg: Input) -> Self {
        self.args.push(arg);
        self
    }
}

/// Makes the fuller thing of an object.
pub struct Load(pub(super) Box<Fuller>);

impl Load {
    /// By a future.
    pub fn new(
        load: impl for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Thing>> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(load))
    }
}

/// An object type.
pub struct Object {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// The interfaces that it implements.
    pub implements: Vec<Text>,
    /// By name, in order.
    pub fields: IndexMap<Text, Field>,
    /// Makes the thing that fields with [`Field::prepared`] are answered from.
    pub prepare: Option<Load>,
}

impl Object {
    /// Whether a fragment on the type `name` applies to it.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.implements.iter().any(|interface| interface == name)
    }
}

/// An interface type. What can be behind it are the objects that implement it.
pub struct Interface {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// By name, in order. Their answers are not asked.
    pub fields: IndexMap<Text, Field>,
}

/// An input object type.
#[derive(Clone, Debug)]
pub struct InputObject {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// In order.
    pub fields: Vec<Input>,
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
pub enum Plain {
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
pub struct Scalar {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// Where it is specified.
    pub url: Option<Text>,
    /// What it takes.
    pub plain: Plain,
}

/// A type of any sort.
pub enum Definition {
    /// An object type.
    Object(Object),
    /// An interface type.
    Interface(Interface),
    /// An input object type.
    Input(InputObject),
    /// An enum type.
    Enum(Enum),
    /// A scalar type.
    Scalar(Scalar),
}

impl Definition {
    /// The type's name.
    pub fn name(&self) -> Text {
        let (Self::Object(Object { name, .. })
        | Self::Interface(Interface { name, .. })
        | Self::Input(InputObject { name, .. })
        | Self::Enum(Enum { name, .. })
        | Self::Scalar(Scalar { name, .. })) = self;
        name.clone()
    }
}
