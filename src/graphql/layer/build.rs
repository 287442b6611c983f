//! Builders for the types of a schema.

use std::any::Any;
use std::marker::PhantomData;

use async_graphql::{Result, Value};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;

use super::call::Call;
use super::field_source::FieldSource;
use super::node::{Node, Thing};
use super::objects::{Interface, Load, Object, Resolver, SchemaField, SchemaType};
use super::read_resolver::ReadResolver;
use super::types::{Enum, InputObject, InputValue, PlainType, SchemaScalar, Text, TypeRef};

/// Builds an object type. `T` is the Rust type behind its objects.
pub struct ObjectBuilder<T> {
    object: Object,
    /// Whether the fields that follow are answered from the prepared thing.
    prepared: bool,
    marker: PhantomData<fn(T)>,
}

/// An object type without fields, for things that hold a `T`.
pub fn object<T: Any + Send + Sync>(name: impl Into<Text>, about: impl Into<Text>) -> ObjectBuilder<T> {
    let (name, about) = (name.into(), about.into());
    let object = Object { name, about, implements: Vec::new(), fields: IndexMap::new(), prepare: None };
    ObjectBuilder { object, prepared: false, marker: PhantomData }
}

/// Fields of things that hold a `T`, to be shared by several types, see [`ObjectBuilder::only_fields`].
pub fn fields_of<T: Any + Send + Sync>() -> ObjectBuilder<T> {
    object("", "")
}

impl<T: Any + Send + Sync> ObjectBuilder<T> {
    /// Adds a field that is answered at once. `get` is a plain function, which keeps the code generated per field
    /// small.
    pub fn now(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>, get: fn(&T) -> Node) -> Self {
        self.field(SchemaField::new(name, ty, about, Resolver::now(move |thing, _| Ok(get(thing.get()?)))))
    }

    /// Adds a field that is answered by reads.
    pub fn reads(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>, reads: ReadResolver) -> Self {
        self.field(SchemaField::new(name, ty, about, Resolver::Read(reads)))
    }

    /// Adds a field that is answered by a future.
    pub fn later(
        self,
        name: impl Into<Text>,
        ty: &str,
        about: impl Into<Text>,
        get: for<'a> fn(&'a T, Call<'a>) -> BoxFuture<'a, Result<Node>>,
    ) -> Self {
        let answer = Resolver::later(move |thing, call| match thing.get() {
            Ok(value) => get(value, call),
            Err(error) => Box::pin(async { Err(error) }),
        });
        self.field(SchemaField::new(name, ty, about, answer))
    }

    /// Adds a field that was described elsewhere.
    pub fn field(mut self, field: SchemaField) -> Self {
        let field = SchemaField { prepared: field.prepared || self.prepared, ..field };
        self.object.fields.insert(field.name.clone(), field);
        self
    }

    /// Adds fields that were described elsewhere.
    pub fn fields(self, fields: impl IntoIterator<Item = SchemaField>) -> Self {
        fields.into_iter().fold(self, Self::field)
    }

    /// Sets where the value of the last field is read.
    pub fn source(mut self, source: FieldSource) -> Self {
        if let Some((_, field)) = self.object.fields.last_mut() {
            field.source = source;
        }
        self
    }

    /// Adds an argument to the last field.
    pub fn arg(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        self.args([InputValue::new(name, ty, about)])
    }

    /// Adds arguments to the last field.
    pub fn args(mut self, args: impl IntoIterator<Item = InputValue>) -> Self {
        if let Some((_, field)) = self.object.fields.last_mut() {
            field.args.extend(args);
        }
        self
    }

    /// The type implements an interface.
    pub fn implements(mut self, interface: impl Into<Text>) -> Self {
        self.object.implements.push(interface.into());
        self
    }

    /// The fields that follow are answered from a prepared thing, which holds a `D`. It is loaded once for an object,
    /// when one of these fields is selected.
    pub fn prepare<D: Any + Send + Sync>(
        self,
        load: for<'a> fn(&'a T, Call<'a>) -> BoxFuture<'a, Result<Thing>>,
    ) -> ObjectBuilder<D> {
        let load = Load::new(move |thing, call| match thing.get() {
            Ok(value) => load(value, call),
            Err(error) => Box::pin(async { Err(error) }),
        });
        let object = Object { prepare: Some(load), ..self.object };
        ObjectBuilder { object, prepared: true, marker: PhantomData }
    }

    /// The type.
    pub fn build(self) -> Object {
        self.object
    }

    /// Only the fields, to be shared by several types.
    pub fn only_fields(self) -> Vec<SchemaField> {
        self.object.fields.into_values().collect()
    }
}

/// An interface type. The resolvers of its fields are never called.
pub fn interface(
    name: impl Into<Text>,
    about: impl Into<Text>,
    fields: impl IntoIterator<Item = SchemaField>,
) -> Interface {
    let fields =
        fields.into_iter().map(|field| (field.name.clone(), SchemaField { answer: Resolver::Elsewhere, ..field }));
    Interface { name: name.into(), about: about.into(), fields: fields.collect() }
}

/// An input object type without fields.
pub fn input(name: impl Into<Text>, about: impl Into<Text>) -> InputObject {
    InputObject { name: name.into(), about: about.into(), fields: Vec::new(), one_of: false }
}

impl InputObject {
    /// Adds a field.
    pub fn field(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        self.fields([InputValue {
            name: name.into(),
            about: about.into(),
            ty: TypeRef::parse(ty),
            default: None,
            secret: false,
        }])
    }

    /// Adds fields that were described elsewhere.
    pub fn fields(mut self, fields: impl IntoIterator<Item = InputValue>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// Sets the default of the last field.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        if let Some(field) = self.fields.last_mut() {
            field.default = Some(value.into());
        }
        self
    }

    /// Exactly one of the fields must be given.
    pub fn one_of(self) -> Self {
        Self { one_of: true, ..self }
    }
}

/// An enum type. `values` are its words with their descriptions.
pub fn enumeration<W: Into<Text>, A: Into<Text>>(
    name: impl Into<Text>,
    about: impl Into<Text>,
    values: impl IntoIterator<Item = (W, A)>,
) -> Enum {
    let values = values.into_iter().map(|(word, about)| (word.into(), about.into())).collect();
    Enum { name: name.into(), about: about.into(), values }
}

/// A scalar type.
pub fn scalar(
    name: impl Into<Text>,
    about: impl Into<Text>,
    url: Option<&'static str>,
    plain: PlainType,
) -> SchemaScalar {
    SchemaScalar { name: name.into(), about: about.into(), url: url.map(Into::into), plain }
}

impl<T> From<ObjectBuilder<T>> for SchemaType {
    fn from(building: ObjectBuilder<T>) -> Self {
        Self::Object(building.object)
    }
}

impl From<Object> for SchemaType {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Interface> for SchemaType {
    fn from(interface: Interface) -> Self {
        Self::Interface(interface)
    }
}

impl From<InputObject> for SchemaType {
    fn from(input: InputObject) -> Self {
        Self::Input(input)
    }
}

impl From<Enum> for SchemaType {
    fn from(words: Enum) -> Self {
        Self::Enum(words)
    }
}

impl From<SchemaScalar> for SchemaType {
    fn from(scalar: SchemaScalar) -> Self {
        Self::Scalar(scalar)
    }
}
