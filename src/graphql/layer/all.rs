//! All types of a schema.

use indexmap::IndexMap;

use super::objects::{Definition, Interface, Object};
use super::types::{Enum, InputObject, Scalar, Text};

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
    pub scalars: IndexMap<Text, Scalar>,
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

    /// With a type more. The type of a value may come with each of its users: the same scalar or enum again changes nothing.
    pub fn with(mut self, definition: impl Into<Definition>) -> Self {
        self.add(definition.into());
        self
    }

    /// With types more.
    pub fn with_all(mut self, definitions: impl IntoIterator<Item = impl Into<Definition>>) -> Self {
        definitions.into_iter().for_each(|definition| self.add(definition.into()));
        self
    }

    fn add(&mut self, definition: Definition) {
        let name = definition.name();
        let is_there = match &definition {
            Definition::Enum(words) => self.enums.get(&name) == Some(words),
            Definition::Scalar(scalar) => self.scalars.get(&name) == Some(scalar),
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
            Definition::Object(object) => drop(self.objects.insert(name, object)),
            Definition::Interface(interface) => drop(self.interfaces.insert(name, interface)),
            Definition::Input(input) => drop(self.inputs.insert(name, input)),
            Definition::Enum(words) => drop(self.enums.insert(name, words)),
            Definition::Scalar(scalar) => drop(self.scalars.insert(name, scalar)),
        }
    }

    /// The objects that implement an interface, in the order in which they were defined.
    pub fn possible<'a>(&'a self, interface: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.values().filter(move |object| object.is(interface))
    }
}
