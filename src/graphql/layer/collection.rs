//! All types of a schema.

use indexmap::IndexMap;

use super::objects::{Interface, Object, SchemaType};
use super::types::{Enum, InputObject, SchemaScalar, Text};

/// All types of a schema, each by name.
pub struct Layer {
    /// The object types.
    pub objects: IndexMap<Text, Object>,
    /// The interface types.
    pub interfaces: IndexMap<Text, Interface>,
    /// The input object types.
    pub inputs: IndexMap<Text, InputObject>,
    /// The enum types.
    pub enums: IndexMap<Text, Enum>,
    /// The scalar types.
    pub scalars: IndexMap<Text, SchemaScalar>,
    /// The name of the query root.
    pub query: Text,
    /// The name of the mutation root; empty if there is none.
    pub mutation: Text,
    /// The name of the subscription root; empty if there is none.
    pub subscription: Text,
    /// Names that were defined more than once.
    pub(super) duplicates: Vec<Text>,
}

impl Layer {
    /// A schema without types. The arguments are the names of the three root objects.
    pub fn new(query: impl Into<Text>, mutation: impl Into<Text>, subscription: impl Into<Text>) -> Self {
        Self {
            objects: IndexMap::new(),
            interfaces: IndexMap::new(),
            inputs: IndexMap::new(),
            enums: IndexMap::new(),
            scalars: IndexMap::new(),
            query: query.into(),
            mutation: mutation.into(),
            subscription: subscription.into(),
            duplicates: Vec::new(),
        }
    }

    /// Adds a type. A scalar or enum may come with each of its users: adding an equal one again changes nothing.
    pub fn with(mut self, definition: impl Into<SchemaType>) -> Self {
        self.add(definition.into());
        self
    }

    /// Adds several types.
    pub fn with_all(mut self, definitions: impl IntoIterator<Item = impl Into<SchemaType>>) -> Self {
        definitions.into_iter().for_each(|definition| self.add(definition.into()));
        self
    }

    fn add(&mut self, definition: SchemaType) {
        let name = definition.name();
        let is_there = match &definition {
            SchemaType::Enum(words) => self.enums.get(&name) == Some(words),
            SchemaType::Scalar(scalar) => self.scalars.get(&name) == Some(scalar),
            _ => false,
        };
        if is_there {
            return;
        }
        if self.defines(&name) {
            self.duplicates.push(name);
            return;
        }
        match definition {
            SchemaType::Object(object) => drop(self.objects.insert(name, object)),
            SchemaType::Interface(interface) => drop(self.interfaces.insert(name, interface)),
            SchemaType::Input(input) => drop(self.inputs.insert(name, input)),
            SchemaType::Enum(words) => drop(self.enums.insert(name, words)),
            SchemaType::Scalar(scalar) => drop(self.scalars.insert(name, scalar)),
        }
    }

    /// The objects that implement an interface, in the order of their definition.
    pub fn possible<'a>(&'a self, interface: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.values().filter(move |object| object.is(interface))
    }
}
