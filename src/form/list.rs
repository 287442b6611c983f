//! Fields that are lists: of references, or of entries that belong to one object.

use super::field::Field;
use super::info::{FieldShape, Section};
use super::place::{Cell, Place, Pointer, Reference, Rows};
use super::problems::{too_many, wrong_shape};
use super::section::{self, Typed};
use crate::domain::{Code, Id, ObjectId, Problem, Row, Sent, Shape, Target, TenantId, Value};

/// An ordered list of distinct references. They are rows of the table `link` with the field's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Links<K: Target, const MAX: usize>(Vec<Id<K>>);

impl<K: Target, const MAX: usize> Default for Links<K, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Target, const MAX: usize> Links<K, MAX> {
    /// The references in order.
    pub fn ids(&self) -> &[Id<K>] {
        &self.0
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Target, const MAX: usize> FromIterator<Id<K>> for Links<K, MAX> {
    fn from_iter<I: IntoIterator<Item = Id<K>>>(ids: I) -> Self {
        Self(ids.into_iter().collect())
    }
}

impl<K: Target, const MAX: usize> Field for Links<K, MAX> {
    const SHAPE: FieldShape = FieldShape::Value { takes: Shape::List(&Shape::Id), answers: Shape::List(&Shape::Id) };

    const PLACE: Place = Place::Rows(Rows { table: "link", columns: &["target_id"], slotted: true });

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        let sent = sent.list().map_err(|p| vec![p])?;
        let (mut ids, mut problems) = (Vec::<Id<K>>::new(), too_many(sent.len(), MAX));
        for (i, one) in sent.iter().enumerate() {
            match one.text().and_then(Id::parse) {
                Ok(id) if ids.contains(&id) => {
                    let twice = Problem::new(Code::Duplicate, "is in the list twice");
                    problems.push(twice.value(id.object().opaque()).under(i));
                }
                Ok(id) => ids.push(id),
                Err(problem) => problems.push(problem.under(i)),
            }
        }
        if problems.is_empty() { Ok(Self(ids)) } else { Err(problems) }
    }

    fn blank() -> Option<Self> {
        Some(Self::default())
    }

    fn cleared() -> Option<Self> {
        Some(Self::default())
    }

    fn store(&self) -> Cell {
        Cell::Rows(self.0.iter().map(|id| vec![id.object().local.into()]).collect())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        cell.rows()?.into_iter().map(|row| Id::load(first(row)?, tenant)).collect::<Result<_, _>>().map(Self)
    }

    fn load_untrusted(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        let list = Self::load(cell, tenant).map_err(|p| vec![p])?;
        let mut problems = too_many(list.0.len(), MAX);
        for (i, id) in list.0.iter().enumerate().filter(|(i, id)| list.0[..*i].contains(id)) {
            let twice = Problem::new(Code::Duplicate, "is in the list twice").value(id.object().local);
            problems.push(twice.under(i));
        }
        if problems.is_empty() { Ok(list) } else { Err(problems) }
    }

    fn entry_defaults() -> Vec<Option<Value>> {
        vec![None]
    }

    fn show(&self) -> serde_json::Value {
        self.0.iter().map(Field::show).collect()
    }

    fn pointers(_: &'static str) -> Vec<Pointer> {
        Id::<K>::pointers("target_id")
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for (i, id) in self.0.iter().enumerate() {
            id.references(&mut |r| visit(Reference { path: vec![i.to_string()], ..r }));
        }
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        // A reference that is already in the list is not added again.
        let to = to.filter(|to| self.0.iter().all(|id| id.object() != *to));
        self.0.retain_mut(|id| id.redirect(from, to));
        true
    }
}

/// The maximum number of entries in a list.
const MAX_ENTRIES: usize = 1000;

/// An ordered list of entries that belong to one object, such as the routes of a routing profile. They are rows of
/// their own table.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<S>(pub Vec<S>);

impl<S> Default for Entries<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Typed> Field for Entries<S> {
    const SHAPE: FieldShape = FieldShape::Entries(S::section_info);

    const PLACE: Place = Place::Rows(Rows { table: S::TABLE, columns: S::COLUMNS, slotted: false });

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        let sent = sent.list().map_err(|p| vec![p])?;
        let (mut entries, mut problems) = (Vec::new(), too_many(sent.len(), MAX_ENTRIES));
        for (i, entry) in sent.iter().enumerate() {
            match entry.object() {
                Ok(patch) => entries.extend(section::build::<S>(patch, &mut |p| problems.push(p.under(i)))),
                Err(problem) => problems.push(problem.under(i)),
            }
        }
        if problems.is_empty() { Ok(Self(entries)) } else { Err(problems) }
    }

    fn blank() -> Option<Self> {
        Some(Self::default())
    }

    fn cleared() -> Option<Self> {
        Some(Self::default())
    }

    fn store(&self) -> Cell {
        let row = |entry: &S| (entry as &dyn Section).store().into_iter().map(value_of).collect();
        Cell::Rows(self.0.iter().map(row).collect())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        let entry = |row: Row| section::load(row.into_iter().map(Cell::Value).collect(), tenant);
        cell.rows()?.into_iter().map(entry).collect::<Result<_, _>>().map(Self)
    }

    fn load_untrusted(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        let rows = cell.rows().map_err(|p| vec![p])?;
        let (mut entries, mut problems) = (Vec::new(), too_many(rows.len(), MAX_ENTRIES));
        for (i, row) in rows.into_iter().enumerate() {
            let cells = row.into_iter().map(Cell::Value).collect();
            entries.extend(section::load_untrusted::<S>(cells, tenant, &mut |problem| problems.push(problem.under(i))));
        }
        if problems.is_empty() { Ok(Self(entries)) } else { Err(problems) }
    }

    fn entry_defaults() -> Vec<Option<Value>> {
        let fields = &S::section_info().fields;
        debug_assert!(
            fields.iter().all(|field| field.secret.is_none()),
            "an export does not protect the secrets of entries"
        );
        fields.iter().map(|field| field.blank.clone().map(value_of)).collect()
    }

    fn entries(&self) -> Vec<&dyn Section> {
        self.0.iter().map(|entry| entry as &dyn Section).collect()
    }

    fn show(&self) -> serde_json::Value {
        self.entries().into_iter().map(<dyn Section>::show).collect()
    }

    fn pointers(_: &'static str) -> Vec<Pointer> {
        S::section_info().fields.iter().flat_map(|field| field.pointers.clone()).collect()
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        self.0.retain_mut(|entry| (entry as &mut dyn Section).redirect(from, to));
        true
    }

    fn redial(&mut self, from: &str, to: &str) {
        self.0.iter_mut().for_each(|entry| (entry as &mut dyn Section).redial(from, to));
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for (i, entry) in self.entries().into_iter().enumerate() {
            entry.references(&mut |mut r| {
                r.path.insert(0, i.to_string());
                visit(r);
            });
        }
    }
}

fn first(row: Row) -> Result<Cell, Problem> {
    row.into_iter().next().map(Cell::Value).ok_or_else(wrong_shape)
}

/// Entries have no lists inside them, so every cell of an entry is a value.
fn value_of(cell: Cell) -> Value {
    match cell {
        Cell::Value(value) => value,
        Cell::Rows(_) => Value::Null,
    }
}
