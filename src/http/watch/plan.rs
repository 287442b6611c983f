//! `extensions.plan`: what a request did, shown in its answer to those who may look inside.

use async_graphql::{Request, Value};
use axum::http::StatusCode;
use serde_json::json;

use super::{RequestRecord, STAGES};
use crate::http::refusal::Refusal;
use crate::service::Viewer;

/// Whether a request asks for its plan: `"extensions": {"plan": true}`.
pub(in crate::http) fn is_asked(request: &Request) -> bool {
    request.extensions.get("plan") == Some(&Value::Boolean(true))
}

/// Refuses who may not look inside.
pub(in crate::http) fn allow(viewer: Option<&Viewer>) -> Result<(), Refusal> {
    if viewer.is_some_and(|viewer| viewer.explore) {
        return Ok(());
    }
    let sentence = "The plan of a request is shown to tokens with the scope explore; leave out extensions.plan.";
    Err(Refusal::new(StatusCode::FORBIDDEN, "FORBIDDEN", sentence))
}

/// The plan of a request that was executed and whose tally has names.
pub(in crate::http) fn of(seen: &RequestRecord) -> Value {
    let asked = seen.tally.details().unwrap_or_default();
    let statements: Vec<_> =
        asked.statements.iter().map(|(text, times)| json!({ "text": text, "times": times })).collect();
    let batches: Vec<_> = asked.batches.iter().map(|(of, keys)| json!({ "loader": of, "keys": keys })).collect();
    let microseconds: serde_json::Map<_, _> =
        STAGES.iter().zip(seen.stages()).map(|(name, took)| ((*name).to_owned(), json!(took.as_micros()))).collect();
    let plan = json!({
        "statementCount": seen.tally.statements(),
        "statements": statements,
        "batches": batches,
        "cost": seen.cost.map(|cost| json!({ "requested": cost.requested, "actual": cost.actual })),
        "microseconds": microseconds,
    });
    // Texts and numbers only: always a value.
    Value::from_json(plan).unwrap_or_default()
}
