//! The GraphQL API: the schema that clients see, and the execution of requests. The only layer that uses
//! `async_graphql::Context`.

mod admission;
mod answer;
mod api;
mod batch;
mod budget;
mod cost;
mod described;
mod documents;
mod errors;
mod execute;
mod hashed_secrets;
mod introspection;
mod layer;
mod limits;
mod plan;
mod planned;
mod planning;
mod prices;
mod running_mutation;
mod schema;
mod scope;
mod started_plan;
mod subscribe;
mod syntax;
mod validation;
mod variables;

pub use admission::admit_variables;
pub use answer::{Cost, Estimate, Reply};
pub use api::Api;
pub use described::{parse_and_validate, prepare, sdl, validate_document};
pub use documents::{DocumentHash, ParsedDocument};
pub use limits::{Exceeded, Limit, Limits, defaults};
pub use plan::{PlanOutcome, Unplanned};
pub use planned::{GaveUp, Planned};
pub use scope::RequestContext;
pub use started_plan::StartedPlan;
pub use syntax::{RefusedDocument, parse};
