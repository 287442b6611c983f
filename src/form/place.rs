//! Where fields are stored, and how they refer to objects.

use super::problems::wrong_shape;
use crate::domain::{Kind, ObjectId, Problem, Row, Value};

/// Where a field is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In a column with the name of the field, in the section's table or in the object's row.
    Column,
    /// In rows of another table, with the key (tenant, owner, position).
    Rows(Rows),
}

/// The table of a list field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
    /// The table's name.
    pub table: &'static str,
    /// The columns of an entry.
    pub columns: &'static [&'static str],
    /// Whether several fields share the table. Its column `slot` then holds the name of the field.
    pub slotted: bool,
}

/// The stored form of a field's value, the same for every database.
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
    /// The cell is a single value.
    pub(super) fn rows(self) -> Result<Vec<Row>, Problem> {
        match self {
            Self::Rows(rows) => Ok(rows),
            Self::Value(_) => Err(wrong_shape()),
        }
    }
}

/// A column that refers to objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pointer {
    /// The column's name.
    pub column: &'static str,
    /// How it refers to them.
    pub by: ReferenceBy,
}

/// How a column refers to objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceBy {
    /// By their keys, to objects of these kinds: a foreign key.
    Id(&'static [Kind]),
    /// By a text that may equal the number of an object.
    Number,
}

/// A reference in a form or another object, for the checks.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The object that is referred to.
    pub object: ObjectId,
    /// The allowed kinds.
    pub kinds: &'static [Kind],
    /// The path: first fields, then list positions.
    pub path: Vec<String>,
}
