//! Running a plan: its first trip to the database and, for mutations, the trips after it.

use std::sync::Arc;

use async_graphql::{Error, PathSegment, Response, ServerError};

use super::answer::Reply;
use super::api::Api;
use super::batch::Batches;
use super::errors::store_error;
use super::layer::{Call, LayerSource as _, Node, Resolver, Thing};
use super::plan::{self, CachedAnswer, MutationFieldOutcome, PlanOutcome, PlannedMutation, Unplanned};
use super::planned::{GaveUp, Planned};
use super::running_mutation::{PendingSave, RunningMutation};
use super::schema::Vext;
use super::scope::{RequestContext, Scope};
use crate::service::{PlannedSave, StoreError, Viewer};
use crate::store::{self, Deadline, ReadAhead, Session, Snapshot};

/// The state of a request after its first trip to the database.
pub struct StartedPlan(StartedState);

enum StartedState {
    /// A query: the answer is complete.
    Answered(PlanOutcome),
    /// A mutation with fields left to run.
    Mutation(Box<RunningMutation>),
}

impl Planned {
    /// Runs the plan in the transaction that looked up the viewer. For a mutation, only what can be read before its
    /// first change.
    ///
    /// # Errors
    /// Why the executor has to answer instead.
    pub fn begin(
        mut self,
        viewer: &Viewer,
        session: &mut dyn Session,
        deadline: Option<Deadline>,
    ) -> Result<StartedPlan, Unplanned> {
        if self.plan.changes_something() {
            let mut mutation =
                RunningMutation { planned: self, outcomes: Vec::new(), completed: Vec::new(), open_save: None };
            mutation.work_out(viewer, deadline, session)?;
            return Ok(StartedPlan(StartedState::Mutation(Box::new(mutation))));
        }
        if let Some(outcome) = self.cached_answer(viewer) {
            return Ok(StartedPlan(StartedState::Answered(outcome)));
        }
        let cache = self.cache.take();
        let run =
            |session: &mut dyn Session| plan::run(&self.plan, Vext::layer(), &self.request(viewer, deadline), session);
        let Some(((answers, key), tenant)) = cache.zip(self.plan.tenant(viewer)) else {
            return Ok(StartedPlan(StartedState::Answered(run(session)?)));
        };
        let outcome = if session.is_remote() {
            let mut ahead = ReadAhead::new(session, answers.reads(tenant.id, &key));
            let outcome = run(&mut ahead)?;
            if let Some(asked) = ahead.remembered() {
                answers.remember(tenant.id, &key, asked);
            }
            outcome
        } else {
            run(session)?
        };
        let answer = CachedAnswer { data: outcome.data.clone(), cost: outcome.cost };
        answers.put((tenant.id, tenant.revision), key, answer);
        Ok(StartedPlan(StartedState::Answered(outcome)))
    }
}

/// Why a mutation stops before all of its fields have run.
enum MutationStop {
    /// A field failed. No field of a mutation is nullable, so the whole mutation fails.
    Failed(Error),
    GaveUp(Unplanned),
}

impl From<Unplanned> for MutationStop {
    fn from(why: Unplanned) -> Self {
        Self::GaveUp(why)
    }
}

impl Api {
    /// Finishes what a plan has started, and returns the reply and its cost.
    ///
    /// # Errors
    /// Why the executor has to answer, with the fields that have already run.
    pub(super) async fn finish_plan(
        &self,
        StartedPlan(state): StartedPlan,
        (snapshot, viewer, request_id): (Arc<Snapshot>, Arc<Viewer>, Arc<str>),
        requested: u64,
    ) -> Result<(Reply, u64), GaveUp> {
        let mut mutation = match state {
            StartedState::Answered(outcome) => return Ok(written(outcome, Some(&snapshot))),
            StartedState::Mutation(mutation) => mutation,
        };
        let plan = Arc::clone(&mutation.planned.plan);
        while let Some(change) = plan.change(mutation.outcomes.len()) {
            let next = match (mutation.open_save.take(), change) {
                (Some((save, open)), Some(change)) => {
                    let saved = self.save(&snapshot, &viewer, &request_id, (save, open)).await;
                    saved.map(|(outcome, node)| mutation.record(change, outcome, node))
                }
                (None, Some(change)) if change.save.is_none() => {
                    // The future is large: boxing it keeps it off the caller's stack.
                    let context = RequestContext {
                        snapshot: Arc::clone(&snapshot),
                        viewer: Some((*viewer).clone()),
                        request_id: Arc::clone(&request_id),
                    };
                    Box::pin(self.change(&mut mutation, change, context, &viewer)).await
                }
                _ => {
                    let (returned, worked_out) = work_out_next(mutation, &snapshot, &viewer).await?;
                    mutation = returned;
                    worked_out.map_err(MutationStop::from)
                }
            };
            match next {
                Ok(()) => {}
                Err(MutationStop::GaveUp(why)) => return Err(GaveUp { why, completed: mutation.completed }),
                Err(MutationStop::Failed(error)) => {
                    let Some((key, at)) = change.map(|change| &change.at) else { return Err(Unplanned::Error.into()) };
                    let path = vec![PathSegment::Field(key.to_string())];
                    let error = ServerError { path, ..error.into_server_error(*at) };
                    return Ok((Response::from_errors(vec![error]).into(), requested));
                }
            }
        }
        Ok(written(mutation.answer()?, Some(&snapshot)))
    }

