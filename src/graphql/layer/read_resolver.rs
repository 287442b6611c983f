//! Fields that are answered by reads in one transaction. A plan runs them in its only trip, the executor in a trip of
//! their own.

use async_graphql::Result;

use super::args::Args;
use super::call::Call;
use super::field_reader::{FieldReader, ReadError};
use super::node::{Node, Thing};
use crate::domain::TenantId;

type TenantFn = dyn Fn(&Thing) -> Option<TenantId> + Send + Sync;
type ReadFn = dyn Fn(&[Thing], &Args, &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync;

/// How a field is answered by reads.
pub struct ReadResolver {
    tenant: Option<Box<TenantFn>>,
    get: Box<ReadFn>,
}

impl ReadResolver {
    /// Reads for many things of one tenant at once. `get` returns one node per thing, in the same order.
    pub fn batch(
        get: impl Fn(&[Thing], &Args, &mut FieldReader<'_>) -> Result<Vec<Node>, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self { tenant: None, get: Box::new(get) }
    }

    /// Reads for one thing after the other.
    pub fn each(
        get: impl Fn(&Thing, &Args, &mut FieldReader<'_>) -> Result<Node, ReadError> + Send + Sync + 'static,
    ) -> Self {
        Self::batch(move |things, args, reading| things.iter().map(|thing| get(thing, args, reading)).collect())
    }

    /// The result depends only on the tenant that `tenant` returns for a thing, and not on the time, for example.
    pub fn depends_only_on(self, tenant: impl Fn(&Thing) -> Option<TenantId> + Send + Sync + 'static) -> Self {
        Self { tenant: Some(Box::new(tenant)), ..self }
    }

    /// Whether the result depends on one tenant only.
    pub fn depends_only_on_tenant(&self) -> bool {
        self.tenant.is_some()
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
        let depends = self.tenant.as_ref().and_then(|tenant| tenant(thing));
        let work = move |reading: &mut FieldReader<'_>| self.read(&things, &args, reading);
        let nodes = call.scope()?.read_fields(depends, call.selected(), work).await?;
        Ok(nodes.into_iter().next().unwrap_or(Node::Null))
    }
}
