//! Mutations on their way: a plan's fields one after the other, and what is told of them.

use std::sync::Arc;

use async_graphql::Name;

use super::layer::{Args, FieldReader, Given as _, Node, OfSave};
use super::plan::{MutationFieldOutcome, PlanOutcome, PlannedMutation, Unplanned, join};
use super::planned::{GaveUp, Planned};
use super::schema::mutation;
use crate::service::{PlannedSave, PreparedSave, Saved, Viewer};
use crate::store::{Deadline, Session};

/// A mutation on its way: one field after the other.
pub(super) struct Mutation {
    pub(super) planned: Planned,
    pub(super) told: Vec<MutationFieldOutcome>,
    /// What the fields have answered that are told.
    pub(super) done: Vec<(Name, Node)>,
    /// A save that is worked out: of the next field.
    pub(super) open: Option<(Saving, PlannedSave)>,
}

/// A save, for whoever tells what comes of it.
pub(super) struct Saving {
    planned: Planned,
    /// The place of its field.
    at: usize,
    of: OfSave,
    args: Args,
    /// What it costs besides what it answers.
    price: u64,
    /// See [`MutationFieldOutcome::spent`].
    spent: u64,
}

impl Mutation {
    pub(super) fn spent(&self) -> u64 {
        self.told.last().map_or(0, |told| told.spent)
    }

    pub(super) fn told(&mut self, change: &PlannedMutation, told: MutationFieldOutcome, node: Node) {
        self.done.push((change.at.0.clone(), node));
        self.told.push(told);
    }

    /// Works out what comes next, until something is to be changed: what is settled changes nothing for what comes
    /// behind it.
    pub(super) fn work_out(
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
            let mut reading = FieldReader::new(session, viewer, times, &change.worked.selected);
            let report_warnings = reading.selects("warnings");
            let worked_out = mutation::work_out(of, input, report_warnings, &mut reading)?;
            let saving = Saving { planned: self.planned.clone(), at, of, args, price, spent };
            match worked_out {
                PreparedSave::Settled(saved) => {
                    let (told, node) = saving.tell(viewer, deadline, session, saved)?;
                    self.told(change, told, node);
                }
                PreparedSave::Planned(open) => {
                    self.open = Some((saving, open));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) fn answer(self) -> Result<PlanOutcome, GaveUp> {
        let Self { planned, told, done, .. } = self;
        let batches = told.iter().flat_map(|told| told.batches.iter().copied()).collect();
        let parts: Vec<_> = told.into_iter().map(|told| told.part).collect();
        let outcome = join(&planned.plan, &parts, planned.longest);
        outcome.map(|outcome| PlanOutcome { batches, ..outcome }).map_err(|why| GaveUp { why, done })
    }
}

impl Saving {
    /// Tells what came of it, in the same transaction.
    pub(super) fn tell(
        &self,
        viewer: &Viewer,
        deadline: Option<Deadline>,
        session: &mut dyn Session,
        saved: Saved,
    ) -> Result<(MutationFieldOutcome, Node), Unplanned> {
        let node = mutation::told(self.of, self.args.the_object("input")?, saved)?;
        let changed = (Some((node.clone(), self.price)), self.spent);
        Ok((self.planned.tell(self.at, (viewer, deadline), changed, session)?, node))
    }
}
