//! Writing objects: their own rows, their sections and details, and the objects that they refer to.

use super::writer::{AnswerWriter, Spent};
use crate::domain::{ObjectId, Scalar as _};
use crate::graphql::layer::{OfRow, OfStep};
use crate::graphql::plan::found::{FoundRow, Loaded, LoadedList};
use crate::graphql::plan::reading::{List, PlannedRead};
use crate::graphql::plan::shape::{DestinationField, ObjectShape, Objects, OfObject, PlannedValue};
use crate::graphql::plan::table::Table;
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};

impl AnswerWriter<'_> {
    /// Writes an object that exists. Objects that are referred to exist, by a foreign key.
    pub(super) fn object(&mut self, objects: &Objects, id: ObjectId) -> PlanResult<u64> {
        let found = self.found;
        let row = found.rows.get(&id);
        let kind = if objects.needs_rows { Some(row.ok_or(Unplanned::Error)?.kind()) } else { None };
        let shape = objects.shape(kind).ok_or(Unplanned::Error)?;
        let standing = match &shape.reading {
            Some(reading) => {
                let loaded = found.loaded.get(reading.id).ok_or(Unplanned::Error)?;
                let row = loaded.index.get(&id).copied();
                // If only its lists are read, it may have no row of its own here.
                let row = if reading.cells.is_empty() && reading.leads.is_empty() { row.or(Some(0)) } else { row };
                Some(LoadedObject { reading, loaded, row: row.ok_or(Unplanned::Error)?, id })
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

    fn row(&mut self, of: OfRow, shape: &ObjectShape, row: Option<&FoundRow>) -> PlanResult<Spent> {
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

    fn cell(&mut self, table: &Table, at: usize, is_list: bool) -> PlanResult<Spent> {
        let cell = table.cell(at);
        self.json.extend_from_slice(cell);
        if is_list && cell != b"null" {
            let entries: Vec<serde::de::IgnoredAny> = serde_json::from_slice(cell).map_err(|_| Unplanned::Error)?;
            return Ok(Spent::of(entries.len() as u64));
        }
        Ok(Spent::LEAF)
    }

    fn value(&mut self, standing: Option<&LoadedObject<'_>>, value: &PlannedValue) -> PlanResult<Spent> {
        let standing = match (value, standing) {
            (PlannedValue::Typename(name), _) => return Ok(self.leaf(name)),
            (_, standing) => standing.ok_or(Unplanned::Error)?,
        };
        let LoadedObject { reading, loaded, row, id } = *standing;
        let list = |at: usize| {
            let list = reading.lists.get(at).zip(loaded.lists.get(at));
            list.ok_or(Unplanned::Error)
        };
        Ok(match value {
            PlannedValue::Typename(name) => self.leaf(name),
            PlannedValue::Cell(at) => self.cell(&loaded.table, row * reading.cells.len() + at, false)?,
            PlannedValue::Many(at) => self.cell(&loaded.table, row * reading.cells.len() + at, true)?,
            PlannedValue::One(at, objects) => self.one(objects, &loaded.table, row * reading.leads.len() + at, id)?,
            PlannedValue::Ids(at) => self.list(list(*at)?.1.ids(id), |writer, id| {
                id.write(&mut writer.json);
                Ok(0)
            })?,
            PlannedValue::All(at, objects) => {
                self.list(list(*at)?.1.ids(id), |writer, id| writer.object(objects, id))?
            }
            PlannedValue::Entries(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let (cells, leads) = (list.cells(), list.leads());
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        PlannedValue::Typename(name) => Ok(writer.leaf(name)),
                        PlannedValue::Cell(at) => writer.cell(&loaded.table, row * cells + at, false),
                        PlannedValue::Many(at) => writer.cell(&loaded.table, row * cells + at, true),
                        PlannedValue::One(at, objects) => writer.one(objects, &loaded.table, row * leads + at, id),
                        PlannedValue::Ids(_)
                        | PlannedValue::All(..)
                        | PlannedValue::Entries(..)
                        | PlannedValue::Steps(..) => Err(Unplanned::Error),
                    })
                })?
            }
            PlannedValue::Steps(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let cells = list.cells();
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, what| match what {
                        DestinationField::Typename(name) => Ok(writer.leaf(name)),
                        DestinationField::Is(OfStep::ObjectId) => writer.cell(&loaded.table, row * cells, false),
                        DestinationField::Is(OfStep::Number) => writer.cell(&loaded.table, row * cells + 1, false),
                        DestinationField::Is(OfStep::Hangup) => writer.cell(&loaded.table, row * cells + 2, false),
                        DestinationField::Is(OfStep::Object) => Err(Unplanned::Error),
                        DestinationField::Object(objects) => writer.one(objects, &loaded.table, row, id),
                    })
                })?
            }
        })
    }

    /// Writes the object that a row of a table refers to, in the tenant of `id`.
    fn one(&mut self, objects: &Objects, table: &Table, at: usize, id: ObjectId) -> PlanResult<Spent> {
        Ok(match table.lead(at) {
            Some(local) => Spent::of(1 + self.object(objects, ObjectId { tenant: id.tenant, local })?),
            None => self.null(),
        })
    }
}

/// What has been read of an object's sections or detail.
#[derive(Clone, Copy)]
struct LoadedObject<'f> {
    reading: &'f PlannedRead,
    loaded: &'f Loaded,
    row: usize,
    id: ObjectId,
}
