//! What a field of a section can be, and how it is kept.
//!
//! A field is either a [`Scalar`] in a column of the section's table, a reference (a column with a foreign key), or a
//! list whose entries are rows of another table, in order. Everything else in the program works on [`Cell`]s and never
//! asks which field it has before it.

use std::any::Any;

use serde_json::Value as Json;

use super::described::{Cell, Leads, Place, Pointer, Reference, Seen};
use crate::domain::{Code, Id, Kept, ObjectId, Problem, Scalar, Sent, Shape, Target, TenantId, Value, ValueRef, json};

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
    fn entries(&self) -> Vec<&dyn super::Section> {
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

/// The value of a field whose type is not known: [`Field`] as an object.
pub trait FieldValue: Any {
    /// Applies what a client sent: `null` clears, a value is parsed. What breaks a rule is reported and changes nothing.
    fn apply(&mut self, sent: &Sent, report: &mut dyn FnMut(Problem));
    /// See [`Field::store`].
    fn store(&self) -> Cell;
    /// See [`Field::show`].
    fn show(&self) -> Json;
    /// See [`Field::entries`].
    fn entries(&self) -> Vec<&dyn super::Section>;
    /// See [`Field::references`].
    fn references(&self, visit: &mut dyn FnMut(Reference));
    /// See [`Field::redirect`].
    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool;
    /// See [`Field::redial`].
    fn redial(&mut self, from: &str, to: &str);
    /// Whether it is the same as another value of the same field.
    fn equals(&self, other: &dyn FieldValue) -> bool;
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

    fn entries(&self) -> Vec<&dyn super::Section> {
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

impl<T: Scalar> Field for T {
    const SEEN: Seen = Seen::Value { takes: T::TAKES, answers: T::ANSWERS };

    const SECRET: Option<Kept> = T::SECRET;

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        Scalar::parse(sent).map_err(|p| vec![p])
    }

    fn blank() -> Option<Self> {
        T::blank()
    }

    fn cleared() -> Option<Self> {
        T::empty()
    }

    fn store(&self) -> Cell {
        Cell::Value(self.to_value())
    }

    fn load(cell: Cell, _: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(value) => T::from_value(value),
            Cell::Rows(_) => Err(misplaced()),
        }
    }

    fn admit(cell: Cell, _: TenantId) -> Result<Self, Vec<Problem>> {
        match cell {
            Cell::Value(value) => T::admit(value).map_err(|p| vec![p]),
            Cell::Rows(_) => Err(vec![misplaced()]),
        }
    }

    fn show(&self) -> Json {
        self.answer()
    }

    fn write(stored: ValueRef<'_>, _: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        <T as Scalar>::write(stored, json)
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        if T::DIALS { vec![Pointer { column: name, leads: Leads::ByNumber }] } else { Vec::new() }
    }

    fn redial(&mut self, from: &str, to: &str) {
        Scalar::redial(self, from, to);
    }
}

impl<T: Field> Field for Option<T> {
    const SEEN: Seen = T::SEEN;

    const NULLABLE: bool = true;

    const SECRET: Option<Kept> = T::SECRET;

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        T::parse(sent).map(Some)
    }

    fn blank() -> Option<Self> {
        Some(None)
    }

    fn cleared() -> Option<Self> {
        Some(None)
    }

    fn store(&self) -> Cell {
        self.as_ref().map_or(Cell::Value(Value::Null), T::store)
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(Value::Null) => Ok(None),
            cell => T::load(cell, tenant).map(Some),
        }
    }

    fn admit(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        match cell {
            Cell::Value(Value::Null) => Ok(None),
            cell => T::admit(cell, tenant).map(Some),
        }
    }

    fn show(&self) -> Json {
        self.as_ref().map_or(Json::Null, T::show)
    }

    fn write(stored: ValueRef<'_>, tenant: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        match stored {
            ValueRef::Null => {
                json::write(&(), json);
                Ok(())
            }
            stored => T::write(stored, tenant, json),
        }
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        T::pointers(name)
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        if let Some(value) = self {
            value.references(visit);
        }
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        if self.as_mut().is_some_and(|value| !value.redirect(from, to)) {
            *self = None;
        }
        true
    }

    fn redial(&mut self, from: &str, to: &str) {
        if let Some(value) = self {
            value.redial(from, to);
        }
    }
}

impl<K: Target> Field for Id<K> {
    const SEEN: Seen = Seen::Value { takes: Shape::Id, answers: Shape::Id };

    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>> {
        sent.text().and_then(Id::parse).map_err(|p| vec![p])
    }

    fn blank() -> Option<Self> {
        None
    }

    fn cleared() -> Option<Self> {
        None
    }

    fn store(&self) -> Cell {
        Cell::Value(self.object().local.into())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        match cell {
            Cell::Value(Value::Int(local)) => Ok(Self::new(ObjectId { tenant, local })),
            _ => Err(misplaced()),
        }
    }

    fn show(&self) -> Json {
        self.object().opaque().into()
    }

    fn write(stored: ValueRef<'_>, tenant: TenantId, json: &mut Vec<u8>) -> Result<(), Problem> {
        stored.int().map(|local| ObjectId { tenant, local }.write(json)).ok_or_else(misplaced)
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        vec![Pointer { column: name, leads: Leads::ById(K::KINDS) }]
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        visit(Reference { object: self.object(), kinds: K::KINDS, path: Vec::new() });
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        match to {
            _ if self.object() != from => {}
            Some(to) => *self = Self::new(to),
            None => return false,
        }
        true
    }
}

/// The problem of a stored value whose shape is not the field's: the file was not written by this program.
pub(super) fn misplaced() -> Problem {
    Problem::new(Code::InvalidFormat, "is stored in a form that this field does not have")
}
