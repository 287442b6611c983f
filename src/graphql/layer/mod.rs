//! The GraphQL schema as data, and one executor for all of it.
//!
//! A type is described by a value ([`Object`], [`Interface`], [`InputObject`], [`Enum`], [`Scalar`]), and a [`Layer`] has
//! all of them. async-graphql keeps its registry, which answers introspection and prints the SDL, runs the root fields and
//! carries the streams of subscriptions. What stands below a root field is executed here, after the GraphQL specification
//! of September 2025, section 6: whatever the type, by the same few functions.
//!
//! - A value behind an object is a [`Thing`], of any Rust type; a field answers with a [`Node`].
//! - [`Answer::Now`] costs no future, [`Answer::Read`] reads in one transaction, [`Answer::Later`] gets a [`Call`]. All that may wait in a selection set, and in all
//!   entries of a list, waits side by side, so that batches of look-ups fill.
//! - An object can have some fields answered from a fuller thing (see [`Building::prepare`]). It is fetched once for an
//!   object, when one of these fields is selected, and beside the object's other fields, which keep the thing they had.
//! - A field that is selected several times is answered once; what is selected below is merged first. This holds for root
//!   fields too, as long as the request's data has a [`Once`].
//! - An error goes up to the nearest place that may be null. There it ends what else was under way in that place, and
//!   nothing around it. Its path is put together while it goes up, so that answers without errors pay nothing for paths.
//! - What the layer takes for granted has been validated before. Where it does not hold, the schema's descriptions are
//!   wrong: an error `INTERNAL`, and a line in the log.
//!
//! How to add a type: describe it with [`object`], [`input`] or their like and put it into the layer. [`Layer::problems`]
//! tells what does not fit. A field that says where it is read ([`Field::read`]) is answered by plans too, see
//! [`crate::graphql::plan`]; one that does not is left to this executor.

mod args;
mod build;
mod call;
mod check;
mod execute;
mod fill;
mod node;
mod objects;
mod read;
mod reading;
mod reads;
mod registry;
mod root;
mod select;
mod syntax;
#[cfg(test)]
mod tests;
mod types;

use async_graphql::{Error, ErrorExtensions as _};
use indexmap::IndexMap;

pub use args::{Args, Argument, Given};
pub use build::{Building, enumeration, fields_of, input, interface, object, scalar};
pub use call::Call;
pub use node::{Node, Thing};
pub use objects::{Answer, Definition, Field, Interface, Object};
pub use read::{OfEdge, OfPage, OfPageInfo, OfRoot, OfRow, OfSave, OfStep, OfTenant, Read, SaveWhat};
pub use reading::{ReadError, Reading};
pub use reads::Reads;
pub use root::{Done, Mutation, Once, Query, Source, Subscription};
pub use types::{Enum, Input, InputObject, Plain, Scalar, Text};

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
    twice: Vec<Text>,
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

/// An error that is the program's own fault. What is wrong stands in the log only.
fn bug(what: impl std::fmt::Display) -> Error {
    tracing::error!(%what, "the schema's descriptions are wrong");
    Error::new("Something went wrong in the server.").extend_with(|_, e| e.set("code", "INTERNAL"))
}
