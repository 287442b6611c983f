//! The GraphQL schema as data, and one executor for all of it.
//!
//! A type is described by a value ([`Object`], [`Interface`], [`InputObject`], [`Enum`], [`SchemaScalar`]), and a
//! [`Layer`] has all of them. async-graphql keeps its registry, which answers introspection and prints the SDL, runs
//! the root fields and carries the streams of subscriptions. What stands below a root field is executed here, after the
//! GraphQL specification of September 2025, section 6: whatever the type, by the same few functions.
//!
//! - A value behind an object is a [`Thing`], of any Rust type; a field answers with a [`Node`].
//! - [`Resolver::Now`] costs no future, [`Resolver::Read`] reads in one transaction, [`Resolver::Later`] gets a
//!   [`Call`]. All that may wait in a selection set, and in all entries of a list, waits side by side, so that batches
//!   of look-ups fill.
//! - An object can have some fields answered from a fuller thing (see [`ObjectBuilder::prepare`]). It is fetched once
//!   for an object, when one of these fields is selected, and beside the object's other fields, which keep the thing
//!   they had.
//! - A field that is selected several times is answered once; what is selected below is merged first. This holds for
//!   root fields too, as long as the request's data has [`StartedKeys`].
//! - An error goes up to the nearest place that may be null. There it ends what else was under way in that place, and
//!   nothing around it. Its path is put together while it goes up, so that answers without errors pay nothing for
//!   paths.
//! - What the layer takes for granted has been validated before. Where it does not hold, the schema's descriptions are
//!   wrong: an error `INTERNAL`, and a line in the log.
//!
//! How to add a type: describe it with [`object`], [`input`] or their like and put it into the layer.
//! [`Layer::problems`] tells what does not fit. A field that says where it is read ([`SchemaField::read`]) is answered
//! by plans too, see [`crate::graphql::plan`]; one that does not is left to this executor.

mod all;
mod args;
mod asked;
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

pub use all::Layer;
pub use args::{Args, Argument, Given};
pub use build::{ObjectBuilder, enumeration, fields_of, input, interface, object, scalar};
pub use call::Call;
pub use node::{Node, Thing};
pub use objects::{Interface, Object, Resolver, SchemaField, SchemaType};
pub use read::{FieldSource, OfEdge, OfPage, OfPageInfo, OfRoot, OfRow, OfSave, OfStep, OfTenant, SaveWhat};
pub use reading::{FieldReader, ReadError};
pub use reads::Reads;
pub use root::{CompletedFields, LayerSource, Mutation, Query, StartedKeys, Subscription};
pub use types::{Enum, InputObject, InputValue, PlainType, SchemaScalar, Text};