    /// Commits a save and renders its result in the same transaction. If the result cannot be rendered, nothing is
    /// saved.
    async fn save(
        &self,
        snapshot: &Snapshot,
        viewer: &Arc<Viewer>,
        request_id: &str,
        (save, open): (PendingSave, PlannedSave),
    ) -> Result<(MutationFieldOutcome, Node), MutationStop> {
        let (deadline, own) = (snapshot.deadline(), Arc::clone(viewer));
        let app = self.app.with_tally(snapshot.tally());
        let render = move |session: &mut dyn Session, saved| {
            Ok(match save.render(&own, deadline, session, saved) {
                Ok(outcome) => store::Outcome::Commit(Ok(outcome)),
                Err(why) => store::Outcome::Rollback(Err(why)),
            })
        };
        match app.carry_out(snapshot, viewer, open, render).await {
            Ok(outcome) => Ok(outcome?),
            // The executor reports that there is no such tenant.
            Err(StoreError::NoTenant) => Err(Unplanned::Error.into()),
            Err(error) => Err(MutationStop::Failed(store_error(&error, request_id))),
        }
    }

    /// Runs a mutation that is not a save of one object, and renders its result in another trip.
    async fn change(
        &self,
        mutation: &mut RunningMutation,
        change: &PlannedMutation,
        context: RequestContext,
        viewer: &Arc<Viewer>,
    ) -> Result<(), MutationStop> {
        let Resolver::Later(get) = &change.computed.planned.field.answer else { return Err(Unplanned::Field.into()) };
        let args = mutation.planned.args(change)?;
        let (batches, snapshot) = (Batches::default(), Arc::clone(&context.snapshot));
        let scope = Scope::new(&self.app, context, batches.clone(), self.budget());
        let thing = Thing::new(());
        let changing = get(&thing, Call::of_plan(&args, &scope, &change.computed.selected));
        let node = batches.drive(Arc::clone(&snapshot), changing).await.map_err(MutationStop::Failed)?;
        // If this result cannot be rendered here, the executor renders it.
        mutation.completed.push((change.at.0.clone(), node.clone()));
        let (own, deadline, planned) = (Arc::clone(viewer), snapshot.deadline(), mutation.planned.clone());
        let (at, spent) = (mutation.outcomes.len(), mutation.spent());
        let render = move |session: &mut dyn Session| {
            Ok(planned.render_field(at, (&own, deadline), (Some((node, 0)), spent), session))
        };
        let outcome = snapshot.read_in_one_trip(None, render).await.map_err(|_| Unplanned::Error)?;
        mutation.outcomes.push(outcome?);
        Ok(())
    }
}

/// Works out the next fields in a trip of their own. On failure, the fields that have already run are handed to the
/// executor.
async fn work_out_next(
    mut mutation: Box<RunningMutation>,
    snapshot: &Snapshot,
    viewer: &Arc<Viewer>,
) -> Result<(Box<RunningMutation>, Result<(), Unplanned>), GaveUp> {
    let (own, deadline, completed) = (Arc::clone(viewer), snapshot.deadline(), mutation.completed.clone());
    let work = move |session: &mut dyn Session| {
        let worked_out = mutation.work_out(&own, deadline, session);
        Ok((mutation, worked_out))
    };
    // The executor meets the same database error and reports it.
    snapshot.read_in_one_trip(None, work).await.map_err(|_| GaveUp { why: Unplanned::Error, completed })
}

/// The reply for a plan's outcome, and its cost. Its look-ups are counted in the snapshot, if there is one.
pub(super) fn written(
    PlanOutcome { data, cost, batches, from_cache }: PlanOutcome,
    snapshot: Option<&Snapshot>,
) -> (Reply, u64) {
    if let Some(snapshot) = snapshot {
        batches.into_iter().for_each(|(of, keys)| snapshot.count_batch(of, keys));
    }
    (Reply::written(data, from_cache), cost)
}
