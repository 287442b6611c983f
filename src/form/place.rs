//! Where a field is kept, and where it leads.

use super::problems::misplaced;
use crate::domain::{Kind, ObjectId, Problem, Row, Value};

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

impl Cell {
    /// The entries of a list.
    ///
    /// # Errors
    /// It is one value.
    pub(super) fn rows(self) -> Result<Vec<Row>, Problem> {
        match self {
            Self::Rows(rows) => Ok(rows),
            Self::Value(_) => Err(misplaced()),
        }
    }
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
