//! Requests that plans answer: in one trip to the database, or, where they change something, in one more.

use std::sync::Arc;

use async_graphql::{Error, PathSegment, Response, ServerError, Variables};

use super::batch::Batches;
use super::layer::{Answer as Answering, Args, Call, Given as _, Node, OfSave, Reading, Source as _, Thing};
use super::plan::{self, Answer, Answers, Change, Outcome, Plan, Question, Unplanned};
use super::schema::{Vext, mutation};
use super::scope::{Asking, Scope, surprise};
use super::{Api, Estimate, Reply};
use crate::domain::TenantId;
use crate::service::{OpenSave, Saved, StoreError, Viewer, WorkedOut};
use crate::store::{self, Deadline, Session, Snapshot};

/// How many times less a plan takes than the executor, for which costs are made (docs/decisions/0029-plans.md).
const BY_PLAN: u64 = 5;

/// A request that a plan answers.
#[derive(Clone)]
pub struct Planned {
    pub(super) plan: Arc<Plan>,
    pub(super) variables: Arc<Variables>,
    /// See [`Limits::max_cost`](super::Limits::max_cost) and [`Limits::max_response`](super::Limits::max_response).
    pub(super) most: u64,
    pub(super) longest: usize,
    /// The time, in milliseconds since 1970.
    pub(super) now: i64,
    /// The answers that are kept, and which of them this asks for.
    pub(super) kept: Option<(Arc<Answers>, Question)>,
}

/// What has come of a request in its first trip.
pub struct Begun(State);

enum State {
    /// It is answered.
    Answered(Outcome),
    /// It is a save that is to be carried out.
    Saves(Box<(Saving, OpenSave)>),
    /// It is another mutation, of which nothing is done yet.
    Changes(Planned),
}

/// A save, for whoever tells what comes of it.
#[derive(Clone)]
struct Saving {
    planned: Planned,
    of: OfSave,
    args: Args,
    /// What it costs besides what it answers.
    price: u64,
}

/// Why a plan does not answer.
pub struct GaveUp {
    /// Why.
    pub why: Unplanned,
    /// What the mutation has answered, where it is carried out already.
    pub(super) done: Option<Node>,
}

impl From<Unplanned> for GaveUp {
    fn from(why: Unplanned) -> Self {
        Self { why, done: None }
    }
}

impl GaveUp {
    /// Whether the mutation is carried out already.
    pub fn is_done(&self) -> bool {
        self.done.is_some()
    }
}

impl Planned {
    /// What it takes, of a request that would take so much if the executor answered it.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        if self.plan.change().is_some() {
            return executed;
        }
        let may_take_long = plan::walks(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / BY_PLAN, may_take_long }
    }

    /// Whether its answers may be kept.
    pub(super) fn may_be_kept(&self) -> bool {
        self.plan.change().is_none()
    }

    /// The tenant that alone the answer depends on, if there is one.
    pub fn tenant(&self, viewer: &Viewer) -> Option<TenantId> {
        self.plan.tenant(viewer).map(|tenant| tenant.id)
    }

    /// The answer to a viewer whose tenant is at its revision still, if it is kept from before.
    pub fn kept(&self, viewer: &Viewer) -> Option<Outcome> {
        let (answers, question) = self.kept.as_ref()?;
        let tenant = self.plan.tenant(viewer)?;
        let Answer { data, cost } = answers.get((tenant.id, tenant.revision), question)?;
        Some(Outcome { data, cost, batches: Vec::new(), was_kept: true })
    }

    /// Answers it, in the transaction in which the viewer was looked up; of a mutation only what is to be read before.
    ///
    /// # Errors
    /// Why the executor has to.
    pub fn begin(
        mut self,
        viewer: &Viewer,
        session: &mut dyn Session,
        deadline: Option<Deadline>,
    ) -> Result<Begun, Unplanned> {
        let plan = Arc::clone(&self.plan);
        if let Some(change) = plan.change() {
            return match change.save {
                Some(of) => self.begin_save((change, of), viewer, session, deadline),
                None => Ok(Begun(State::Changes(self))),
            };
        }
        if let Some(kept) = self.kept(viewer) {
            return Ok(Begun(State::Answered(kept)));
        }
        let kept = self.kept.take();
        let at = self.plan.tenant(viewer).map(|tenant| (tenant.id, tenant.revision));
        let outcome = plan::run(&plan, Vext::layer(), &self.asks(viewer, deadline), session)?;
        if let (Some((answers, question)), Some(at)) = (kept, at) {
            answers.put(at, question, Answer { data: outcome.data.clone(), cost: outcome.cost });
        }
        Ok(Begun(State::Answered(outcome)))
    }

    fn asks<'a>(&'a self, viewer: &'a Viewer, deadline: Option<Deadline>) -> plan::Asks<'a> {
        let Self { variables, most, longest, now, .. } = self;
        plan::Asks { viewer, variables, most: *most, longest: *longest, now: *now, deadline }
    }

    fn args(&self, change: &Change) -> Result<Args, Unplanned> {
        plan::args(Vext::layer(), &self.variables, &change.worked.asked)
    }

    /// Works a save out, and tells it where it is settled.
    fn begin_save(
        self,
        (change, of): (&Change, OfSave),
        viewer: &Viewer,
        session: &mut dyn Session,
        deadline: Option<Deadline>,
    ) -> Result<Begun, Unplanned> {
        let args = self.args(change)?;
        let input = args.the_object("input")?;
        let price = mutation::price(of.kind, input)?;
        let mut reading = Reading::new(session, viewer, (self.now, deadline), &change.worked.selected);
        let tells_warnings = reading.selects("warnings");
        let worked_out = mutation::work_out(of, input, tells_warnings, &mut reading)?;
        let saving = Saving { planned: self, of, args, price };
        Ok(Begun(match worked_out {
            WorkedOut::Settled(saved) => State::Answered(saving.tell(viewer, deadline, session, saved)?),
            WorkedOut::Open(open) => State::Saves(Box::new((saving, open))),
        }))
    }
}

