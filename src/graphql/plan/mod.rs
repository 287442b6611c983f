//! Plans: what the query of a document reads and how its answer is written, compiled once and run often.
//!
//! A plan is compiled from a validated document and from the sources that the schema's fields declare
//! ([`FieldSource`]). It runs in one go on the thread that has the connection ([`run()`]). Level by level, it sends one
//! statement for each shape of objects, however many there are, for the selected columns only. Each value is kept as
//! the JSON that answers show. Then the answer is written from beginning to end ([`mod@write`]).
//!
//! A plan produces answers, not errors. If anything is wrong (an argument, a limit, the database) or if a field
//! declares no source, the layer's executor answers the request instead and reports what is wrong: [`Unplanned`]. Both
//! produce the same bytes, which `tests/it/plans.rs` compares.
//!
//! [`FieldSource`]: super::layer::FieldSource

mod answer_cache;
mod compile;
mod computed;
mod found;
mod levels;
mod planned_read;
mod reader;
mod root;
mod run;
mod shape;
mod table;
mod unplanned;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::{Name, Value, Variables};

pub use answer_cache::{AnswerCache, AnswerKey, CachedAnswer};
use compile::compile;
pub use reader::{PlanRequest, args};
pub use run::{MutationFieldOutcome, PlanOutcome, join, render_field, run, scans};
pub use shape::{PlannedMutation, QueryPlan};
pub use unplanned::Unplanned;

use super::layer::Layer;
use super::prices::Prices;

/// The plans of one document: one for each operation and each combination of values of the variables in its conditions.
/// They are compiled on first use.
#[derive(Debug, Default)]
pub struct Plans(Mutex<Vec<CachedPlan>>);

#[derive(Debug)]
struct CachedPlan {
    operation: Option<String>,
    /// The values of the variables of `@skip` and `@include`.
    conditions: Vec<(Name, bool)>,
    plan: Result<Arc<QueryPlan>, Unplanned>,
}

/// The maximum number of plans of one document.
const PLANS: usize = 8;

impl Plans {
    /// The plan of an operation, for these values of its variables.
    ///
    /// # Errors
    /// Why there is none.
    pub fn get_or_compile(
        &self,
        (layer, prices): (&'static Layer, &'static Prices),
        document: &ExecutableDocument,
        (name, operation): (Option<&str>, &OperationDefinition),
        variables: &Variables,
    ) -> Result<Arc<QueryPlan>, Unplanned> {
        let is_true = |name: &Name| variables.get(name) == Some(&Value::Boolean(true));
        // A poisoned lock only means that another thread panicked; the list is whole.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |known: &&CachedPlan| {
            known.operation.as_deref() == name && known.conditions.iter().all(|(name, value)| is_true(name) == *value)
        };
        if let Some(known) = known.iter().find(fits) {
            return known.plan.clone();
        }
        if known.len() >= PLANS {
            return Err(Unplanned::Conditions);
        }
        let (plan, conditions) = compile(layer, prices, document, operation, variables);
        let plan = plan.map(Arc::new);
        let conditions = conditions.into_iter().map(|name| (is_true(&name), name)).map(|(value, name)| (name, value));
        known.push(CachedPlan {
            operation: name.map(str::to_owned),
            conditions: conditions.collect(),
            plan: plan.clone(),
        });
        plan
    }
}
