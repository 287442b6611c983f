//! Fields that are answered by reads in one transaction. A plan runs them in its only trip, the executor in a trip of
//! their own.

use async_graphql::Result;

use super::args::Args;
use super::call::Call;
use super::node::{Node, Thing};
use super::reading::{FieldReader, ReadError};
use crate::domain::TenantId;

type TenantFn = dyn Fn(&Thing) -> Option<TenantId> + Send + Sync;
type ReadFn = dyn Fn(&[Thing], &Args, &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync;

/// How a field is answered by reads.
pub struct Reads {
    of: Option<Box<TenantFn>>,
    get: Box<ReadFn>,
}

impl Reads {
    /// Reads for many things of one tenant at once. `get` returns one node per thing, in the same order.
    pub fn all(
        get: impl Fn(&[Thing], &Args, &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self { of: None, get: Box::new(get) }
    }

    /// Reads for one thing after the other.
    pub fn each(
        get: impl Fn(&Thing, &Args, &mut FieldReader<'_>) -> Result<Node, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self::all(move |things, args, reading| things.iter().map(|thing| get(thing, args, reading)).collect())
    }

    /// The result depends only on the tenant that `of` returns for a thing, and not on the time, for example.
    pub fn only_of(self, of: impl Fn(&Thing) -> Option<TenantId> + Send + Sync + 'static) -> Self {
        Self { of: Some(Box::new(of)), ..self }
    }

    /// Whether the result depends on one tenant only.
    pub fn is_of_a_tenant(&self) -> bool {
        self.of.is_some()
    }

    /// Reads, for things of one tenant.
    ///
    /// # Errors
    /// An error of the field.
    pub fn read(&self, things: &[Thing], args: &Args, reading: &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> {
        (self.get)(things, args, reading)
    }

    /// Reads in a trip of the executor.
    pub(super) async fn execute(&'static self, thing: &Thing, call: Call<'_>) -> Result<Node> {
        let (things, args) = ([thing.clone()], call.args.clone());
        let depends = self.of.as_ref().and_then(|of| of(thing));
        let work = move |reading: &mut FieldReader<'_>| self.read(&things, &args, reading);
        let nodes = call.scope()?.reads(depends, call.selected(), work).await?;
        Ok(nodes.into_iter().next().unwrap_or(Node::Null))
    }
}
