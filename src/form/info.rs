//! What a section is as data, and the traits behind which the types of sections and fields are not known.
//!
//! These types name each other, so they are in one file. What is done with them is elsewhere: `field.rs` has the types of
//! fields, `source.rs` hands out fields, `section.rs` works on sections.

use std::any::Any;

use serde_json::Value as Json;

use super::place::{Cell, Place, Pointer, Reference};
use crate::domain::{Kept, ObjectId, Patch, Problem, Sent, Shape, TenantId, Value, ValueRef};

/// A struct that `section!` made, as data: the same code for all of them.
#[derive(Debug)]
pub struct Info {
    /// The struct's name.
    pub name: &'static str,
    /// The name of what clients send for it.
    pub input: &'static str,
    /// The lines of its description.
    pub doc: &'static [&'static str],
    /// The section's table.
    pub table: &'static str,
    /// The table's name as clients write it: a section's name in the form.
    pub client: String,
    /// The fields in order.
    pub fields: Vec<Described>,
    /// The fields whose text a search reads, besides the object's number, name and description.
    pub searched: &'static [&'static str],
    /// Makes one of what a source has for each field; `None` when a field is missing or wrong, which is told.
    pub make: fn(&mut Source<'_>) -> Option<Box<dyn Section>>,
}

/// What the rest of the program has to know of a field besides its value.
#[derive(Debug)]
pub struct Described {
    /// Its name in the section's struct.
    pub name: &'static str,
    /// Its name as clients send it, and as change records name it.
    pub client: String,
    /// Its name in an answer: a secret's says that it tells only whether it is set.
    pub answered: String,
    /// The lines of its description, see [`about`](crate::domain::about).
    pub doc: &'static [&'static str],
    /// How clients see it.
    pub seen: Seen,
    /// Whether it may be null in an answer.
    pub nullable: bool,
    /// Where it is kept.
    pub place: Place,
    /// How it is kept when it is a secret.
    pub secret: Option<Kept>,
    /// Its columns that lead to objects.
    pub pointers: Vec<Pointer>,
    /// What it holds when nobody ever said anything; `None` when somebody has to.
    pub blank: Option<Cell>,
    /// The same for each column of an entry, when it is a list.
    pub entry: Vec<Option<Value>>,
    /// Writes what stands in its column as an answer shows it, see [`Field::write`](super::Field::write).
    pub write: Write,
}

/// Writes a stored value as JSON.
pub type Write = fn(ValueRef<'_>, TenantId, &mut Vec<u8>) -> Result<(), Problem>;

/// How clients see a field.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// As a value.
    Value {
        /// How they send it.
        takes: Shape,
        /// How it is answered.
        answers: Shape,
    },
    /// As a list of objects of their own: entries of the section.
    Entries(fn() -> &'static Info),
    /// As a list of destinations.
    Destinations,
}

/// A section of the form, the detail of an object, or an entry of a list.
pub trait Section: Any + Send + Sync {
    /// What it is.
    fn info(&self) -> &'static Info;
    /// The value of the field at a position.
    fn value(&self, at: usize) -> Option<&dyn FieldValue>;
    /// The values of its fields, in order.
    fn values(&self) -> Vec<&dyn FieldValue>;
    /// The values of its fields, to be changed.
    fn values_mut(&mut self) -> Vec<&mut dyn FieldValue>;
    /// A copy of it.
    fn boxed(&self) -> Box<dyn Section>;
}

/// The value of a field whose type is not known: [`Field`](super::Field) as an object.
pub trait FieldValue: Any {
    /// Applies what a client sent: `null` clears, a value is parsed. What breaks a rule is reported and changes nothing.
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
    /// Whether it is the same as another value of the same field.
    fn equals(&self, other: &dyn FieldValue) -> bool;
}

/// Hands out the fields of a section, one after the other.
pub struct Source<'a> {
    pub(super) info: &'a Info,
    pub(super) next: usize,
    pub(super) from: From<'a>,
}

/// What it has for each field.
pub(super) enum From<'a> {
    /// What a client sent; what is left out is blank.
    Client { patch: &'a Patch, report: &'a mut dyn FnMut(Problem) },
    /// What is stored, and the first problem with it.
    Store { cells: std::vec::IntoIter<Cell>, tenant: TenantId, problem: Option<Problem> },
    /// What stands in a file that somebody may have written by hand. Secrets are not repeated.
    File { cells: std::vec::IntoIter<Cell>, tenant: TenantId, report: &'a mut dyn FnMut(Problem) },
}
