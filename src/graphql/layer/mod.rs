//! The GraphQL schema as data, and one executor for all of it.
//!
//! A type is described by a value ([`Object`], [`Interface`], [`InputObject`], [`Enum`], [`SchemaScalar`]), and a
//! [`Layer`] has all of them. async-graphql keeps its registry, which answers introspection and prints the SDL, runs
//! the root fields and carries the streams of subscriptions. Everything below a root field is executed here, by the
//! same few functions for all types, as in section 6 of the GraphQL specification of September 2025.
//!
//! - Behind each object is a [`Thing`], a value of any Rust type. A field answers a [`Node`].
//! - [`Resolver::Now`] needs no future, [`Resolver::Read`] reads in one transaction, [`Resolver::Later`] gets a
//!   [`Call`]. All fields of a selection set and of all entries of a list wait concurrently, so that batches of
//!   look-ups fill up.
//! - Some fields of an object can be answered from a prepared thing (see [`ObjectBuilder::prepare`]). It is loaded once
//!   per object, when one of these fields is selected, while the object's other fields are answered from the original
//!   thing.
//! - A field that is selected several times is executed once; the selections below it are merged first. This holds for
//!   root fields too, as long as the request's data has [`StartedKeys`].
//! - An error propagates to the nearest nullable place. It cancels the rest of that place, and nothing around it. Its
//!   path is built while it propagates, so that answers without errors pay nothing for paths.
//! - The layer relies on earlier validation. If an assumption does not hold, the schema's descriptions are wrong: the
//!   client gets the error `INTERNAL`, and the log gets a line.
//!
//! How to add a type: describe it with [`object`], [`input`] or a similar function and add it to the layer.
//! [`Layer::problems`] reports what does not fit. A field that declares where it is read ([`SchemaField::source`]) is
//! also answered by plans, see [`crate::graphql::plan`]; other fields are left to this executor.

mod args;
mod args_from_document;
mod build;
mod call;
mod check;
mod collection;
mod definitions;
mod execute;
mod field_reader;
mod field_source;
mod fill;
mod node;
mod objects;
mod read_resolver;
mod registry;
mod root;
mod select;
#[cfg(test)]
mod tests;
mod types;

pub use args::{ArgValues, Args, Argument};
pub use build::{ObjectBuilder, enumeration, fields_of, input, interface, object, scalar};
pub use call::Call;
pub use collection::Layer;
pub use field_reader::{FieldReader, ReadError};
pub use field_source::{
    DestinationSource, EdgeSource, FieldSource, PageInfoSource, PageSource, RootSource, RowColumn, SaveKind,
    SaveMutation, TenantSource,
};
pub use node::{Node, Thing};
pub use objects::{Interface, Object, Resolver, SchemaField, SchemaType};
pub use read_resolver::ReadResolver;
pub use root::{CompletedFields, LayerSource, Mutation, Query, StartedKeys, Subscription};
pub use types::{Enum, InputObject, InputValue, PlainType, SchemaScalar, Text};
