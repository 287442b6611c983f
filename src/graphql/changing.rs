//! A mutation while its plan runs: its fields one after the other, and the rendered results.

use std::sync::Arc;

use async_graphql::Name;

use super::layer::{Args, FieldReader, Given as _, Node, OfSave};
use super::plan::{MutationFieldOutcome, PlanOutcome, PlannedMutation, Unplanned, join};
use super::planned::{GaveUp, Planned};
use super::schema::mutation;
use crate::service::{OpenSave, Saved, Viewer, WorkedOut};
use crate::store::{Deadline, Session};

/// A mutation while its plan runs, one field after the other.
pub(super) struct Mutation {
    pub(super) planned: Planned,
    pub(super) told: Vec<MutationFieldOutcome>,
    /// The results of the fields that have run.
    pub(super) done: Vec<(Name, Node)>,
    /// The save of the next field, worked out but not committed.
    pub(super) open: Option<(Saving, OpenSave)>,
}

/// A worked-out save, with what is needed to render its result.
pub(super) struct Saving {
    planned: Planned,
    /// The index of its root field.
    at: usize,
    of: OfSave,
    args: Args,
    /// What it costs besides its answer.
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

    /// Works out the fields in order, up to the first that has to write. A save that is settled without a write changes
    /// nothing for the fields after it.
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

    pub(super) fn answer(self) -> Result<PlanOutcome, GaveUp> {
        let Self { planned, told, done, .. } = self;
        let batches = told.iter().flat_map(|told| told.batches.iter().copied()).collect();
        let parts: Vec<_> = told.into_iter().map(|told| told.part).collect();
        let outcome = join(&planned.plan, &parts, planned.longest);
        outcome.map(|outcome| PlanOutcome { batches, ..outcome }).map_err(|why| GaveUp { why, done })
    }
}

impl Saving {
    /// Renders the result of the save, in the same transaction.
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
