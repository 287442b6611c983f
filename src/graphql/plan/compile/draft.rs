//! A draft of what is read from sections, a detail or entries.

use crate::form::{FieldInfo, Place};
use crate::graphql::plan::planned_read::{List, ListEntries, PlannedRead};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::store::{ChosenField, ChosenFields, FIRST_ENTRY_COLUMN};

/// Collects what is read from sections, a detail or entries.
#[derive(Default)]
pub(super) struct Draft {
    cells: Vec<ChosenField>,
    references: Vec<ChosenField>,
    lists: Vec<(ChosenField, ListEntries)>,
}

/// The description of a form's field.
pub(super) fn described(field: &ChosenField) -> PlanResult<&'static FieldInfo> {
    field.described().ok_or(Unplanned::Field)
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.references.is_empty() && self.lists.is_empty()
    }

    fn place(list: &mut Vec<ChosenField>, field: ChosenField) -> usize {
        list.iter().position(|own| *own == field).unwrap_or_else(|| {
            list.push(field);
            list.len() - 1
        })
    }

    pub(super) fn cell(&mut self, field: ChosenField) -> usize {
        Self::place(&mut self.cells, field)
    }

    pub(super) fn reference(&mut self, field: ChosenField) -> usize {
        Self::place(&mut self.references, field)
    }

    /// Lists of ids and of destinations are read once, however often they are selected. Lists of objects are read for
    /// each selection.
    pub(super) fn list(&mut self, field: ChosenField, entries: ListEntries) -> usize {
        let is_shared = !matches!(entries, ListEntries::Objects { .. });
        let known = self.lists.iter().position(|(own, _)| *own == field && is_shared);
        known.unwrap_or_else(|| {
            self.lists.push((field, entries));
            self.lists.len() - 1
        })
    }

    pub(super) fn into_read(self, id: usize) -> PlanResult<PlannedRead> {
        let Self { cells, references, lists } = self;
        let fields = cells.iter().chain(&references).chain(lists.iter().map(|(field, _)| field));
        let chosen = ChosenFields::new(fields.copied().collect());
        let column = |field: &ChosenField| chosen.column(field).ok_or(Unplanned::Field);
        let cells = cells.iter().map(|field| Ok((described(field)?, column(field)?))).collect::<PlanResult<_>>()?;
        let references = references.iter().map(column).collect::<PlanResult<_>>()?;
        let list = |(field, entries): (ChosenField, ListEntries)| match described(&field)? {
            FieldInfo { name: slot, place: Place::Rows(rows), .. } => Ok(List { table: rows.table, slot, entries }),
            _ => Err(Unplanned::Field),
        };
        let lists = lists.into_iter().map(list).collect::<PlanResult<_>>()?;
        Ok(PlannedRead { id, chosen, cells, references, lists })
    }

    /// Converts the draft to the read of a list's entries. The columns of an entry are in the order of its fields.
    pub(super) fn entries(self) -> PlanResult<ListEntries> {
        let Self { cells, references, lists } = self;
        if !lists.is_empty() {
            return Err(Unplanned::Field);
        }
        let cell = |field: ChosenField| Ok((described(&field)?, field.at + FIRST_ENTRY_COLUMN));
        let cells = cells.into_iter().map(cell).collect::<PlanResult<_>>()?;
        Ok(ListEntries::Objects {
            cells,
            references: references.into_iter().map(|field| field.at + FIRST_ENTRY_COLUMN).collect(),
        })
    }
}
