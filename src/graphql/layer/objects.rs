//! What describes the types whose fields are answered: objects and interfaces. And a type of any sort.

use async_graphql::Result;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use indexmap::IndexMap;

use super::args::Args;
use super::call::Call;
use super::node::{Node, Thing};
use super::read::FieldSource;
use super::reads::Reads;
use super::types::{Enum, InputObject, InputValue, SchemaScalar, Text, Ty};

type Now = dyn Fn(&Thing, &Args) -> Result<Node> + Send + Sync;
type Later = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Node>> + Send + Sync;
type Fuller = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Thing>> + Send + Sync;
type Events = BoxStream<'static, Result<Node>>;

/// How a field is answered.
pub enum Resolver {
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

impl Resolver {
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
pub struct SchemaField {
    /// As clients write it.
    pub name: Text,
    /// What it is; empty for no description.
    pub about: Text,
    /// What it answers.
    pub ty: Ty,
    /// What can be asked of it.
    pub args: Vec<InputValue>,
    /// How it is answered.
    pub answer: Resolver,
    /// Where its answer is read.
    pub read: FieldSource,
    /// Whether it is answered from the fuller thing that [`Object::prepare`] makes.
    pub prepared: bool,
    /// Why it should not be used any more.
    pub deprecated: Option<Text>,
}

impl SchemaField {
    /// One without arguments.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>, answer: Resolver) -> Self {
        let (name, about, ty) = (name.into(), about.into(), Ty::of(ty));
        let (args, read) = (Vec::new(), FieldSource::Unsaid);
        Self { name, about, ty, args, answer, read, prepared: false, deprecated: None }
    }

    /// With the place where its answer is read.
    pub fn read(self, read: FieldSource) -> Self {
        Self { read, ..self }
    }

    /// With an argument more.
    pub fn arg(mut self, arg: InputValue) -> Self {
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
    pub fields: IndexMap<Text, SchemaField>,
    /// Makes the thing that fields with [`SchemaField::prepared`] are answered from.
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
    pub fields: IndexMap<Text, SchemaField>,
}

/// A type of any sort.
pub enum SchemaType {
    /// An object type.
    Object(Object),
    /// An interface type.
    Interface(Interface),
    /// An input object type.
    Input(InputObject),
    /// An enum type.
    Enum(Enum),
    /// A scalar type.
    Scalar(SchemaScalar),
}

impl SchemaType {
    /// The type's name.
    pub fn name(&self) -> Text {
        let (Self::Object(Object { name, .. })
        | Self::Interface(Interface { name, .. })
        | Self::Input(InputObject { name, .. })
        | Self::Enum(Enum { name, .. })
        | Self::Scalar(SchemaScalar { name, .. })) = self;
        name.clone()
    }
}
