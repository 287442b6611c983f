//! What there is to know of a field besides its value: where it is kept, how clients see it, where it leads.

use super::section::camel;
use super::{Field, Info};
use crate::domain::{Kept, Kind, ObjectId, Problem, Row, Shape, TenantId, Value, ValueRef};

/// Where a field is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In a column of the section's own table, or of the object's row, named like the field.
    Column,
    /// In rows of another table whose key is (tenant, owner, position).
    Rows(Rows),
}

/// The table of a list field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
    /// The table's name.
    pub table: &'static str,
    /// The columns of an entry.
    pub columns: &'static [&'static str],
    /// Whether several fields share the table, told apart by its column `slot`, which holds the field's name.
    pub slotted: bool,
}

/// A field's value in its neutral form.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// The value of one column.
    Value(Value),
    /// The entries of a list, in order.
    Rows(Vec<Row>),
}

/// A column that leads to objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// The column's name.
    pub column: &'static str,
    /// How it leads there.
    pub leads: Leads,
}

/// How a column leads to objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Leads {
    /// By their keys, to objects of these kinds: a foreign key.
    ById(&'static [Kind]),
    /// By a text that may equal an object's number.
    ByNumber,
}

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
    /// Writes what stands in its column as an answer shows it, see [`Field::write`].
    pub write: Write,
}

/// Writes a stored value as JSON.
pub type Write = fn(ValueRef<'_>, TenantId, &mut Vec<u8>) -> Result<(), Problem>;

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

/// One reference that a form holds, as the checks see it.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The object that is referred to.
    pub object: ObjectId,
    /// The kinds that fit.
    pub kinds: &'static [Kind],
    /// Where in the form: field first, then positions.
    pub path: Vec<String>,
}
