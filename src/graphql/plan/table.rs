//! Values of many rows, kept as the JSON that answers show.

use super::planned_read::DESTINATION_VALUES;
use crate::domain::{self, TenantId, json};
use crate::form::{Destination, DestinationTarget, FieldInfo};
use crate::graphql::layer::RowColumn;
use crate::store::{self, Columns, FIRST_ENTRY_COLUMN, StoreError};

/// Values of many rows as JSON, and the ids that they refer to. All rows have the same number of each.
#[derive(Default)]
pub(super) struct Table {
    json: Vec<u8>,
    ends: Vec<usize>,
    references: Vec<i64>,
}

/// The id that stands for no object.
const NOTHING: i64 = 0;

impl Table {
    /// A cell; `at` is an index over the cells of all rows.
    pub fn cell(&self, at: usize) -> &[u8] {
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(at).and_then(|end| self.json.get(begin..*end)).unwrap_or_default()
    }

    /// The id that a row refers to; `at` is an index over the references of all rows.
    pub fn reference(&self, at: usize) -> Option<i64> {
        self.references.get(at).copied().filter(|id| *id != NOTHING)
    }

    /// Adds the cells of a row of a section, a detail or a list.
    pub fn put(&mut self, columns: &dyn Columns, cells: &[(&FieldInfo, usize)], tenant: TenantId) -> store::Result<()> {
        for (described, column) in cells {
            (described.write)(columns.get(*column)?, tenant, &mut self.json)
                .map_err(|problem| StoreError::from(problem.under(described.name)))?;
            self.ends.push(self.json.len());
        }
        Ok(())
    }

    /// Adds the ids that a row refers to.
    pub fn put_references(&mut self, columns: &dyn Columns, references: &[usize]) -> store::Result<()> {
        for column in references {
            self.references.push(columns.get(*column)?.int().unwrap_or(NOTHING));
        }
        Ok(())
    }

    /// Adds the cells of an own row.
    pub fn put_own(&mut self, row: &dyn Columns, columns: &[RowColumn]) -> store::Result<()> {
        for (at, column) in columns.iter().enumerate() {
            column.write(row.get(at + 2)?, &mut self.json).map_err(|p| StoreError::from(p.under(column.name())))?;
            self.ends.push(self.json.len());
        }
        Ok(())
    }

    /// Adds a destination: its three values, of which two are null, and the object that it refers to.
    pub fn put_destination(&mut self, columns: &dyn Columns, tenant: TenantId) -> store::Result<()> {
        let values = (FIRST_ENTRY_COLUMN..FIRST_ENTRY_COLUMN + DESTINATION_VALUES)
            .map(|at| columns.get(at))
            .collect::<store::Result<Vec<_>>>()?;
        let row = values.iter().map(|value| domain::Value::from(*value)).collect();
        let target = Destination::load(row, tenant).map_err(StoreError::from)?;
        let [object, number, hangup] = match target.target() {
            DestinationTarget::Object(object) => [Some(json_of(|json| object.write(json))), None, None],
            DestinationTarget::Number(number) => [None, Some(json_of(|json| json::write(number.as_str(), json))), None],
            DestinationTarget::Hangup(cause) => [None, None, Some(json_of(|json| json::write(cause.word(), json)))],
        };
        for value in [object, number, hangup] {
            self.json.extend_from_slice(value.as_deref().unwrap_or(b"null"));
            self.ends.push(self.json.len());
        }
        self.references.push(target.object().map_or(NOTHING, |object| object.local));
        Ok(())
    }
}

fn json_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut json = Vec::new();
    write(&mut json);
    json
}
