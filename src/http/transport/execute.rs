//! One response to one request: `POST` and `GET`.

use std::sync::Arc;

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::http::HeaderMap;
use axum::response::Response as Answer;
use tracing::Instrument as _;

use super::pipeline::ExecutableOperation;
use super::prepared::{Account, Prepared};
use super::response::{answer_of, not_modified, settled};
use crate::graphql::Estimate;
use crate::http::door::claim::BearerClaim;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::watch::{Stage, plan};
use crate::store::Snapshot;

/// What comes of a request in its place.
enum Executed {
    Answer(Answer),
    /// Its plan has given up, and what the executor would take needs another place.
    Elsewhere(Box<Prepared>),
}

impl Prepared {
    /// Waits for a place, and answers with one response.
    pub(super) async fn answer(
        self,
        media: Media,
        headers: Arc<HeaderMap>,
        mut account: Account,
    ) -> (Result<Answer, Refusal>, Account) {
        if self.document.operation(self.request.operation_name.as_deref()) == Some(OperationType::Subscription) {
            return (Err(Refusal::of_document(vec![no_stream()])), account);
        }
        let mut prepared = self;
        match prepared.answer_kept((media, &headers), &mut account) {
            Ok(None) => {}
            Ok(Some(answer)) => return (Ok(answer), account),
            Err(refusal) => return (Err(refusal), account),
        }
        loop {
            let estimate = prepared.estimate.unwrap_or_default();
            let takes = prepared.planned.as_ref().map_or(estimate, |planned| planned.estimate(estimate));
            let place = match prepared.shared.fair.admit(&prepared.credentials, takes).await {
                Ok(place) => place,
                Err(refusal) => return (Err(refusal), account),
            };
            let expensive = place.is_expensive();
            let snapshot = prepared.shared.api.snapshot(&account.seen.tally, expensive);
            let headers = Arc::clone(&headers);
            let work = async move {
                let executed = prepared.execute((snapshot, expensive), media, &headers, &mut account).await;
                (executed, account)
            };
            let (executed, back) = place.run(Box::pin(work.in_current_span())).await;
            account = back;
            match executed {
                Ok(Executed::Answer(answer)) => return (Ok(answer), account),
                Ok(Executed::Elsewhere(again)) => prepared = *again,
                Err(refusal) => return (Err(refusal), account),
            }
        }
    }

    /// Finds out who asks, lets them pay, executes and writes the answer down.
    async fn execute(
        mut self,
        (snapshot, expensive): (Arc<Snapshot>, bool),
        media: Media,
        headers: &Arc<HeaderMap>,
        Account { bill, seen }: &mut Account,
    ) -> Result<Executed, Refusal> {
        let (shared, shows_plan) = (Arc::clone(&self.shared), self.shows_plan);
        if let (Some(planned), BearerClaim::Token(token)) = (self.planned.take(), self.claim.clone()) {
            let at_once = self.execute_at_once((planned, token), &snapshot, (media, headers), (bill, seen)).await?;
            if let Some(answer) = at_once {
                return Ok(Executed::Answer(answer));
            }
            bill.settle(0);
            if !expensive && self.estimate.is_ok_and(|estimate| shared.fair.is_expensive(estimate)) {
                return Ok(Executed::Elsewhere(Box::new(self)));
            }
        }
        let asked = self.asked.clone();
        let (gave_up, viewer) = self.gave_up.take().map_or((None, None), |(why, viewer)| (Some(why), Some(viewer)));
        let operation = self.identified(Arc::clone(&snapshot), viewer).await?;
        let viewer = operation.asking.viewer.as_ref();
        seen.identified = viewer.is_some();
        seen.done(Stage::Identify);
        if shows_plan {
            plan::allow(viewer)?;
        }
        let tag = asked.zip(viewer).and_then(|(asked, viewer)| asked.tag(viewer));
        if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(headers)) {
            return Ok(Executed::Answer(not_modified(tag, seen)));
        }
        let ExecutableOperation { document, request, asking, estimate: Estimate { cost, .. } } = operation;
        bill.pay_for_execution(asking.viewer.as_ref(), cost)?;
        let executed = match gave_up {
            Some(why) => shared.api.execute_unplanned(why, (document, request), asking, cost).await,
            None => shared.api.execute(document, request, asking, cost).await,
        };
        let mut reply = settled(executed, (bill, seen))?;
        let tag = tag.filter(|tag| reply.errors().is_empty() && snapshot.depends_only_on(tag.tenant));
        if shows_plan {
            // The plan stands inside of what is serialised: the time is that of serialising it once without.
            drop(reply.to_json(&shared.limits));
            seen.done(Stage::Serialise);
            reply.extend("plan", plan::of(seen));
        }
        Ok(Executed::Answer(answer_of(&reply, tag.as_ref(), media, &shared.limits)))
    }
}

fn no_stream() -> ServerError {
    let sentence = "A subscription is answered with several responses: send it over a WebSocket with the subprotocol \
                    graphql-transport-ws, or accept text/event-stream.";
    let mut error = ServerError::new(sentence, None);
    error.extensions.get_or_insert_default().set("code", "STREAM_REQUIRED");
    error
}
