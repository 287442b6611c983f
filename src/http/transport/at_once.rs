//! Answers that make one trip to the database at most: from memory, or by a plan.

use std::sync::{Arc, OnceLock};

use super::etag::{EtagKey, Tag};
use super::in_flight::InFlightRequest;
use super::prepared::Account;
use super::response::{WrittenResponse, settled};
use crate::graphql::{Estimate, Planned, StartedPlan, Unplanned};
use crate::http::door::claim::BearerClaim;
use crate::http::door::identify;
use crate::http::refusal::Refusal;
use crate::service::Viewer;
use crate::store::{Session, Snapshot};

/// What a plan answers to a request, and the tag of that.
enum Written {
    Answer(Box<StartedPlan>, Option<Tag>),
    NotModified(Tag),
}

/// The tag of what a plan answers, where the client may keep it.
fn tag_of(etag_key: Option<&EtagKey>, planned: &Planned, viewer: &Viewer) -> Option<Tag> {
    etag_key.filter(|_| planned.tenant(viewer).is_some())?.tag(viewer)
}

impl InFlightRequest {
    /// Answers from the cache what has not changed since it was answered before, without a place: nothing is waited for.
    pub(super) fn answer_kept(&mut self, account: &mut Account) -> Result<Option<WrittenResponse>, Refusal> {
        let (Some(planned), BearerClaim::Token(token), Ok(Estimate { cost, .. })) =
            (&self.prepared.planned, &self.prepared.caller.claim, &self.prepared.estimate)
        else {
            return Ok(None);
        };
        let (shared, selected) = (&self.prepared.shared, self.prepared.caller.tenant.as_deref());
        self.data_version = shared.api.app().data_version();
        self.remembered = self.data_version.and_then(|of| shared.api.app().remembered(of, token, selected));
        let Some(viewer) = &self.remembered else { return Ok(None) };
        let tag = tag_of(self.prepared.etag_key.as_ref(), planned, viewer);
        let not_modified = tag.clone().filter(|tag| tag.is_known);
        let kept = if not_modified.is_some() { None } else { planned.cached_answer(viewer) };
        if not_modified.is_none() && kept.is_none() {
            return Ok(None);
        }
        shared.fair.end_sign_in(&self.credentials, Some(token), Some(true));
        account.record.identified = true;
        match kept {
            Some(kept) => {
                account.bill.pay_for_execution(Some(viewer), *cost)?;
                let reply = settled(shared.api.cached_reply(kept, (&self.prepared.request, *cost)), account)?;
                Ok(Some(WrittenResponse::of(&reply, &shared.limits).tagged(tag)))
            }
            None => Ok(not_modified.map(|tag| WrittenResponse::not_modified(tag, &mut account.record))),
        }
    }

    /// Finds out who asks, lets them pay, executes and writes the response by a plan, in one trip to the database or,
    /// where something changes, in two; `None` when the plan gives up.
    pub(super) async fn execute_at_once(
        &mut self,
        (planned, token): (Planned, String),
        snapshot: &Arc<Snapshot>,
        account: &mut Account,
    ) -> Result<Option<WrittenResponse>, Refusal> {
        let (cost, credentials) = (self.prepared.estimate?.cost, self.credentials);
        let (shared, mut bill) = (Arc::clone(&self.prepared.shared), account.bill.take());
        let (claimed, id) = (token.clone(), Arc::clone(&self.prepared.request_id));
        let (selected, etag_key) = (self.prepared.caller.tenant.clone(), self.prepared.etag_key.clone());
        let before = (self.data_version, self.remembered.take());
        // Known also when the trip does not come to its end.
        let known = Arc::new(OnceLock::new());
        let (viewer, deadline) = (Arc::clone(&known), snapshot.deadline());
        let trip = move |session: &mut dyn Session| {
            let found = shared.api.app().authenticate_in(session, (&claimed, selected), before);
            let identified = identify::signed_in(&shared.fair, (Some(&claimed), &credentials), found, &id);
            let outcome = identified.and_then(|identified| {
                let viewer = viewer.get_or_init(|| identified);
                let tag = tag_of(etag_key.as_ref(), &planned, viewer);
                if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known) {
                    return Ok(Ok(Written::NotModified(tag.clone())));
                }
                bill.pay_for_execution(Some(viewer), cost)?;
                Ok(planned.begin(viewer, session, deadline).map(|begun| Written::Answer(Box::new(begun), tag)))
            });
            Ok((outcome, bill))
        };
        let shared = Arc::clone(&self.prepared.shared);
        let outcome = match snapshot.read_in_one_trip(None, trip).await {
            Ok((outcome, bill)) => {
                account.bill = bill;
                outcome?
            }
            // What kept the plan from its end the executor meets too, and says.
            Err(_) if known.get().is_some() => Err(Unplanned::Error),
            Err(error) => {
                let (of_token, id) = ((Some(token.as_str()), &self.credentials), &self.prepared.request_id);
                let refused = identify::signed_in::<Viewer>(&shared.fair, of_token, Err(error), id);
                return Err(refused.err().unwrap_or_else(|| Refusal::internal(id)));
            }
        };
        account.record.identified = true;
        let Some(viewer) = known.get() else { return Err(Refusal::internal(&self.prepared.request_id)) };
        let gave_up = match outcome {
            Ok(Written::NotModified(tag)) => {
                return Ok(Some(WrittenResponse::not_modified(tag, &mut account.record)));
            }
            Ok(Written::Answer(begun, tag)) => {
                let context = (Arc::clone(snapshot), Arc::clone(viewer), Arc::clone(&self.prepared.request_id));
                match shared.api.finish(*begun, context, (&self.prepared.request, cost)).await {
                    Ok(executed) => {
                        let reply = settled(executed, account)?;
                        return Ok(Some(WrittenResponse::of(&reply, &shared.limits).tagged(tag)));
                    }
                    Err(gave_up) => gave_up,
                }
            }
            Err(why) => why.into(),
        };
        self.gave_up = Some((gave_up, Some((**viewer).clone())));
        Ok(None)
    }
}