impl Saving {
    /// Tells what came of it, in the same transaction.
    fn tell(
        &self,
        viewer: &Viewer,
        deadline: Option<Deadline>,
        session: &mut dyn Session,
        saved: Saved,
    ) -> Result<Outcome, Unplanned> {
        let node = mutation::told(self.of, self.args.the_object("input")?, saved)?;
        let (planned, asks) = (&self.planned, self.planned.asks(viewer, deadline));
        plan::tell(&planned.plan, Vext::layer(), &asks, (node, self.price), session)
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
        match state {
            State::Answered(outcome) => Ok(written(outcome, Some(&snapshot))),
            State::Saves(saves) => {
                let (saving, open) = *saves;
                let plan = Arc::clone(&saving.planned.plan);
                match self.save(&snapshot, &viewer, saving, open).await {
                    Ok(outcome) => Ok(written(outcome?, Some(&snapshot))),
                    // The executor says that there is no such tenant.
                    Err(StoreError::NoTenant) => Err(Unplanned::Error.into()),
                    Err(error) => failed(&plan, surprise(&error, &request_id), requested),
                }
            }
            State::Changes(planned) => {
                let asking = Asking { snapshot, viewer: Some((*viewer).clone()), request_id };
                // Its state is large: it stays off the stack of who polls it.
                Box::pin(self.change(planned, asking, &viewer, requested)).await
            }
        }
    }

    /// Carries a save out, and tells it in the same transaction: where that cannot be, nothing is saved.
    async fn save(
        &self,
        snapshot: &Snapshot,
        viewer: &Arc<Viewer>,
        saving: Saving,
        open: OpenSave,
    ) -> store::Result<Result<Outcome, Unplanned>> {
        let (deadline, own) = (snapshot.deadline(), Arc::clone(viewer));
        let app = self.app.tallied(snapshot.tally());
        let tell = move |session: &mut dyn Session, saved| {
            Ok(match saving.tell(&own, deadline, session, saved) {
                Ok(outcome) => store::Outcome::Commit(Ok(outcome)),
                Err(why) => store::Outcome::Rollback(Err(why)),
            })
        };
        app.carry_out(snapshot, viewer, open, tell).await
    }

    /// Carries another mutation out, and tells it in a trip of its own.
    async fn change(
        &self,
        planned: Planned,
        asking: Asking,
        viewer: &Arc<Viewer>,
        requested: u64,
    ) -> Result<(Reply, u64), GaveUp> {
        let plan = Arc::clone(&planned.plan);
        let change = plan.change().ok_or(Unplanned::Error)?;
        let Answering::Later(get) = &change.worked.asked.field.answer else { return Err(Unplanned::Field.into()) };
        let args = planned.args(change)?;
        let (batches, snapshot) = (Batches::default(), Arc::clone(&asking.snapshot));
        let scope = Scope::new(&self.app, asking, batches.clone(), self.budget());
        let thing = Thing::of(());
        let changing = get(&thing, Call::of_plan(&args, &scope, &change.worked.selected));
        let node = match batches.drive(Arc::clone(&snapshot), changing).await {
            Ok(node) => node,
            Err(error) => return failed(&plan, error, requested),
        };
        // What cannot be told so is told by the executor.
        let (own, deadline, told) = (Arc::clone(viewer), snapshot.deadline(), node.clone());
        let tell = move |session: &mut dyn Session| {
            let asks = planned.asks(&own, deadline);
            Ok(plan::tell(&planned.plan, Vext::layer(), &asks, (told, 0), session))
        };
        match snapshot.read_at_once(None, tell).await {
            Ok(Ok(outcome)) => Ok(written(outcome, Some(&snapshot))),
            Ok(Err(why)) => Err(GaveUp { why, done: Some(node) }),
            Err(_) => Err(GaveUp { why: Unplanned::Error, done: Some(node) }),
        }
    }
}

/// The answer to a mutation whose only field, which is never null, has failed.
fn failed(plan: &Plan, error: Error, requested: u64) -> Result<(Reply, u64), GaveUp> {
    let (key, at) = &plan.change().ok_or(Unplanned::Error)?.at;
    let path = vec![PathSegment::Field(key.to_string())];
    let error = ServerError { path, ..error.into_server_error(*at) };
    Ok((Response::from_errors(vec![error]).into(), requested))
}

/// What a plan has written and what it has cost. Its look-ups in a snapshot are counted.
pub(super) fn written(Outcome { data, cost, batches, was_kept }: Outcome, snapshot: Option<&Snapshot>) -> (Reply, u64) {
    if let Some(snapshot) = snapshot {
        batches.into_iter().for_each(|(of, keys)| snapshot.batch(of, keys));
    }
    (Reply::written(data, was_kept), cost)
}
