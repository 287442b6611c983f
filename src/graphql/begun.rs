//! What plans begin: in one trip to the database, or, where they change something, in one more.

use std::sync::Arc;

use async_graphql::{Error, PathSegment, Response, ServerError};

use super::answer::Reply;
use super::api::Api;
use super::batch::Batches;
use super::changing::{Mutation, Saving};
use super::errors::surprise;
use super::layer::{Call, LayerSource as _, Node, Resolver, Thing};
use super::plan::{self, Answer, MutationFieldOutcome, PlanOutcome, PlannedMutation, Unplanned};
use super::planned::{GaveUp, Planned};
use super::schema::Vext;
use super::scope::{Asking, Scope};
use crate::service::{PlannedSave, StoreError, Viewer};
use crate::store::{self, Deadline, ReadAhead, Session, Snapshot};

/// What has come of a request in its first trip.
pub struct Begun(BegunState);

enum BegunState {
    /// It is answered.
    Answered(PlanOutcome),
    /// It is a mutation that goes on.
    Goes(Box<Mutation>),
}

impl Planned {
    /// Answers it, in the transaction in which the viewer was looked up; of a mutation what is to be read before it
    /// changes something.
    ///
    /// # Errors
    /// Why the executor has to.
    pub fn begin(
        mut self,
        viewer: &Viewer,
        session: &mut dyn Session,
        deadline: Option<Deadline>,
    ) -> Result<Begun, Unplanned> {
        if self.plan.changes_something() {
            let mut mutation = Mutation { planned: self, told: Vec::new(), done: Vec::new(), open: None };
            mutation.work_out(viewer, deadline, session)?;
            return Ok(Begun(BegunState::Goes(Box::new(mutation))));
        }
        if let Some(kept) = self.kept(viewer) {
            return Ok(Begun(BegunState::Answered(kept)));
        }
        let kept = self.kept.take();
        let run =
            |session: &mut dyn Session| plan::run(&self.plan, Vext::layer(), &self.asks(viewer, deadline), session);
        let Some(((answers, question), tenant)) = kept.zip(self.plan.tenant(viewer)) else {
            return Ok(Begun(BegunState::Answered(run(session)?)));
        };
        let outcome = if session.is_remote() {
            let mut ahead = ReadAhead::new(session, answers.asked(tenant.id, &question));
            let outcome = run(&mut ahead)?;
            if let Some(asked) = ahead.asked() {
                answers.remember(tenant.id, &question, asked);
            }
            outcome
        } else {
            run(session)?
        };
        let answer = Answer { data: outcome.data.clone(), cost: outcome.cost };
        answers.put((tenant.id, tenant.revision), question, answer);
        Ok(Begun(BegunState::Answered(outcome)))
    }
}

/// What ends a mutation before all of its fields are told.
enum Ended {
    /// The error of a field: none of them may be null.
    Failed(Error),
    GaveUp(Unplanned),
}

impl From<Unplanned> for Ended {
    fn from(why: Unplanned) -> Self {
        Self::GaveUp(why)
    }
}

impl Api {
    /// What comes of what a plan has begun, and what that has cost.
    ///
    /// # Errors
    /// Why the executor has to answer, and what was done until then.
    pub(super) async fn finished(
        &self,
        Begun(state): Begun,
        (snapshot, viewer, request_id): (Arc<Snapshot>, Arc<Viewer>, Arc<str>),
        requested: u64,
    ) -> Result<(Reply, u64), GaveUp> {
        let mut mutation = match state {
            BegunState::Answered(outcome) => return Ok(written(outcome, Some(&snapshot))),
            BegunState::Goes(mutation) => mutation,
        };
        let plan = Arc::clone(&mutation.planned.plan);
        while let Some(change) = plan.change(mutation.told.len()) {
            let next = match (mutation.open.take(), change) {
                (Some((saving, open)), Some(change)) => {
                    let saved = self.save(&snapshot, &viewer, &request_id, (saving, open)).await;
                    saved.map(|(told, node)| mutation.told(change, told, node))
                }
                (None, Some(change)) if change.save.is_none() => {
                    // Its state is large: it stays off the stack of who polls it.
                    let asking = Asking {
                        snapshot: Arc::clone(&snapshot),
                        viewer: Some((*viewer).clone()),
                        request_id: Arc::clone(&request_id),
                    };
                    Box::pin(self.change(&mut mutation, change, asking, &viewer)).await
                }
                _ => {
                    let (returned, worked_out) = work_out_next(mutation, &snapshot, &viewer).await?;
                    mutation = returned;
                    worked_out.map_err(Ended::from)
                }
            };
            match next {
                Ok(()) => {}
                Err(Ended::GaveUp(why)) => return Err(GaveUp { why, done: mutation.done }),
                Err(Ended::Failed(error)) => {
                    let Some((key, at)) = change.map(|change| &change.at) else { return Err(Unplanned::Error.into()) };
                    let path = vec![PathSegment::Field(key.to_string())];
                    let error = ServerError { path, ..error.into_server_error(*at) };
                    return Ok((Response::from_errors(vec![error]).into(), requested));
                }
            }
        }
        Ok(written(mutation.answer()?, Some(&snapshot)))
    }

