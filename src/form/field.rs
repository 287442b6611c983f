//! What a field of a section can be, and how it is kept.
//!
//! A field is either a value in a column of the section's table, a reference (a column with a foreign key), or a list
//! whose entries are rows of another table, in order. Everything else in the program works on [`Cell`]s and never asks
//! which field it has before it.

use std::any::Any;

use serde_json::Value as Json;

use super::info::{Described, FieldValue, Section, Seen};
use super::names::camel;
use super::place::{Cell, Place, Pointer, Reference};
use super::problems::misplaced;
use crate::domain::{Code, Kept, ObjectId, Problem, Sent, TenantId, Value, ValueRef};

/// A type that a field of a section can have.
pub trait Field: Clone + PartialEq + Sized + Send + Sync + 'static {
    /// How clients see it.
    const SEEN: Seen;

    /// Whether it may be null in an answer.
    const NULLABLE: bool = false;

    /// Where it is kept.
    const PLACE: Place = Place::Column;

    /// How it is kept when it is a secret.
    const SECRET: Option<Kept> = None;

    /// The columns that lead to objects; `name` is the field's.
    fn pointers(_name: &'static str) -> Vec<Pointer> {
        Vec::new()
    }

    /// The one way in for a client's value.
    ///
    /// # Errors
    /// All rules that the value breaks.
    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>>;

    /// What the field holds when nobody ever said anything; `None` when somebody has to.
    fn blank() -> Option<Self>;

    /// What `null` leaves; `None` when the field cannot be empty.
    fn cleared() -> Option<Self>;

    /// The stored form.
    fn store(&self) -> Cell;

    /// Back from the stored form.
    ///
    /// # Errors
    /// The rule that the stored value breaks.
    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem>;

    /// Back from a file that somebody may have written by hand: every rule of the value is asked again.
    ///
    /// # Errors
    /// All rules that the value breaks.
    fn admit(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        Self::load(cell, tenant).map_err(|p| vec![p])
    }

    /// What each column of an entry holds when nobody ever said anything, when the field is a list.
    fn entry() -> Vec<Option<Value>> {
        Vec::new()
    }

    /// How answers and change records show the value.
    fn show(&self) -> Json;

    /// Writes what stands in the field's column as JSON, as [`Field::show`] shows it.
    ///
    /// # Errors
    /// As [`Field::load`]; that the field is a list, which has no column.
    fn write(_stored: ValueRef<'_>, _tenant: TenantId, _json: &mut Vec<u8>) -> Result<(), Problem> {
        Err(misplaced())
    }

    /// The entries of the list, when it is one of objects of their own.
    fn entries(&self) -> Vec<&dyn Section> {
        Vec::new()
    }

    /// Hands out every reference that the value holds.
    fn references(&self, _visit: &mut dyn FnMut(Reference)) {}

    /// Points at `to` where it pointed at `from`; without `to`, at nothing. `false` when it cannot be without: then what
    /// holds it has to go.
    fn redirect(&mut self, _from: ObjectId, _to: Option<ObjectId>) -> bool {
        true
    }

    /// Dials `to` where it dialled `from`.
    fn redial(&mut self, _from: &str, _to: &str) {}
}

impl<F: Field> FieldValue for F {
    fn apply(&mut self, sent: &Sent, report: &mut dyn FnMut(Problem)) {
        match sent {
            Sent::Null => match F::cleared() {
                Some(empty) => *self = empty,
                None => report(Problem::new(Code::Required, "cannot be null")),
            },
            sent => match F::parse(sent) {
                Ok(parsed) => *self = parsed,
                Err(problems) => problems.into_iter().for_each(report),
            },
        }
    }

    fn store(&self) -> Cell {
        Field::store(self)
    }

    fn show(&self) -> Json {
        Field::show(self)
    }

    fn entries(&self) -> Vec<&dyn Section> {
        Field::entries(self)
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        Field::references(self, visit);
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        Field::redirect(self, from, to)
    }

    fn redial(&mut self, from: &str, to: &str) {
        Field::redial(self, from, to);
    }

    fn equals(&self, other: &dyn FieldValue) -> bool {
        (other as &dyn Any).downcast_ref::<F>() == Some(self)
    }
}

impl Described {
    /// The field of this name and type.
    pub(crate) fn of<F: Field>(name: &'static str, doc: &'static [&'static str]) -> Self {
        let client = camel(name);
        let answered = if F::SECRET.is_some() { format!("{client}Set") } else { client.clone() };
        Self {
            name,
            client,
            answered,
            doc,
            seen: F::SEEN,
            nullable: F::NULLABLE,
            place: F::PLACE,
            secret: F::SECRET,
            pointers: F::pointers(name),
            blank: F::blank().map(|blank| blank.store()),
            entry: F::entry(),
            write: F::write,
        }
    }
}
