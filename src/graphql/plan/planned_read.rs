//! What a plan reads from the sections or the detail of objects.

use crate::form::FieldInfo;
use crate::store::ChosenFields;

/// A read of the sections or the detail of several objects.
#[derive(Debug)]
pub struct PlannedRead {
    pub id: usize,
    pub chosen: ChosenFields,
    /// The values to keep as JSON, with the column of each.
    pub cells: Vec<(&'static FieldInfo, usize)>,
    /// The columns of the ids to follow.
    pub references: Vec<usize>,
    pub lists: Vec<List>,
}

/// A list of a section or a detail.
#[derive(Debug)]
pub struct List {
    /// The table that contains it.
    pub table: &'static str,
    /// Its name in the table.
    pub slot: &'static str,
    pub entries: ListEntries,
}

/// What is kept of the entries of a list.
#[derive(Debug)]
pub enum ListEntries {
    /// The ids, which are followed.
    Ids,
    /// Destinations: all three values as JSON, and the id, which is followed.
    Destinations,
    /// Objects of their own: some values as JSON, and some ids, which are followed, with the column of each.
    Objects { cells: Vec<(&'static FieldInfo, usize)>, references: Vec<usize> },
}

impl List {
    /// How many ids of an entry are followed.
    pub fn references(&self) -> usize {
        match &self.entries {
            ListEntries::Ids | ListEntries::Destinations => 1,
            ListEntries::Objects { references, .. } => references.len(),
        }
    }

    /// How many values of an entry are kept.
    pub fn cells(&self) -> usize {
        match &self.entries {
            ListEntries::Ids => 0,
            ListEntries::Destinations => DESTINATION_VALUES,
            ListEntries::Objects { cells, .. } => cells.len(),
        }
    }
}

/// The number of values of a destination: object, number and hangup cause.
pub(super) const DESTINATION_VALUES: usize = 3;
