//! One response to one request, over whatever transport.

use std::sync::Arc;

use async_graphql::ServerError;
use tracing::Instrument as _;

use super::in_flight::{ExecutableOperation, InFlightRequest};
use super::prepared::{Account, PreparedRequest};
use super::response::{WrittenResponse, settled};
use crate::graphql::Estimate;
use crate::http::door::claim::BearerClaim;
use crate::http::refusal::Refusal;
use crate::http::watch::{Stage, plan};
use crate::store::Snapshot;

/// What comes of a request in its place.
enum Executed {
    Response(WrittenResponse),
    /// Its plan gave up, and the executor would need a place in the other lane.
    Elsewhere(Box<InFlightRequest>),
}

impl PreparedRequest {
    /// Takes a query or a mutation from its sign-in to its response.
    pub(super) async fn respond(self, mut account: Account) -> (Result<WrittenResponse, Refusal>, Account) {
        if self.subscribes() {
            return (Err(Refusal::of_document(vec![no_stream()])), account);
        }
        let mut request = match self.begin_sign_in().await {
            Ok(request) => request,
            Err(refusal) => return (Err(refusal), account),
        };
        match request.answer_kept(&mut account) {
            Ok(None) => {}
            Ok(Some(response)) => return (Ok(response), account),
            Err(refusal) => return (Err(refusal), account),
        }
        loop {
            let PreparedRequest { shared, planned, estimate, .. } = &request.prepared;
            let estimate = estimate.unwrap_or_default();
            let takes = planned.as_ref().map_or(estimate, |planned| planned.estimate(estimate));
            let place = match shared.fair.admit(&request.credentials, takes).await {
                Ok(place) => place,
                Err(refusal) => return (Err(refusal), account),
            };
            let expensive = place.is_expensive();
            let snapshot = shared.api.snapshot(&account.record.tally, expensive);
            let work = async move {
                let executed = request.execute((snapshot, expensive), &mut account).await;
                (executed, account)
            };
            let (executed, back) = place.run(Box::pin(work.in_current_span())).await;
            account = back;
            match executed {
                Ok(Executed::Response(response)) => return (Ok(response), account),
                Ok(Executed::Elsewhere(again)) => request = *again,
                Err(refusal) => return (Err(refusal), account),
            }
        }
    }
}

impl InFlightRequest {
    /// In its place: finds out who asks, lets them pay, executes and writes the response.
    async fn execute(
        mut self,
        (snapshot, expensive): (Arc<Snapshot>, bool),
        account: &mut Account,
    ) -> Result<Executed, Refusal> {
        let (shared, shows_plan) = (Arc::clone(&self.prepared.shared), self.prepared.shows_plan);
        if let (Some(planned), BearerClaim::Token(token)) =
            (self.prepared.planned.take(), self.prepared.caller.claim.clone())
        {
            if let Some(response) = self.execute_at_once((planned, token), &snapshot, account).await? {
                return Ok(Executed::Response(response));
            }
            account.bill.settle(0);
            if !expensive && self.prepared.estimate.is_ok_and(|estimate| shared.fair.is_expensive(estimate)) {
                return Ok(Executed::Elsewhere(Box::new(self)));
            }
        }
        let etag_key = self.prepared.etag_key.clone();
        let (gave_up, viewer) = self.gave_up.take().map_or((None, None), |(why, viewer)| (Some(why), Some(viewer)));
        let operation = self.identified(Arc::clone(&snapshot), viewer).await?;
        let viewer = operation.context.viewer.as_ref();
        account.record.identified = viewer.is_some();
        account.record.done(Stage::Identify);
        if shows_plan {
            plan::allow(viewer)?;
        }
        let key = etag_key.as_ref().zip(viewer);
        let tag = key.and_then(|(key, viewer)| key.tag(viewer));
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known) {
            return Ok(Executed::Response(WrittenResponse::not_modified(tag.clone(), &mut account.record)));
        }
        let ExecutableOperation { document, request, context, estimate: Estimate { cost, .. } } = operation;
        account.bill.pay_for_execution(context.viewer.as_ref(), cost)?;
        let executed = match gave_up {
            Some(why) => shared.api.execute_unplanned(why, (document, request), context, cost).await,
            None => shared.api.execute(document, request, context, cost).await,
        };
        let mut reply = settled(executed, account)?;
        let tag = tag.filter(|tag| reply.errors().is_empty() && snapshot.depends_only_on(tag.tenant));
        if shows_plan {
            // The plan is part of what is serialised: the time is that of serialising it once without.
            drop(reply.to_json(&shared.limits));
            account.record.done(Stage::Serialise);
            reply.extend("plan", plan::of(&account.record));
        }
        Ok(Executed::Response(WrittenResponse::of(&reply, &shared.limits).tagged(tag)))
    }
}

fn no_stream() -> ServerError {
    let sentence = "A subscription is answered with several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
