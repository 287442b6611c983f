//! What is read of sections, of a detail or of entries, while it is found out.

use crate::form::{FieldInfo, Place};
use crate::graphql::plan::reading::{List, ListEntries, PlannedRead};
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};
use crate::store::{Chosen, ChosenField, ENTRY};

/// What is read of sections, of a detail or of entries, while it is found out.
#[derive(Default)]
pub(super) struct Draft {
    cells: Vec<ChosenField>,
    leads: Vec<ChosenField>,
    lists: Vec<(ChosenField, ListEntries)>,
}

/// What a form says of a field.
pub(super) fn described(field: &ChosenField) -> PlanResult<&'static FieldInfo> {
    field.described().ok_or(Unplanned::Field)
}

impl Draft {
    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty() && self.leads.is_empty() && self.lists.is_empty()
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

    pub(super) fn lead(&mut self, field: ChosenField) -> usize {
        Self::place(&mut self.leads, field)
    }

    /// Lists of ids and of destinations are kept alike wherever they are shown; those of objects are kept for each.
    pub(super) fn list(&mut self, field: ChosenField, entries: ListEntries) -> usize {
        let is_shared = !matches!(entries, ListEntries::Objects { .. });
        let known = self.lists.iter().position(|(own, _)| *own == field && is_shared);
        known.unwrap_or_else(|| {
            self.lists.push((field, entries));
            self.lists.len() - 1
        })
    }

    pub(super) fn reading(self, id: usize) -> PlanResult<PlannedRead> {
        let Self { cells, leads, lists } = self;
        let fields = cells.iter().chain(&leads).chain(lists.iter().map(|(field, _)| field));
        let chosen = Chosen::of(fields.copied().collect());
        let column = |field: &ChosenField| chosen.column(field).ok_or(Unplanned::Field);
        let cells = cells.iter().map(|field| Ok((described(field)?, column(field)?))).collect::<PlanResult<_>>()?;
        let leads = leads.iter().map(column).collect::<PlanResult<_>>()?;
        let list = |(field, entries): (ChosenField, ListEntries)| match described(&field)? {
            FieldInfo { name: slot, place: Place::Rows(rows), .. } => Ok(List { table: rows.table, slot, entries }),
            _ => Err(Unplanned::Field),
        };
        let lists = lists.into_iter().map(list).collect::<PlanResult<_>>()?;
        Ok(PlannedRead { id, chosen, cells, leads, lists })
    }

    /// As what is kept of the entries of a list. An entry's columns stand in the order of its fields.
    pub(super) fn entries(self) -> PlanResult<ListEntries> {
        let Self { cells, leads, lists } = self;
        if !lists.is_empty() {
            return Err(Unplanned::Field);
        }
        let cell = |field: ChosenField| Ok((described(&field)?, field.at + ENTRY));
        let cells = cells.into_iter().map(cell).collect::<PlanResult<_>>()?;
        Ok(ListEntries::Objects { cells, leads: leads.into_iter().map(|field| field.at + ENTRY).collect() })
    }
}
