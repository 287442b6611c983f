//! The fast path: responses from the cache, which need no place in a lane, and responses by a plan, which need one trip
//! to the database.

use std::sync::{Arc, OnceLock};

use super::etag::{EntityTag, EntityTagKey};
use super::in_flight::InFlightRequest;
use super::prepared::Account;
use super::response::{WrittenResponse, settle_cost};
use crate::graphql::{Estimate, Planned, StartedPlan, Unplanned};
use crate::http::door::claim::BearerClaim;
use crate::http::door::identify;
use crate::http::refusal::Refusal;
use crate::service::Viewer;
use crate::store::{Session, Snapshot};

/// What the trip to the database returns.
enum TripOutcome {
    /// The plan has begun; the tag is that of its response.
    StartedPlan(Box<StartedPlan>, Option<EntityTag>),
    /// The client has the response already.
    NotModified(EntityTag),
}

/// The tag of a plan's response, if the client may cache it.
fn tag_of(etag_key: Option<&EntityTagKey>, planned: &Planned, viewer: &Viewer) -> Option<EntityTag> {
    etag_key.filter(|_| planned.tenant(viewer).is_some())?.tag(viewer)
}

impl InFlightRequest {
    /// Answers a request from the cache if its response has not changed since it was last sent. This needs no place in
    /// a lane, because it does not wait.
    ///
    /// # Errors
    /// A quota is spent.
    pub(super) fn answer_from_cache(&mut self, account: &mut Account) -> Result<Option<WrittenResponse>, Refusal> {
        let (Some(planned), BearerClaim::Token(token), Ok(Estimate { cost, .. })) =
            (&self.prepared.planned, &self.prepared.caller.claim, &self.prepared.estimate)
        else {
            return Ok(None);
        };
        let (shared, selected) = (&self.prepared.shared, self.prepared.caller.tenant.as_deref());
        self.data_version = shared.api.app().data_version();
        self.remembered_viewer =
            self.data_version.and_then(|version| shared.api.app().cached_viewer(version, token, selected));
        let Some(viewer) = &self.remembered_viewer else { return Ok(None) };
        let tag = tag_of(self.prepared.etag_key.as_ref(), planned, viewer);
        let not_modified = tag.clone().filter(|tag| tag.client_has_it);
        let cached = if not_modified.is_some() { None } else { planned.cached_answer(viewer) };
        if not_modified.is_none() && cached.is_none() {
            return Ok(None);
        }
        shared.fair.end_sign_in(&self.sign_in, Some(token), Some(true));
        account.record.set_viewer(Some(viewer));
        match cached {
            Some(cached) => {
                account.bill.pay_for_execution(Some(viewer), *cost)?;
                let reply = settle_cost(shared.api.cached_reply(cached, (&self.prepared.request, *cost)), account)?;
                Ok(Some(WrittenResponse::from_reply(&reply, &shared.limits).with_tag(tag)))
            }
            None => Ok(not_modified.map(|tag| WrittenResponse::not_modified(tag, &mut account.record))),
        }
    }

    /// Looks up the caller, charges the quotas, and produces the response by the plan. This takes one trip to the
    /// database, or two if the request changes something. `None` if the plan gives up.
    ///
    /// # Errors
    /// An invalid token, a token that could not be looked up, an exceeded limit, or a spent quota.
    pub(super) async fn execute_by_plan(
        &mut self,
        (planned, token): (Planned, String),
        snapshot: &Arc<Snapshot>,
        account: &mut Account,
    ) -> Result<Option<WrittenResponse>, Refusal> {
        let (cost, sign_in) = (self.prepared.estimate?.cost, self.sign_in);
        let (shared, mut bill) = (Arc::clone(&self.prepared.shared), account.bill.take());
        let (claimed_token, request_id) = (token.clone(), Arc::clone(&self.prepared.request_id));
        let (selected, etag_key) = (self.prepared.caller.tenant.clone(), self.prepared.etag_key.clone());
        let remembered = (self.data_version, self.remembered_viewer.take());
        // Set by the trip as soon as the token has been looked up, so it is available even if the rest of the trip
        // fails.
        let found_viewer = Arc::new(OnceLock::new());
        let (viewer, deadline) = (Arc::clone(&found_viewer), snapshot.deadline());
        let trip = move |session: &mut dyn Session| {
            let found = shared.api.app().authenticate_in(session, (&claimed_token, selected), remembered);
            let identified =
                identify::finish_sign_in(&shared.fair, (Some(&claimed_token), &sign_in), found, &request_id);
            let outcome = identified.and_then(|identified| {
                let viewer = viewer.get_or_init(|| identified);
                let tag = tag_of(etag_key.as_ref(), &planned, viewer);
                if let Some(tag) = tag.as_ref().filter(|tag| tag.client_has_it) {
                    return Ok(Ok(TripOutcome::NotModified(tag.clone())));
                }
                bill.pay_for_execution(Some(viewer), cost)?;
                Ok(planned.begin(viewer, session, deadline).map(|begun| TripOutcome::StartedPlan(Box::new(begun), tag)))
            });
            Ok((outcome, bill))
        };
        let shared = Arc::clone(&self.prepared.shared);
        let outcome = match snapshot.read_in_one_trip(None, trip).await {
            Ok((outcome, bill)) => {
                account.bill = bill;
                account.record.set_viewer(found_viewer.get().map(|viewer| &**viewer));
                outcome?
            }
            // The executor meets the same error and reports it.
            Err(_) if found_viewer.get().is_some() => Err(Unplanned::Error),
            Err(error) => {
                let (attempt, id) = ((Some(token.as_str()), &self.sign_in), &self.prepared.request_id);
                let refused = identify::finish_sign_in::<Viewer>(&shared.fair, attempt, Err(error), id);
                return Err(refused.err().unwrap_or_else(|| Refusal::internal(id)));
            }
        };
        let Some(viewer) = found_viewer.get() else { return Err(Refusal::internal(&self.prepared.request_id)) };
        let gave_up = match outcome {
            Ok(TripOutcome::NotModified(tag)) => {
                return Ok(Some(WrittenResponse::not_modified(tag, &mut account.record)));
            }
            Ok(TripOutcome::StartedPlan(begun, tag)) => {
                let context = (Arc::clone(snapshot), Arc::clone(viewer), Arc::clone(&self.prepared.request_id));
                match shared.api.finish(*begun, context, (&self.prepared.request, cost)).await {
                    Ok(executed) => {
                        let reply = settle_cost(executed, account)?;
                        return Ok(Some(WrittenResponse::from_reply(&reply, &shared.limits).with_tag(tag)));
                    }
                    Err(gave_up) => gave_up,
                }
            }
            Err(unplanned) => unplanned.into(),
        };
        self.gave_up = Some((gave_up, Some((**viewer).clone())));
        Ok(None)
    }
}
