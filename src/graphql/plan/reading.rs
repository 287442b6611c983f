//! What a plan reads of the sections or the detail of objects.

use crate::form::FieldInfo;
use crate::store::Chosen;

/// What is read of the sections or the detail of many objects.
#[derive(Debug)]
pub struct PlannedRead {
    pub id: usize,
    pub chosen: Chosen,
    /// What is kept as JSON, with the column of each.
    pub cells: Vec<(&'static FieldInfo, usize)>,
    /// The columns of the ids that are followed.
    pub leads: Vec<usize>,
    /// The lists.
    pub lists: Vec<List>,
}

/// A list of a section or a detail.
#[derive(Debug)]
pub struct List {
    /// The table that it stands in.
    pub table: &'static str,
    /// Its name there.
    pub slot: &'static str,
    pub entries: ListEntries,
}

/// What is kept of the entries of a list.
#[derive(Debug)]
pub enum ListEntries {
    /// The ids, which are followed.
    Ids,
    /// Destinations: all three values as JSON, and the id, which is followed.
    Steps,
    /// Objects of their own: some values as JSON and some ids, which are followed, with the column of each.
    Objects { cells: Vec<(&'static FieldInfo, usize)>, leads: Vec<usize> },
}

impl List {
    /// How many ids of an entry are followed.
    pub fn leads(&self) -> usize {
        match &self.entries {
            ListEntries::Ids | ListEntries::Steps => 1,
            ListEntries::Objects { leads, .. } => leads.len(),
        }
    }

    /// How many values of an entry are kept.
    pub fn cells(&self) -> usize {
        match &self.entries {
            ListEntries::Ids => 0,
            ListEntries::Steps => STEP,
            ListEntries::Objects { cells, .. } => cells.len(),
        }
    }
}

/// How many values a destination has: object, number and cause.
pub(super) const STEP: usize = 3;
