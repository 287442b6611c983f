//! Writing objects: their own rows, their sections and details, and what these lead to.

use super::writer::{Spent, Writer};
use crate::domain::{ObjectId, Scalar as _};
use crate::graphql::layer::{OfRow, OfStep};
use crate::graphql::plan::found::{FoundRow, Loaded, LoadedList};
use crate::graphql::plan::reading::{List, Reading};
use crate::graphql::plan::shape::{Objects, OfObject, Shape, Step, Value};
use crate::graphql::plan::table::Table;
use crate::graphql::plan::unplanned::{Result, Unplanned};

impl Writer<'_> {
    /// An object that is there. What stands in a reference is: a foreign key says so.
    pub(super) fn object(&mut self, objects: &Objects, id: ObjectId) -> Result<u64> {
        let found = self.found;
        let row = found.rows.get(&id);
        let kind = if objects.needs_rows { Some(row.ok_or(Unplanned::Error)?.kind()) } else { None };
        let shape = objects.shape(kind).ok_or(Unplanned::Error)?;
        let standing = match &shape.reading {
            Some(reading) => {
                let loaded = found.loaded.get(reading.id).ok_or(Unplanned::Error)?;
                let row = loaded.index.get(&id).copied();
                // Only lists are read of it, or else it is there.
                let row = if reading.cells.is_empty() && reading.leads.is_empty() { row.or(Some(0)) } else { row };
                Some(Standing { reading, loaded, row: row.ok_or(Unplanned::Error)?, id })
            }
            None => None,
        };
        self.fields(&shape.fields, |writer, what| {
            Ok(match what {
                OfObject::Typename(name) => match (shape.kind, kind) {
                    (None, Some(kind)) => writer.leaf(kind.name()),
                    _ => writer.leaf(name),
                },
                OfObject::Row(OfRow::Id) => {
                    id.write(&mut writer.json);
                    Spent::LEAF
                }
                OfObject::Row(of) => writer.row(*of, shape, row)?,
                OfObject::Section(values) => {
                    Spent::of(1 + writer.fields(values, |writer, what| writer.value(standing.as_ref(), what))?)
                }
                OfObject::Detail(value) => writer.value(standing.as_ref(), value)?,
                OfObject::Worked(at, worked) => {
                    let found = writer.found.worked.get(&(*at, id)).ok_or(Unplanned::Error)?;
                    writer.worked(worked, found)?
                }
            })
        })
    }

    fn row(&mut self, of: OfRow, shape: &Shape, row: Option<&FoundRow>) -> Result<Spent> {
        let kind = shape.kind.or_else(|| row.map(FoundRow::kind));
        if let (OfRow::Kind, Some(kind)) = (of, kind) {
            return Ok(self.leaf(kind.word()));
        }
        let row = match row.ok_or(Unplanned::Error)? {
            FoundRow::Whole(row) => row,
            FoundRow::Part(_, row) => {
                let at = self.columns.iter().position(|own| *own == of).ok_or(Unplanned::Error)?;
                let found = self.found;
                return self.cell(&found.own, row * self.columns.len() + at, false);
            }
        };
        Ok(match of {
            OfRow::Id => self.leaf(&row.id.opaque()),
            OfRow::Kind => self.leaf(row.kind.word()),
            OfRow::Number => self.leaf(&row.number),
            OfRow::Name => self.leaf(&row.name),
            OfRow::Description => self.leaf(&row.description),
            OfRow::Enabled => self.leaf(&row.enabled),
            OfRow::Version => self.leaf(&row.version),
            OfRow::CreatedAt => self.leaf(&row.created_at.answer()),
            OfRow::ChangedAt => self.leaf(&row.changed_at.answer()),
        })
    }

    fn cell(&mut self, table: &Table, at: usize, is_list: bool) -> Result<Spent> {
        let cell = table.cell(at);
        self.json.extend_from_slice(cell);
        if is_list && cell != b"null" {
            let entries: Vec<serde::de::IgnoredAny> = serde_json::from_slice(cell).map_err(|_| Unplanned::Error)?;
            return Ok(Spent::of(entries.len() as u64));
        }
        Ok(Spent::LEAF)
    }

    fn value(&mut self, standing: Option<&Standing<'_>>, value: &Value) -> Result<Spent> {
        let standing = match (value, standing) {
            (Value::Typename(name), _) => return Ok(self.leaf(name)),
            (_, standing) => standing.ok_or(Unplanned::Error)?,
        };
        let Standing { reading, loaded, row, id } = *standing;
        let list = |at: usize| {
            let list = reading.lists.get(at).zip(loaded.lists.get(at));
            list.ok_or(Unplanned::Error)
        };
        Ok(match value {
            Value::Typename(name) => self.leaf(name),
            Value::Cell(at) => self.cell(&loaded.table, row * reading.cells.len() + at, false)?,
            Value::Many(at) => self.cell(&loaded.table, row * reading.cells.len() + at, true)?,
            Value::One(at, objects) => self.one(objects, &loaded.table, row * reading.leads.len() + at, id)?,
            Value::Ids(at) => self.list(list(*at)?.1.ids(id), |writer, id| {
                id.write(&mut writer.json);
                Ok(0)
            })?,
            Value::All(at, objects) => self.list(list(*at)?.1.ids(id), |writer, id| writer.object(objects, id))?,
            Value::Entries(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let (cells, leads) = (list.cells(), list.leads());
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        Value::Typename(name) => Ok(writer.leaf(name)),
                        Value::Cell(at) => writer.cell(&loaded.table, row * cells + at, false),
                        Value::Many(at) => writer.cell(&loaded.table, row * cells + at, true),
                        Value::One(at, objects) => writer.one(objects, &loaded.table, row * leads + at, id),
                        Value::Ids(_) | Value::All(..) | Value::Entries(..) | Value::Steps(..) => Err(Unplanned::Error),
                    })
                })?
            }
            Value::Steps(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let cells = list.cells();
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        Step::Typename(name) => Ok(writer.leaf(name)),
                        Step::Is(OfStep::ObjectId) => writer.cell(&loaded.table, row * cells, false),
                        Step::Is(OfStep::Number) => writer.cell(&loaded.table, row * cells + 1, false),
                        Step::Is(OfStep::Hangup) => writer.cell(&loaded.table, row * cells + 2, false),
                        Step::Is(OfStep::Object) => Err(Unplanned::Error),
                        Step::Object(objects) => writer.one(objects, &loaded.table, row, id),
                    })
                })?
            }
        })
    }

    /// The object that a row of a table leads to, of the tenant of `id`.
    fn one(&mut self, objects: &Objects, table: &Table, at: usize, id: ObjectId) -> Result<Spent> {
        Ok(match table.lead(at) {
            Some(local) => Spent::of(1 + self.object(objects, ObjectId { tenant: id.tenant, local })?),
            None => self.null(),
        })
    }
}

/// What has been read of an object's sections or detail.
#[derive(Clone, Copy)]
struct Standing<'f> {
    reading: &'f Reading,
    loaded: &'f Loaded,
    row: usize,
    id: ObjectId,
}
