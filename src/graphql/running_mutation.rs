//! A mutation while its plan runs: its fields one after the other, and the rendered results.

use std::sync::Arc;

use async_graphql::Name;

use super::layer::{ArgValues as _, Args, FieldReader, Node, SaveMutation};
use super::plan::{MutationFieldOutcome, PlanOutcome, PlannedMutation, Unplanned, join};
use super::planned::{GaveUp, Planned};
use super::schema::mutation;
use crate::service::{PlannedSave, PreparedSave, Saved, Viewer};
use crate::store::{Deadline, Session};

/// A mutation while its plan runs, one field after the other.
pub(super) struct RunningMutation {
    pub(super) planned: Planned,
    pub(super) outcomes: Vec<MutationFieldOutcome>,
    /// The results of the fields that have run.
    pub(super) completed: Vec<(Name, Node)>,
    /// The save of the next field, worked out but not committed.
    pub(super) open_save: Option<(PendingSave, PlannedSave)>,
}

/// A worked-out save, with what is needed to render its result.
pub(super) struct PendingSave {
    planned: Planned,
    /// The index of its root field.
    at: usize,
    target: SaveMutation,
    args: Args,
    /// What it costs besides its answer.
    price: u64,
    /// See [`MutationFieldOutcome::spent`].
    spent: u64,
}

impl RunningMutation {
    pub(super) fn spent(&self) -> u64 {
        self.outcomes.last().map_or(0, |outcome| outcome.spent)
    }

    pub(super) fn record(&mut self, change: &PlannedMutation, outcome: MutationFieldOutcome, node: Node) {
        self.completed.push((change.at.0.clone(), node));
        self.outcomes.push(outcome);
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
        while let Some(change) = plan.change(self.outcomes.len()) {
            let (at, spent) = (self.outcomes.len(), self.spent());
            let Some(change) = change else {
                let outcome = self.planned.render_field(at, (viewer, deadline), (None, spent), session)?;
                self.outcomes.push(outcome);
                continue;
            };
            let Some(target) = change.save else { return Ok(()) };
            let args = self.planned.args(change)?;
            let input = args.required_object("input")?;
            let price = mutation::price(target.kind, input)?;
            let times = (self.planned.now, deadline);
            let mut reader = FieldReader::new(session, viewer, times, &change.computed.selected);
            let report_warnings = reader.selects("warnings");
            let worked_out = mutation::work_out(target, input, report_warnings, &mut reader)?;
            let save = PendingSave { planned: self.planned.clone(), at, target, args, price, spent };
            match worked_out {
                PreparedSave::Settled(saved) => {
                    let (outcome, node) = save.render(viewer, deadline, session, saved)?;
                    self.record(change, outcome, node);
                }
                PreparedSave::Planned(open) => {
                    self.open_save = Some((save, open));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) fn answer(self) -> Result<PlanOutcome, GaveUp> {
        let Self { planned, outcomes, completed, .. } = self;
        let batches = outcomes.iter().flat_map(|outcome| outcome.batches.iter().copied()).collect();
        let parts: Vec<_> = outcomes.into_iter().map(|outcome| outcome.part).collect();
        let outcome = join(&planned.plan, &parts, planned.max_bytes);
        outcome.map(|outcome| PlanOutcome { batches, ..outcome }).map_err(|why| GaveUp { why, completed })
    }
}

impl PendingSave {
    /// Renders the result of the save, in the same transaction.
    pub(super) fn render(
        &self,
        viewer: &Viewer,
        deadline: Option<Deadline>,
        session: &mut dyn Session,
        saved: Saved,
    ) -> Result<(MutationFieldOutcome, Node), Unplanned> {
        let node = mutation::payload_node(self.target, self.args.required_object("input")?, saved)?;
        let changed = (Some((node.clone(), self.price)), self.spent);
        Ok((self.planned.render_field(self.at, (viewer, deadline), changed, session)?, node))
    }
}
