//! Writing objects: their own rows, their sections and details, and the objects that they refer to.

use super::writer::{AnswerWriter, Spent};
use crate::domain::{ObjectId, Scalar as _};
use crate::graphql::layer::{DestinationSource, RowColumn};
use crate::graphql::plan::found::{FoundRow, Loaded, LoadedList};
use crate::graphql::plan::planned_read::{List, PlannedRead};
use crate::graphql::plan::shape::{DestinationField, ObjectField, ObjectSelection, ObjectShape, PlannedValue};
use crate::graphql::plan::table::Table;
use crate::graphql::plan::unplanned::{PlanResult, Unplanned};

impl AnswerWriter<'_> {
    /// Writes an object that exists. Objects that are referred to exist, by a foreign key.
    pub(super) fn object(&mut self, objects: &ObjectSelection, id: ObjectId) -> PlanResult<u64> {
        let found = self.found;
        let row = found.rows.get(&id);
        let kind = if objects.needs_rows { Some(row.ok_or(Unplanned::Error)?.kind()) } else { None };
        let shape = objects.shape(kind).ok_or(Unplanned::Error)?;
        let loaded_object = match &shape.read {
            Some(read) => {
                let loaded = found.loaded.get(read.id).ok_or(Unplanned::Error)?;
                let row = loaded.index.get(&id).copied();
                // If only its lists are read, it may have no row of its own here.
                let row = if read.cells.is_empty() && read.references.is_empty() { row.or(Some(0)) } else { row };
                Some(LoadedObject { read, loaded, row: row.ok_or(Unplanned::Error)?, id })
            }
            None => None,
        };
        self.fields(&shape.fields, |writer, content| {
            Ok(match content {
                ObjectField::Typename(name) => match (shape.kind, kind) {
                    (None, Some(kind)) => writer.leaf(kind.name()),
                    _ => writer.leaf(name),
                },
                ObjectField::Row(RowColumn::Id) => {
                    id.write(&mut writer.json);
                    Spent::LEAF
                }
                ObjectField::Row(of) => writer.row(*of, shape, row)?,
                ObjectField::Section(values) => Spent::of(
                    1 + writer.fields(values, |writer, content| writer.value(loaded_object.as_ref(), content))?,
                ),
                ObjectField::Detail(value) => writer.value(loaded_object.as_ref(), value)?,
                ObjectField::Computed(at, computed) => {
                    let found = writer.found.computed.get(&(*at, id)).ok_or(Unplanned::Error)?;
                    writer.computed(computed, found)?
                }
            })
        })
    }

    fn row(&mut self, of: RowColumn, shape: &ObjectShape, row: Option<&FoundRow>) -> PlanResult<Spent> {
        let kind = shape.kind.or_else(|| row.map(FoundRow::kind));
        if let (RowColumn::Kind, Some(kind)) = (of, kind) {
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
            RowColumn::Id => self.leaf(&row.id.opaque()),
            RowColumn::Kind => self.leaf(row.kind.word()),
            RowColumn::Number => self.leaf(&row.number),
            RowColumn::Name => self.leaf(&row.name),
            RowColumn::Description => self.leaf(&row.description),
            RowColumn::Enabled => self.leaf(&row.enabled),
            RowColumn::Version => self.leaf(&row.version),
            RowColumn::CreatedAt => self.leaf(&row.created_at.answer()),
            RowColumn::ChangedAt => self.leaf(&row.changed_at.answer()),
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

    fn value(&mut self, loaded_object: Option<&LoadedObject<'_>>, value: &PlannedValue) -> PlanResult<Spent> {
        let loaded_object = match (value, loaded_object) {
            (PlannedValue::Typename(name), _) => return Ok(self.leaf(name)),
            (_, loaded_object) => loaded_object.ok_or(Unplanned::Error)?,
        };
        let LoadedObject { read, loaded, row, id } = *loaded_object;
        let list = |at: usize| {
            let list = read.lists.get(at).zip(loaded.lists.get(at));
            list.ok_or(Unplanned::Error)
        };
        Ok(match value {
            PlannedValue::Typename(name) => self.leaf(name),
            PlannedValue::Cell(at) => self.cell(&loaded.table, row * read.cells.len() + at, false)?,
            PlannedValue::ListCell(at) => self.cell(&loaded.table, row * read.cells.len() + at, true)?,
            PlannedValue::Reference(at, objects) => {
                self.one(objects, &loaded.table, row * read.references.len() + at, id)?
            }
            PlannedValue::Ids(at) => self.list(list(*at)?.1.ids(id), |writer, id| {
                id.write(&mut writer.json);
                Ok(0)
            })?,
            PlannedValue::References(at, objects) => {
                self.list(list(*at)?.1.ids(id), |writer, id| writer.object(objects, id))?
            }
            PlannedValue::Entries(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let (cells, references) = (list.cells(), list.references());
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, content| match content {
                        PlannedValue::Typename(name) => Ok(writer.leaf(name)),
                        PlannedValue::Cell(at) => writer.cell(&loaded.table, row * cells + at, false),
                        PlannedValue::ListCell(at) => writer.cell(&loaded.table, row * cells + at, true),
                        PlannedValue::Reference(at, objects) => {
                            writer.one(objects, &loaded.table, row * references + at, id)
                        }
                        PlannedValue::Ids(_)
                        | PlannedValue::References(..)
                        | PlannedValue::Entries(..)
                        | PlannedValue::Destinations(..) => Err(Unplanned::Error),
                    })
                })?
            }
            PlannedValue::Destinations(at, fields) => {
                let (list, loaded): (&List, &LoadedList) = list(*at)?;
                let cells = list.cells();
                self.list(loaded.rows(id), |writer, row| {
                    writer.fields(fields, |writer, content| match content {
                        DestinationField::Typename(name) => Ok(writer.leaf(name)),
                        DestinationField::Is(DestinationSource::ObjectId) => {
                            writer.cell(&loaded.table, row * cells, false)
                        }
                        DestinationField::Is(DestinationSource::Number) => {
                            writer.cell(&loaded.table, row * cells + 1, false)
                        }
                        DestinationField::Is(DestinationSource::Hangup) => {
                            writer.cell(&loaded.table, row * cells + 2, false)
                        }
                        DestinationField::Is(DestinationSource::Object) => Err(Unplanned::Error),
                        DestinationField::Object(objects) => writer.one(objects, &loaded.table, row, id),
                    })
                })?
            }
        })
    }

    /// Writes the object that a row of a table refers to, in the tenant of `id`.
    fn one(&mut self, objects: &ObjectSelection, table: &Table, at: usize, id: ObjectId) -> PlanResult<Spent> {
        Ok(match table.reference(at) {
            Some(local) => Spent::of(1 + self.object(objects, ObjectId { tenant: id.tenant, local })?),
            None => self.null(),
        })
    }
}

/// What has been read of an object's sections or detail.
#[derive(Clone, Copy)]
struct LoadedObject<'f> {
    read: &'f PlannedRead,
    loaded: &'f Loaded,
    row: usize,
    id: ObjectId,
}
