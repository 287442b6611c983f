//! The types that fields of a section can have, and how they are stored.
//!
//! A field is a value in a column of the section's table, a reference (a column with a foreign key), or an ordered list
//! whose entries are rows of another table. The rest of the program works on [`Cell`]s and does not depend on the type
//! of a field.

use std::any::Any;

use serde_json::Value as Json;

use super::info::{FieldInfo, FieldShape, FieldValue, Section};
use super::names::camel;
use super::place::{Cell, Place, Pointer, Reference};
use super::problems::wrong_shape;
use crate::domain::{Code, ObjectId, Problem, SecretStorage, Sent, TenantId, Value, ValueRef};

/// A type that a field of a section can have.
pub trait Field: Clone + PartialEq + Sized + Send + Sync + 'static {
    /// The shape that clients see.
    const SHAPE: FieldShape;

    /// Whether the field may be null in an answer.
    const NULLABLE: bool = false;

    /// Where the field is stored.
    const PLACE: Place = Place::Column;

    /// How the field is protected, if it is a secret.
    const SECRET: Option<SecretStorage> = None;

    /// The columns that refer to objects; `name` is the name of the field.
    fn pointers(_name: &'static str) -> Vec<Pointer> {
        Vec::new()
    }

    /// Parses the value that a client sent.
    ///
    /// # Errors
    /// All rules that the value breaks.
    fn parse(sent: &Sent) -> Result<Self, Vec<Problem>>;

    /// The value of a field that nobody has set; `None` if it must be set.
    fn blank() -> Option<Self>;

    /// The value after a client has sent `null`; `None` if the field cannot be cleared.
    fn cleared() -> Option<Self>;

    /// The stored form.
    fn store(&self) -> Cell;

    /// Loads the field from its stored form.
    ///
    /// # Errors
    /// The rule that the stored value breaks.
    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem>;

    /// Loads the field from a file that somebody may have edited by hand: every rule of the value is checked again.
    ///
    /// # Errors
    /// All rules that the value breaks.
    fn load_untrusted(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        Self::load(cell, tenant).map_err(|p| vec![p])
    }

    /// The default of each column of an entry, if the field is a list.
    fn entry_defaults() -> Vec<Option<Value>> {
        Vec::new()
    }

    /// The value as answers and change records show it.
    fn show(&self) -> Json;

    /// Writes the value of the field's column as JSON, in the same form as [`Field::show`].
    ///
    /// # Errors
    /// The errors of [`Field::load`]; an error if the field is a list, which has no column.
    fn write(_stored: ValueRef<'_>, _tenant: TenantId, _json: &mut Vec<u8>) -> Result<(), Problem> {
        Err(wrong_shape())
    }

    /// The entries, if the field is a list of entries with their own fields.
    fn entries(&self) -> Vec<&dyn Section> {
        Vec::new()
    }

    /// Visits every reference in the value.
    fn references(&self, _visit: &mut dyn FnMut(Reference)) {}

    /// Replaces references to `from` by references to `to`, or removes them without `to`. Returns `false` if the value
    /// cannot exist without the reference: then its holder must be removed.
    fn redirect(&mut self, _from: ObjectId, _to: Option<ObjectId>) -> bool {
        true
    }

    /// Replaces the dialled number `from` by `to`.
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

impl FieldInfo {
    /// Describes the field with this name and type.
    pub(crate) fn new<F: Field>(name: &'static str, doc: &'static [&'static str]) -> Self {
        let client_name = camel(name);
        let answer_name = if F::SECRET.is_some() { format!("{client_name}Set") } else { client_name.clone() };
        Self {
            name,
            client_name,
            answer_name,
            doc,
            shape: F::SHAPE,
            nullable: F::NULLABLE,
            place: F::PLACE,
            secret: F::SECRET,
            pointers: F::pointers(name),
            blank: F::blank().map(|blank| blank.store()),
            entry_defaults: F::entry_defaults(),
            write: F::write,
        }
    }
}
