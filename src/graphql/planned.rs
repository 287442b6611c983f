//! Requests that plans answer: in one trip to the database, or, where they change something, in one more.

use std::sync::Arc;

use async_graphql::{Error, Name, PathSegment, Response, ServerError, Variables};

use super::batch::Batches;
use super::errors::surprise;
use super::layer::{Answer as Answering, Args, Call, Given as _, Node, OfSave, Reading, Source as _, Thing};
use super::plan::{self, Answer, Answers, Change, Outcome, Plan, Question, Told, Unplanned};
use super::schema::{Vext, mutation};
use super::scope::{Asking, Scope};
use super::{Api, Estimate, Reply};
use crate::domain::TenantId;
use crate::service::{OpenSave, Saved, StoreError, Viewer, WorkedOut};
use crate::store::{self, Deadline, ReadAhead, Session, Snapshot};

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
    /// It is a mutation that goes on.
    Goes(Box<Mutation>),
}

/// A mutation on its way: one field after the other.
struct Mutation {
    planned: Planned,
    told: Vec<Told>,
    /// What the fields have answered that are told.
    done: Vec<(Name, Node)>,
    /// A save that is worked out: of the next field.
    open: Option<(Saving, OpenSave)>,
}

/// A save, for whoever tells what comes of it.
struct Saving {
    planned: Planned,
    /// The place of its field.
    at: usize,
    of: OfSave,
    args: Args,
    /// What it costs besides what it answers.
    price: u64,
    /// See [`Told::spent`].
    spent: u64,
}

/// Why a plan does not answer.
pub struct GaveUp {
    /// Why.
    pub why: Unplanned,
    /// What the fields of a mutation have answered that are carried out already.
    pub(super) done: Vec<(Name, Node)>,
}

impl From<Unplanned> for GaveUp {
    fn from(why: Unplanned) -> Self {
        Self { why, done: Vec::new() }
    }
}

impl Planned {
    /// What it takes, of a request that would take so much if the executor answered it.
    pub fn estimate(&self, executed: Estimate) -> Estimate {
        if self.plan.changes_something() {
            return executed;
        }
        let may_take_long = plan::walks(&self.plan, Vext::layer(), &self.variables);
        Estimate { cost: executed.cost / BY_PLAN, may_take_long }
    }

    /// Whether its answers may be kept.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.plan.changes_something()
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

    /// Answers it, in the transaction in which the viewer was looked up; of a mutation what is to be read before it changes
    /// something.
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
            return Ok(Begun(State::Goes(Box::new(mutation))));
        }
        if let Some(kept) = self.kept(viewer) {
            return Ok(Begun(State::Answered(kept)));
        }
        let kept = self.kept.take();
        let run =
            |session: &mut dyn Session| plan::run(&self.plan, Vext::layer(), &self.asks(viewer, deadline), session);
        let Some(((answers, question), tenant)) = kept.zip(self.plan.tenant(viewer)) else {
            return Ok(Begun(State::Answered(run(session)?)));
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
        Ok(Begun(State::Answered(outcome)))
    }

    fn asks<'a>(&'a self, viewer: &'a Viewer, deadline: Option<Deadline>) -> plan::Asks<'a> {
        let Self { variables, most, longest, now, .. } = self;
        plan::Asks { viewer, variables, most: *most, longest: *longest, now: *now, deadline }
    }

    fn args(&self, change: &Change) -> Result<Args, Unplanned> {
        plan::args(Vext::layer(), &self.variables, &change.worked.asked)
    }

    /// Tells what came of the field at a place.
    fn tell(
        &self,
        at: usize,
        (viewer, deadline): (&Viewer, Option<Deadline>),
        (changed, spent): (Option<(Node, u64)>, u64),
        session: &mut dyn Session,
    ) -> Result<Told, Unplanned> {
        plan::tell((&self.plan, at), Vext::layer(), (&self.asks(viewer, deadline), spent), changed, session)
    }
}

impl Mutation {
    fn spent(&self) -> u64 {
        self.told.last().map_or(0, |told| told.spent)
    }

    fn told(&mut self, change: &Change, told: Told, node: Node) {
        self.done.push((change.at.0.clone(), node));
        self.told.push(told);
    }

    /// Works out what comes next, until something is to be changed: what is settled changes nothing for what comes behind it.
    fn work_out(
        &mut self,
        viewer: &Viewer,
        deadline: Option<Deadline>,
        session: &mut dyn Session,
    ) -> Result<(), Unplanned> {
        let plan = Arc::clone(&self.planned.plan);
        while let Some(change) = plan.change(self.told.len()) {
            let (at, spent) = (self.told.len(), self.spent());
            let Some(change) = change else {
                let told = self.planned.tell(at, (viewer, deadline), (None, spent), session)?;
                self.told.push(told);
                continue;
            };
            let Some(of) = change.save else { return Ok(()) };
            let args = self.planned.args(change)?;
            let input = args.the_object("input")?;
            let price = mutation::price(of.kind, input)?;
            let times = (self.planned.now, deadline);
            let mut reading = Reading::new(session, viewer, times, &change.worked.selected);
            let tells_warnings = reading.selects("warnings");
            let worked_out = mutation::work_out(of, input, tells_warnings, &mut reading)?;
            let saving = Saving { planned: self.planned.clone(), at, of, args, price, spent };
            match worked_out {
                WorkedOut::Settled(saved) => {
                    let (told, node) = saving.tell(viewer, deadline, session, saved)?;
                    self.told(change, told, node);
                }
                WorkedOut::Open(open) => {
                    self.open = Some((saving, open));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn answer(self) -> Result<Outcome, GaveUp> {
        let Self { planned, told, done, .. } = self;
        let batches = told.iter().flat_map(|told| told.batches.iter().copied()).collect();
        let parts: Vec<_> = told.into_iter().map(|told| told.part).collect();
        let outcome = plan::join(&planned.plan, &parts, planned.longest);
        outcome.map(|outcome| Outcome { batches, ..outcome }).map_err(|why| GaveUp { why, done })
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
    ) -> Result<(Told, Node), Unplanned> {
        let node = mutation::told(self.of, self.args.the_object("input")?, saved)?;
        let changed = (Some((node.clone(), self.price)), self.spent);
        Ok((self.planned.tell(self.at, (viewer, deadline), changed, session)?, node))
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
            State::Answered(outcome) => return Ok(written(outcome, Some(&snapshot))),
            State::Goes(mutation) => mutation,
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
        (saving, open): (Saving, OpenSave),
    ) -> Result<(Told, Node), Ended> {
        let (deadline, own) = (snapshot.deadline(), Arc::clone(viewer));
        let app = self.app.tallied(snapshot.tally());
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
        change: &Change,
        asking: Asking,
        viewer: &Arc<Viewer>,
    ) -> Result<(), Ended> {
        let Answering::Later(get) = &change.worked.asked.field.answer else { return Err(Unplanned::Field.into()) };
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
pub(super) fn written(Outcome { data, cost, batches, was_kept }: Outcome, snapshot: Option<&Snapshot>) -> (Reply, u64) {
    if let Some(snapshot) = snapshot {
        batches.into_iter().for_each(|(of, keys)| snapshot.batch(of, keys));
    }
    (Reply::written(data, was_kept), cost)
}
