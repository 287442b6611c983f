//! Writes descriptions down so that they read well.

use std::any::Any;
use std::marker::PhantomData;

use async_graphql::{Result, Value};
use futures_util::future::BoxFuture;
use indexmap::IndexMap;

use super::call::Call;
use super::node::{Node, Thing};
use super::objects::{Answer, Definition, Field, Interface, Load, Object};
use super::read::Read;
use super::reads::Reads;
use super::types::{Enum, Input, InputObject, Plain, Scalar, Text, Ty};

/// An object type while it is described. `T` is the Rust type behind it.
pub struct Building<T> {
    object: Object,
    /// Whether fields are answered from the fuller thing by now.
    prepared: bool,
    of: PhantomData<fn(T)>,
}

/// An object type without fields, of things that hold a `T`.
pub fn object<T: Any + Send + Sync>(name: impl Into<Text>, about: impl Into<Text>) -> Building<T> {
    let (name, about) = (name.into(), about.into());
    let object = Object { name, about, implements: Vec::new(), fields: IndexMap::new(), prepare: None };
    Building { object, prepared: false, of: PhantomData }
}

/// Fields of things that hold a `T`, for several types to have, see [`Building::only_fields`].
pub fn fields_of<T: Any + Send + Sync>() -> Building<T> {
    object("", "")
}

impl<T: Any + Send + Sync> Building<T> {
    /// With a field that is answered at once. `get` is a plain function, so that a field is no code but its own.
    pub fn now(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>, get: fn(&T) -> Node) -> Self {
        self.field(Field::new(name, ty, about, Answer::now(move |thing, _| Ok(get(thing.get()?)))))
    }

    /// With a field that is answered by reads.
    pub fn reads(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>, reads: Reads) -> Self {
        self.field(Field::new(name, ty, about, Answer::Read(reads)))
    }

    /// With a field that is answered by a future.
    pub fn later(
        self,
        name: impl Into<Text>,
        ty: &str,
        about: impl Into<Text>,
        get: for<'a> fn(&'a T, Call<'a>) -> BoxFuture<'a, Result<Node>>,
    ) -> Self {
        let answer = Answer::later(move |thing, call| match thing.get() {
            Ok(value) => get(value, call),
            Err(error) => Box::pin(async { Err(error) }),
        });
        self.field(Field::new(name, ty, about, answer))
    }

    /// With a field that was described apart.
    pub fn field(mut self, field: Field) -> Self {
        let field = Field { prepared: field.prepared || self.prepared, ..field };
        self.object.fields.insert(field.name.clone(), field);
        self
    }

    /// With fields that were described apart.
    pub fn fields(self, fields: impl IntoIterator<Item = Field>) -> Self {
        fields.into_iter().fold(self, Self::field)
    }

    /// Where the answer of the last field is read.
    pub fn read(mut self, read: Read) -> Self {
        if let Some((_, field)) = self.object.fields.last_mut() {
            field.read = read;
        }
        self
    }

    /// The last field takes an argument.
    pub fn arg(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        self.args([Input::new(name, ty, about)])
    }

    /// The last field takes arguments that were described apart.
    pub fn args(mut self, args: impl IntoIterator<Item = Input>) -> Self {
        if let Some((_, field)) = self.object.fields.last_mut() {
            field.args.extend(args);
        }
        self
    }

    /// It implements an interface.
    pub fn implements(mut self, interface: impl Into<Text>) -> Self {
        self.object.implements.push(interface.into());
        self
    }

    /// The fields that follow are answered from a fuller thing, which holds a `D`. It is made once for an object, when one
    /// of them is selected.
    pub fn prepare<D: Any + Send + Sync>(
        self,
        load: for<'a> fn(&'a T, Call<'a>) -> BoxFuture<'a, Result<Thing>>,
    ) -> Building<D> {
        let load = Load::new(move |thing, call| match thing.get() {
            Ok(value) => load(value, call),
            Err(error) => Box::pin(async { Err(error) }),
        });
        let object = Object { prepare: Some(load), ..self.object };
        Building { object, prepared: true, of: PhantomData }
    }

    /// The type.
    pub fn done(self) -> Object {
        self.object
    }

    /// Only its fields, for other types to have.
    pub fn only_fields(self) -> Vec<Field> {
        self.object.fields.into_values().collect()
    }
}

/// An interface type. The answers of its fields are not asked.
pub fn interface(name: impl Into<Text>, about: impl Into<Text>, fields: impl IntoIterator<Item = Field>) -> Interface {
    let fields = fields.into_iter().map(|field| (field.name.clone(), Field { answer: Answer::Elsewhere, ..field }));
    Interface { name: name.into(), about: about.into(), fields: fields.collect() }
}

/// An input object type without fields.
pub fn input(name: impl Into<Text>, about: impl Into<Text>) -> InputObject {
    InputObject { name: name.into(), about: about.into(), fields: Vec::new(), one_of: false }
}

impl InputObject {
    /// With a field.
    pub fn field(self, name: impl Into<Text>, ty: &str, about: impl Into<Text>) -> Self {
        self.fields([Input { name: name.into(), about: about.into(), ty: Ty::of(ty), default: None, secret: false }])
    }

    /// With fields that were described apart.
    pub fn fields(mut self, fields: impl IntoIterator<Item = Input>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// The last field's value when it is left out.
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        if let Some(field) = self.fields.last_mut() {
            field.default = Some(value.into());
        }
        self
    }

    /// Exactly one field is given.
    pub fn one_of(self) -> Self {
        Self { one_of: true, ..self }
    }
}

/// An enum type, of words with their descriptions.
pub fn enumeration<W: Into<Text>, A: Into<Text>>(
    name: impl Into<Text>,
    about: impl Into<Text>,
    values: impl IntoIterator<Item = (W, A)>,
) -> Enum {
    let values = values.into_iter().map(|(word, about)| (word.into(), about.into())).collect();
    Enum { name: name.into(), about: about.into(), values }
}

/// A scalar type.
pub fn scalar(name: impl Into<Text>, about: impl Into<Text>, url: Option<&'static str>, plain: Plain) -> Scalar {
    Scalar { name: name.into(), about: about.into(), url: url.map(Into::into), plain }
}

impl<T> From<Building<T>> for Definition {
    fn from(building: Building<T>) -> Self {
        Self::Object(building.object)
    }
}

impl From<Object> for Definition {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Interface> for Definition {
    fn from(interface: Interface) -> Self {
        Self::Interface(interface)
    }
}

impl From<InputObject> for Definition {
    fn from(input: InputObject) -> Self {
        Self::Input(input)
    }
}

impl From<Enum> for Definition {
    fn from(words: Enum) -> Self {
        Self::Enum(words)
    }
}

impl From<Scalar> for Definition {
    fn from(scalar: Scalar) -> Self {
        Self::Scalar(scalar)
    }
}
