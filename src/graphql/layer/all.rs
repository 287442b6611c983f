//! All types of a schema.

use indexmap::IndexMap;

use super::objects::{Interface, Object, SchemaType};
use super::types::{Enum, InputObject, SchemaScalar, Text};

/// All types of a schema.
pub struct Layer {
    /// By name, like all that follow.
    pub objects: IndexMap<Text, Object>,
    /// What objects can have in common.
    pub interfaces: IndexMap<Text, Interface>,
    /// What arguments can be.
    pub inputs: IndexMap<Text, InputObject>,
    /// Choices.
    pub enums: IndexMap<Text, Enum>,
    /// Plain values.
    pub scalars: IndexMap<Text, SchemaScalar>,
    /// The object whose fields can be asked.
    pub query: Text,
    /// The object whose fields change something; empty for none.
    pub mutation: Text,
    /// The object whose fields can be followed; empty for none.
    pub subscription: Text,
    /// Names that were defined twice.
    pub(super) twice: Vec<Text>,
}

impl Layer {
    /// A layer without types. The names are those of the three root objects.
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
            twice: Vec::new(),
        }
    }

    /// With a type more. The type of a value may come with each of its users: the same scalar or enum again changes
    /// nothing.
    pub fn with(mut self, definition: impl Into<SchemaType>) -> Self {
        self.add(definition.into());
        self
    }

    /// With types more.
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
            self.twice.push(name);
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

    /// The objects that implement an interface, in the order in which they were defined.
    pub fn possible<'a>(&'a self, interface: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.values().filter(move |object| object.is(interface))
    }
}
