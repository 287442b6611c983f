//! Answers that make one trip to the database at most: from memory, or by a plan.

use std::sync::{Arc, OnceLock};

use axum::http::HeaderMap;
use axum::response::Response as Answer;

use super::etag::{EtagKey, Tag};
use super::prepared::{Account, Prepared};
use super::response::{answer_of, not_modified, settled};
use crate::graphql::{Begun, Estimate, Planned, Unplanned};
use crate::http::door::claim::BearerClaim;
use crate::http::door::fair::Bill;
use crate::http::door::identify;
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::watch::RequestRecord;
use crate::service::Viewer;
use crate::store::{Session, Snapshot};

/// What a plan answers to a request, and the tag of that.
enum Written {
    Answer(Box<Begun>, Option<Tag>),
    /// What the client has already.
    Before(Tag),
}

/// The tag of what a plan answers to a request that came with GET.
fn tag_of(asked: Option<&EtagKey>, planned: &Planned, viewer: &Viewer) -> Option<Tag> {
    asked.filter(|_| planned.tenant(viewer).is_some())?.tag(viewer)
}

impl Prepared {
    /// Answers what has not changed since it was answered before: at once, as nobody has to be waited for.
    pub(super) fn answer_kept(
        &mut self,
        (media, headers): (Media, &HeaderMap),
        Account { bill, seen }: &mut Account,
    ) -> Result<Option<Answer>, Refusal> {
        let (Some(planned), BearerClaim::Token(token), Ok(Estimate { cost, .. })) =
            (&self.planned, &self.claim, &self.estimate)
        else {
            return Ok(None);
        };
        let (shared, selected) = (&self.shared, self.selected.as_deref());
        self.data_version = shared.api.app().data_version();
        self.remembered = self.data_version.and_then(|of| shared.api.app().cached_viewer(of, token, selected));
        let Some(viewer) = &self.remembered else { return Ok(None) };
        let tag = tag_of(self.asked.as_ref(), planned, viewer);
        let is_known = tag.as_ref().is_some_and(|tag| tag.is_known(headers));
        let kept = if is_known { None } else { planned.kept(viewer) };
        if !is_known && kept.is_none() {
            return Ok(None);
        }
        shared.fair.end_sign_in(&self.credentials, Some(token), Some(true));
        seen.identified = true;
        match kept {
            Some(kept) => {
                bill.pay_for_execution(Some(viewer), *cost)?;
                let reply = settled(shared.api.kept(kept, (&self.request, *cost)), (bill, seen))?;
                Ok(Some(answer_of(&reply, tag.as_ref(), media, &shared.limits)))
            }
            None => Ok(tag.map(|tag| not_modified(&tag, seen))),
        }
    }

    /// Finds out who asks, lets them pay, executes and writes the answer down by a plan, in one trip to the database or,
    /// where something changes, in two; `None` when the plan gives up.
    pub(super) async fn execute_at_once(
        &mut self,
        (planned, token): (Planned, String),
        snapshot: &Arc<Snapshot>,
        (media, headers): (Media, &Arc<HeaderMap>),
        (bill, seen): (&mut Bill, &mut RequestRecord),
    ) -> Result<Option<Answer>, Refusal> {
        let (cost, credentials) = (self.estimate?.cost, self.credentials);
        let (shared, mut own) = (Arc::clone(&self.shared), bill.take());
        let (asks, id, selected) = (token.clone(), Arc::clone(&self.request_id), self.selected.clone());
        let (asked, headers) = (self.asked.clone(), Arc::clone(headers));
        let before = (self.data_version, self.remembered.take());
        // Known also when the trip does not come to its end.
        let known = Arc::new(OnceLock::new());
        let (viewer, deadline) = (Arc::clone(&known), snapshot.deadline());
        let trip = move |session: &mut dyn Session| {
            let found = shared.api.app().authenticate_in(session, (&asks, selected), before);
            let identified = identify::signed_in(&shared.fair, (Some(&asks), &credentials), found, &id);
            let outcome = identified.and_then(|identified| {
                let viewer = viewer.get_or_init(|| identified);
                let tag = tag_of(asked.as_ref(), &planned, viewer);
                if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(&headers)) {
                    return Ok(Ok(Written::Before(tag.clone())));
                }
                own.pay_for_execution(Some(viewer), cost)?;
                Ok(planned.begin(viewer, session, deadline).map(|begun| Written::Answer(Box::new(begun), tag)))
            });
            Ok((outcome, own))
        };
        let outcome = match snapshot.read_at_once(None, trip).await {
            Ok((outcome, own)) => {
                *bill = own;
                outcome?
            }
            // What kept the plan from its end the executor meets too, and says.
            Err(_) if known.get().is_some() => Err(Unplanned::Error),
            Err(error) => {
                let of_token = (Some(token.as_str()), &self.credentials);
                let refused = identify::signed_in::<Viewer>(&self.shared.fair, of_token, Err(error), &self.request_id);
                return Err(refused.err().unwrap_or_else(|| Refusal::internal(&self.request_id)));
            }
        };
        seen.identified = true;
        let Some(viewer) = known.get() else { return Err(Refusal::internal(&self.request_id)) };
        let gave_up = match outcome {
            Ok(Written::Before(tag)) => return Ok(Some(not_modified(&tag, seen))),
            Ok(Written::Answer(begun, tag)) => {
                let asking = (Arc::clone(snapshot), Arc::clone(viewer), Arc::clone(&self.request_id));
                match self.shared.api.finish(*begun, asking, (&self.request, cost)).await {
                    Ok(executed) => {
                        let reply = settled(executed, (bill, seen))?;
                        return Ok(Some(answer_of(&reply, tag.as_ref(), media, &self.shared.limits)));
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
