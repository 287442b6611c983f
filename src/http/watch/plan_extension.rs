//! `extensions.plan` of a response: how the request was executed, for callers who may see the schema.

use async_graphql::{Request, Value};
use axum::http::StatusCode;
use serde_json::json;

use super::{RequestRecord, STAGES};
use crate::http::refusal::Refusal;
use crate::service::Viewer;

/// Whether a request asks for its plan: `"extensions": {"plan": true}`.
pub(in crate::http) fn is_requested(request: &Request) -> bool {
    request.extensions.get("plan") == Some(&Value::Boolean(true))
}

/// Checks that a caller may see plans.
///
/// # Errors
/// The caller has no token with the scope `explore`.
pub(in crate::http) fn check_allowed(viewer: Option<&Viewer>) -> Result<(), Refusal> {
    if viewer.is_some_and(|viewer| viewer.explore) {
        return Ok(());
    }
    let message = "The plan of a request is shown to tokens with the scope explore; leave out extensions.plan.";
    Err(Refusal::new(StatusCode::FORBIDDEN, "FORBIDDEN", message))
}

/// Renders the plan of a request that was executed. Its record must have collected names, see
/// [`RequestRecord::collect_names`].
pub(in crate::http) fn render(record: &RequestRecord) -> Value {
    let names = record.tally.details().unwrap_or_default();
    let statements: Vec<_> =
        names.statements.iter().map(|(text, times)| json!({ "text": text, "times": times })).collect();
    let batches: Vec<_> =
        names.batches.iter().map(|(loader, keys)| json!({ "loader": loader, "keys": keys })).collect();
    let microseconds: serde_json::Map<_, _> =
        STAGES.iter().zip(record.stages()).map(|(name, took)| ((*name).to_owned(), json!(took.as_micros()))).collect();
    let plan = json!({
        "statementCount": record.tally.statements(),
        "statements": statements,
        "batches": batches,
        "cost": record.cost.map(|cost| json!({ "requested": cost.requested, "actual": cost.actual })),
        "microseconds": microseconds,
    });
    // Cannot fail: the plan contains only strings and numbers.
    Value::from_json(plan).unwrap_or_default()
}