    /// Carries a save out, and tells it in the same transaction: where that cannot be, nothing is saved.
    async fn save(
        &self,
        snapshot: &Snapshot,
        viewer: &Arc<Viewer>,
        request_id: &str,
        (saving, open): (Saving, PlannedSave),
    ) -> Result<(MutationFieldOutcome, Node), Ended> {
        let (deadline, own) = (snapshot.deadline(), Arc::clone(viewer));
        let app = self.app.with_tally(snapshot.tally());
        let tell = move |session: &mut dyn Session, saved| {
            Ok(match saving.tell(&own, deadline, session, saved) {
                Ok(told) => store::Outcome::Commit(Ok(told)),
                Err(why) => store::Outcome::Rollback(Err(why)),
            })
        };
        match app.carry_out(snapshot, viewer, open, tell).await {
            Ok(told) => Ok(told?),
            // The executor says that there is no such tenant.
            Err(StoreError::NoTenant) => Err(Unplanned::Error.into()),
            Err(error) => Err(Ended::Failed(surprise(&error, request_id))),
        }
    }

    /// Carries another change out, and tells it in a trip of its own.
    async fn change(
        &self,
        mutation: &mut Mutation,
        change: &PlannedMutation,
        asking: Asking,
        viewer: &Arc<Viewer>,
    ) -> Result<(), Ended> {
        let Resolver::Later(get) = &change.worked.asked.field.answer else { return Err(Unplanned::Field.into()) };
        let args = mutation.planned.args(change)?;
        let (batches, snapshot) = (Batches::default(), Arc::clone(&asking.snapshot));
        let scope = Scope::new(&self.app, asking, batches.clone(), self.budget());
        let thing = Thing::of(());
        let changing = get(&thing, Call::of_plan(&args, &scope, &change.worked.selected));
        let node = batches.drive(Arc::clone(&snapshot), changing).await.map_err(Ended::Failed)?;
        // What cannot be told so is told by the executor.
        mutation.done.push((change.at.0.clone(), node.clone()));
        let (own, deadline, planned) = (Arc::clone(viewer), snapshot.deadline(), mutation.planned.clone());
        let (at, spent) = (mutation.told.len(), mutation.spent());
        let tell =
            move |session: &mut dyn Session| Ok(planned.tell(at, (&own, deadline), (Some((node, 0)), spent), session));
        let told = snapshot.read_at_once(None, tell).await.map_err(|_| Unplanned::Error)?;
        mutation.told.push(told?);
        Ok(())
    }
}

/// Works out what comes next in a trip of its own. What was done until then is handed on.
async fn work_out_next(
    mut mutation: Box<Mutation>,
    snapshot: &Snapshot,
    viewer: &Arc<Viewer>,
) -> Result<(Box<Mutation>, Result<(), Unplanned>), GaveUp> {
    let (own, deadline, done) = (Arc::clone(viewer), snapshot.deadline(), mutation.done.clone());
    let work = move |session: &mut dyn Session| {
        let worked_out = mutation.work_out(&own, deadline, session);
        Ok((mutation, worked_out))
    };
    // What is wrong with the database the executor meets too, and says.
    snapshot.read_at_once(None, work).await.map_err(|_| GaveUp { why: Unplanned::Error, done })
}

/// What a plan has written and what it has cost. Its look-ups in a snapshot are counted.
pub(super) fn written(
    PlanOutcome { data, cost, batches, was_kept }: PlanOutcome,
    snapshot: Option<&Snapshot>,
) -> (Reply, u64) {
    if let Some(snapshot) = snapshot {
        batches.into_iter().for_each(|(of, keys)| snapshot.batch(of, keys));
    }
    (Reply::written(data, was_kept), cost)
}
