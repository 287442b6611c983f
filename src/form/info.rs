//! Descriptions of sections as data, and the traits that hide the concrete types of sections and fields.
//!
//! These types refer to each other, so they are in one file. The code that works with them is elsewhere: `field.rs` has
//! the types of fields, `source.rs` hands out fields, and `section.rs` works on sections.

use std::any::Any;

use serde_json::Value as Json;

use super::place::{Cell, Place, Pointer, Reference};
use crate::domain::{ObjectId, Patch, Problem, SecretStorage, Sent, Shape, TenantId, Value, ValueRef};

/// Describes a struct that `section!` generated, so that the same code can work on all of them.
#[derive(Debug)]
pub struct SectionInfo {
    /// The name of the struct.
    pub name: &'static str,
    /// The name of its input type in GraphQL.
    pub input: &'static str,
    /// The lines of its description.
    pub doc: &'static [&'static str],
    /// The table of the section.
    pub table: &'static str,
    /// The name of the table in camel case: for a section, its field in the form.
    pub client_name: String,
    /// The fields, in order.
    pub fields: Vec<FieldInfo>,
    /// The fields that a search looks in, besides the object's number, name and description.
    pub searched: &'static [&'static str],
    /// Builds a section from a source of its fields; `None` if a field is missing or wrong, which is reported.
    pub make: fn(&mut Source<'_>) -> Option<Box<dyn Section>>,
}

/// Describes a field of a section.
#[derive(Debug)]
pub struct FieldInfo {
    /// Its name in the struct.
    pub name: &'static str,
    /// Its name in inputs and change records.
    pub client_name: String,
    /// Its name in answers. It differs for a secret, of which only `…Set` is answered.
    pub answer_name: String,
    /// The lines of its description, see [`about`](crate::domain::about).
    pub doc: &'static [&'static str],
    /// The shape that clients see.
    pub shape: FieldShape,
    /// Whether it may be null in answers.
    pub nullable: bool,
    /// Where it is stored.
    pub place: Place,
    /// How it is protected, if it is a secret.
    pub secret: Option<SecretStorage>,
    /// Its columns that refer to objects.
    pub pointers: Vec<Pointer>,
    /// Its value while nobody has set it; `None` if it must be set.
    pub blank: Option<Cell>,
    /// The default of each column of an entry, if it is a list.
    pub entry_defaults: Vec<Option<Value>>,
    /// Writes the value of its column as answers show it, see [`Field::write`](super::Field::write).
    pub write: Write,
}

/// Writes a stored value as JSON.
pub type Write = fn(ValueRef<'_>, TenantId, &mut Vec<u8>) -> Result<(), Problem>;

/// The shape of a field for clients.
#[derive(Clone, Copy, Debug)]
pub enum FieldShape {
    /// A value.
    Value {
        /// Its shape in inputs.
        takes: Shape,
        /// Its shape in answers.
        answers: Shape,
    },
    /// A list of entries with their own fields.
    Entries(fn() -> &'static SectionInfo),
    /// A list of destinations.
    Destinations,
}

/// A section of the form, the detail of an object, or an entry of a list.
pub trait Section: Any + Send + Sync {
    /// Describes the section.
    fn info(&self) -> &'static SectionInfo;
    /// The value of the field at a position.
    fn value(&self, index: usize) -> Option<&dyn FieldValue>;
    /// The values of its fields, in order.
    fn values(&self) -> Vec<&dyn FieldValue>;
    /// The values of its fields, for changes.
    fn values_mut(&mut self) -> Vec<&mut dyn FieldValue>;
    /// A boxed copy.
    fn boxed(&self) -> Box<dyn Section>;
}

/// The value of a field of any type: an object-safe [`Field`](super::Field).
pub trait FieldValue: Any {
    /// Applies what a client sent: `null` clears the field, a value is parsed. A value that breaks a rule is reported
    /// and changes nothing.
    fn apply(&mut self, sent: &Sent, report: &mut dyn FnMut(Problem));
    /// See [`Field::store`](super::Field::store).
    fn store(&self) -> Cell;
    /// See [`Field::show`](super::Field::show).
    fn show(&self) -> Json;
    /// See [`Field::entries`](super::Field::entries).
    fn entries(&self) -> Vec<&dyn Section>;
    /// See [`Field::references`](super::Field::references).
    fn references(&self, visit: &mut dyn FnMut(Reference));
    /// See [`Field::redirect`](super::Field::redirect).
    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool;
    /// See [`Field::redial`](super::Field::redial).
    fn redial(&mut self, from: &str, to: &str);
    /// Whether it equals another value of the same field.
    fn equals(&self, other: &dyn FieldValue) -> bool;
}

/// Hands out the fields of a section, one after the other.
pub struct Source<'a> {
    pub(super) info: &'a SectionInfo,
    pub(super) next: usize,
    pub(super) origin: FieldOrigin<'a>,
}

/// Where the fields come from.
pub(super) enum FieldOrigin<'a> {
    /// A client's input; fields that are left out are blank.
    Client { patch: &'a Patch, report: &'a mut dyn FnMut(Problem) },
    /// The database, with the first problem found.
    Store { cells: std::vec::IntoIter<Cell>, tenant: TenantId, problem: Option<Problem> },
    /// A file that somebody may have edited by hand. Problems do not repeat its secrets.
    File { cells: std::vec::IntoIter<Cell>, tenant: TenantId, report: &'a mut dyn FnMut(Problem) },
}
