//! Executes a query or a mutation: one request with one response, whichever transport it uses.

use std::sync::Arc;

use async_graphql::ServerError;
use tracing::Instrument as _;

use super::in_flight::{ExecutableOperation, InFlightRequest};
use super::prepared::{Account, PreparedRequest};
use super::response::{WrittenResponse, settle_cost};
use crate::graphql::Estimate;
use crate::http::door::claim::BearerClaim;
use crate::http::refusal::Refusal;
use crate::http::watch::{Stage, plan_extension};
use crate::store::Snapshot;

/// The result of executing a request in its place.
enum Execution {
    Response(WrittenResponse),
    /// The plan gave up, and the executor needs a place in the expensive lane.
    NeedsExpensiveLane(Box<InFlightRequest>),
}

impl PreparedRequest {
    /// Executes a query or a mutation, from the sign-in to the response.
    pub(super) async fn respond(self, mut account: Account) -> (Result<WrittenResponse, Refusal>, Account) {
        if self.subscribes() {
            return (Err(Refusal::from_document_errors(vec![stream_required()])), account);
        }
        let mut request = match self.begin_sign_in().await {
            Ok(request) => request,
            Err(refusal) => return (Err(refusal), account),
        };
        match request.answer_from_cache(&mut account) {
            Ok(None) => {}
            Ok(Some(response)) => return (Ok(response), account),
            Err(refusal) => return (Err(refusal), account),
        }
        loop {
            let PreparedRequest { shared, planned, estimate, .. } = &request.prepared;
            let estimate = estimate.unwrap_or_default();
            let estimate = planned.as_ref().map_or(estimate, |planned| planned.estimate(estimate));
            let place = match shared.fair.admit(&request.sign_in, estimate).await {
                Ok(place) => place,
                Err(refusal) => return (Err(refusal), account),
            };
            let expensive = place.is_expensive();
            let snapshot = shared.api.snapshot(&account.record.tally, expensive);
            let work = async move {
                let executed = request.execute((snapshot, expensive), &mut account).await;
                (executed, account)
            };
            let (executed, returned) = place.run(Box::pin(work.in_current_span())).await;
            account = returned;
            match executed {
                Ok(Execution::Response(response)) => return (Ok(response), account),
                Ok(Execution::NeedsExpensiveLane(same)) => request = *same,
                Err(refusal) => return (Err(refusal), account),
            }
        }
    }
}

impl InFlightRequest {
    /// Runs in the request's place: looks up the caller, charges the quotas, executes, and writes the response.
    async fn execute(
        mut self,
        (snapshot, expensive): (Arc<Snapshot>, bool),
        account: &mut Account,
    ) -> Result<Execution, Refusal> {
        let (shared, shows_plan) = (Arc::clone(&self.prepared.shared), self.prepared.shows_plan);
        if let (Some(planned), BearerClaim::Token(token)) =
            (self.prepared.planned.take(), self.prepared.caller.claim.clone())
        {
            if let Some(response) = self.execute_by_plan((planned, token), &snapshot, account).await? {
                return Ok(Execution::Response(response));
            }
            account.bill.settle(0);
            if !expensive && self.prepared.estimate.is_ok_and(|estimate| shared.fair.is_expensive(estimate)) {
                return Ok(Execution::NeedsExpensiveLane(Box::new(self)));
            }
        }
        let etag_key = self.prepared.etag_key.clone();
        let (gave_up, viewer) =
            self.gave_up.take().map_or((None, None), |(reason, viewer)| (Some(reason), Some(viewer)));
        let operation = self.identify(Arc::clone(&snapshot), viewer).await?;
        let viewer = operation.context.viewer.as_ref();
        account.record.set_viewer(viewer);
        account.record.end_stage(Stage::Identify);
        if shows_plan {
            plan_extension::check_allowed(viewer)?;
        }
        let key = etag_key.as_ref().zip(viewer);
        let tag = key.and_then(|(key, viewer)| key.tag(viewer));
        if let Some(tag) = tag.as_ref().filter(|tag| tag.client_has_it) {
            return Ok(Execution::Response(WrittenResponse::not_modified(tag.clone(), &mut account.record)));
        }
        let ExecutableOperation { document, request, context, estimate: Estimate { cost, .. } } = operation;
        account.bill.pay_for_execution(context.viewer.as_ref(), cost)?;
        let executed = match gave_up {
            Some(reason) => shared.api.execute_unplanned(reason, (document, request), context, cost).await,
            None => shared.api.execute(document, request, context, cost).await,
        };
        let mut reply = settle_cost(executed, account)?;
        let tag = tag.filter(|tag| reply.errors().is_empty() && snapshot.depends_only_on(tag.tenant));
        if shows_plan {
            // The plan itself is part of the response, so the time is measured by serialising once without it.
            drop(reply.to_json(&shared.limits));
            account.record.end_stage(Stage::Serialise);
            reply.extend("plan", plan_extension::render(&account.record));
        }
        Ok(Execution::Response(WrittenResponse::from_reply(&reply, &shared.limits).with_tag(tag)))
    }
}

fn stream_required() -> ServerError {
    let message = "A subscription has several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(message, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
