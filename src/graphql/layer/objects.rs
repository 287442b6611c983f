//! Object and interface types, their fields, and a type of any sort.

use async_graphql::Result;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use indexmap::IndexMap;

use super::args::Args;
use super::call::Call;
use super::field_source::FieldSource;
use super::node::{Node, Thing};
use super::read_resolver::ReadResolver;
use super::types::{Enum, InputObject, InputValue, SchemaScalar, Text, TypeRef};

type Now = dyn Fn(&Thing, &Args) -> Result<Node> + Send + Sync;
type Later = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Node>> + Send + Sync;
type Fuller = dyn for<'a> Fn(&'a Thing, Call<'a>) -> BoxFuture<'a, Result<Thing>> + Send + Sync;
type Events = BoxStream<'static, Result<Node>>;

/// How a field is answered.
pub enum Resolver {
    /// At once.
    Now(Box<Now>),
    /// By reads in one transaction.
    Read(ReadResolver),
    /// By a future.
    Later(Box<Later>),
    /// By events; only for fields of the subscription root.
    Stream(for<'a> fn(Call<'a>) -> BoxFuture<'a, Result<Events>>),
    /// Not here: the objects of an interface answer its fields.
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

/// A field of an object or an interface.
pub struct SchemaField {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// Its type.
    pub ty: TypeRef,
    /// Its arguments.
    pub args: Vec<InputValue>,
    /// How it is answered.
    pub answer: Resolver,
    /// Where its value is read.
    pub source: FieldSource,
    /// Whether it is answered from the prepared thing, which [`Object::prepare`] loads.
    pub prepared: bool,
    /// Why it is deprecated.
    pub deprecated: Option<Text>,
}

impl SchemaField {
    /// A field without arguments.
    pub fn new(name: impl Into<Text>, ty: &str, about: impl Into<Text>, answer: Resolver) -> Self {
        let (name, about, ty) = (name.into(), about.into(), TypeRef::parse(ty));
        let (args, source) = (Vec::new(), FieldSource::Unspecified);
        Self { name, about, ty, args, answer, source, prepared: false, deprecated: None }
    }

    /// Sets where its value is read.
    pub fn source(self, source: FieldSource) -> Self {
        Self { source, ..self }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: InputValue) -> Self {
        self.args.push(arg);
        self
    }
}

/// Loads the prepared thing of an object.
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
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// The interfaces that it implements.
    pub implements: Vec<Text>,
    /// Its fields by name, in order.
    pub fields: IndexMap<Text, SchemaField>,
    /// Loads the thing for the fields with [`SchemaField::prepared`].
    pub prepare: Option<Load>,
}

impl Object {
    /// Whether a fragment on the type `name` applies to it.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.implements.iter().any(|interface| interface == name)
    }
}

/// An interface type.
pub struct Interface {
    /// Its name in the schema.
    pub name: Text,
    /// Its description; empty for none.
    pub about: Text,
    /// Its fields by name, in order. Their resolvers are never called.
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
