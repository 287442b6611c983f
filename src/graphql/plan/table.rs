//! Values of many rows, kept as the JSON that answers show.

use super::reading::STEP;
use crate::domain::{self, TenantId, json};
use crate::form::{Destination, DestinationTarget, FieldInfo};
use crate::graphql::layer::OfRow;
use crate::store::{self, Columns, ENTRY, StoreError};

/// Values of many rows as JSON, and ids that they lead to. Each row has as many as the next.
#[derive(Default)]
pub(super) struct Table {
    json: Vec<u8>,
    ends: Vec<usize>,
    leads: Vec<i64>,
}

/// No object.
const NOTHING: i64 = 0;

impl Table {
    /// A cell: `at` counts through all rows.
    pub fn cell(&self, at: usize) -> &[u8] {
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.ends.get(at).and_then(|end| self.json.get(begin..*end)).unwrap_or_default()
    }

    /// The id that a row leads to by one of its columns: `at` counts through all rows.
    pub fn lead(&self, at: usize) -> Option<i64> {
        self.leads.get(at).copied().filter(|id| *id != NOTHING)
    }

    /// Adds some columns of a row of a section, a detail or a list.
    pub fn put(&mut self, columns: &dyn Columns, cells: &[(&FieldInfo, usize)], tenant: TenantId) -> store::Result<()> {
        for (described, column) in cells {
            (described.write)(columns.get(*column)?, tenant, &mut self.json)
                .map_err(|problem| StoreError::from(problem.under(described.name)))?;
            self.ends.push(self.json.len());
        }
        Ok(())
    }

    /// Adds the ids that a row leads to by some of its columns.
    pub fn lead_to(&mut self, columns: &dyn Columns, leads: &[usize]) -> store::Result<()> {
        for column in leads {
            self.leads.push(columns.get(*column)?.int().unwrap_or(NOTHING));
        }
        Ok(())
    }

    /// Adds what a plan asks for of an own row.
    pub fn put_own(&mut self, row: &dyn Columns, columns: &[OfRow]) -> store::Result<()> {
        for (at, column) in columns.iter().enumerate() {
            column.write(row.get(at + 2)?, &mut self.json).map_err(|p| StoreError::from(p.under(column.name())))?;
            self.ends.push(self.json.len());
        }
        Ok(())
    }

    /// Adds a destination: its three values, of which two are null, and the object that it leads to.
    pub fn put_step(&mut self, columns: &dyn Columns, tenant: TenantId) -> store::Result<()> {
        let values = (ENTRY..ENTRY + STEP).map(|at| columns.get(at)).collect::<store::Result<Vec<_>>>()?;
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
        self.leads.push(target.object().map_or(NOTHING, |object| object.local));
        Ok(())
    }
}

fn json_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut json = Vec::new();
    write(&mut json);
    json
}
