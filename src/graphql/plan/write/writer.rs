//! Writing JSON and summing its cost.

use crate::domain::json;
use crate::graphql::layer::RowColumn;
use crate::graphql::plan::found::FoundData;
use crate::graphql::plan::shape::{Entry, QueryPlan, SelectedFields};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::graphql::prices::LEAVES;

/// The cost of a part of an answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Spent {
    pub(super) cost: u64,
    /// The number of plain fields.
    pub(super) leaves: u64,
}

impl Spent {
    pub(super) const LEAF: Self = Self { cost: 0, leaves: 1 };

    pub(super) fn of(cost: u64) -> Self {
        Self { cost, leaves: 0 }
    }
}

/// An answer while it is written.
pub(super) struct AnswerWriter<'f> {
    pub(super) found: &'f FoundData,
    pub(super) columns: &'f [RowColumn],
    pub(super) json: Vec<u8>,
    max_bytes: usize,
}

impl<'f> AnswerWriter<'f> {
    pub(super) fn new(plan: &'f QueryPlan, found: &'f FoundData, max_bytes: usize) -> Self {
        Self { found, columns: &plan.columns, json: Vec::with_capacity(4096), max_bytes }
    }

    /// Writes an object, and returns the cost of everything in it, without the object itself.
    pub(super) fn fields<W>(
        &mut self,
        fields: &SelectedFields<W>,
        mut write: impl FnMut(&mut Self, &W) -> PlanResult<Spent>,
    ) -> PlanResult<u64> {
        let mut sum = Spent::default();
        self.json.push(b'{');
        for (at, Entry { key, price, content: field }) in fields.0.iter().enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            self.json.extend_from_slice(key);
            let Spent { cost, leaves } = write(self, field)?;
            sum.cost += cost + price;
            sum.leaves += leaves;
        }
        self.json.push(b'}');
        if self.json.len() > self.max_bytes {
            return Err(Unplanned::Error);
        }
        Ok(sum.cost + sum.leaves / LEAVES)
    }

    /// Writes a list of objects. Each costs 1 besides its content.
    pub(super) fn list<T>(
        &mut self,
        entries: impl Iterator<Item = T>,
        mut each: impl FnMut(&mut Self, T) -> PlanResult<u64>,
    ) -> PlanResult<Spent> {
        let mut cost = 0;
        self.json.push(b'[');
        for (at, entry) in entries.enumerate() {
            if at > 0 {
                self.json.push(b',');
            }
            cost += 1 + each(self, entry)?;
        }
        self.json.push(b']');
        Ok(Spent::of(cost))
    }

    pub(super) fn leaf(&mut self, value: &(impl serde::Serialize + ?Sized)) -> Spent {
        json::write(value, &mut self.json);
        Spent::LEAF
    }

    pub(super) fn null(&mut self) -> Spent {
        self.json.extend_from_slice(b"null");
        Spent::default()
    }
}
