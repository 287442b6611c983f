//! What a field of a section can be, and how it is kept.
//!
//! A field is either a [`Scalar`] in a column of the section's table, a reference (a column with a foreign key), or a
//! list whose entries are rows of another table, in order. Everything else in the program works on [`Cell`]s and never
//! asks which field it has before it.

use async_graphql::{ID, InputType};

use super::Destinations;
use crate::domain::{Code, Id, Kept, Kind, ObjectId, Problem, Row, Scalar, SentSecret, Target, TenantId, Value};

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

/// What the rest of the program has to know of a field besides its value.
#[derive(Clone, Debug)]
pub struct Described {
    /// Its name in the section's struct.
    pub name: &'static str,
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

/// A field of a section.
pub trait Field: Clone + PartialEq + Sized + Send + Sync {
    /// What a client sends for it. `T` and `Option<T>` send the same.
    type Sent: InputType;

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
    fn parse(sent: &Self::Sent) -> Result<Self, Vec<Problem>>;

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

    /// How change records show the value.
    fn show(&self) -> serde_json::Value;

    /// See [`Scalar::secret`].
    fn secret(_sent: &Self::Sent) -> Option<SentSecret<'_>> {
        None
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

    /// Hands out the lists of destinations that the value holds.
    fn destinations(&self, _visit: &mut dyn FnMut(&Destinations)) {}
}

impl<T: Scalar> Field for T {
    type Sent = T::Sent;

    const SECRET: Option<Kept> = T::SECRET;

    fn parse(sent: &Self::Sent) -> Result<Self, Vec<Problem>> {
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

    fn show(&self) -> serde_json::Value {
        // Only a float that JSON cannot hold fails here, and no field is one.
        self.answer().into_json().unwrap_or_default()
    }

    fn secret(sent: &Self::Sent) -> Option<SentSecret<'_>> {
        T::secret(sent)
    }

    fn pointers(name: &'static str) -> Vec<Pointer> {
        if T::DIALS { vec![Pointer { column: name, leads: Leads::ByNumber }] } else { Vec::new() }
    }

    fn redial(&mut self, from: &str, to: &str) {
        Scalar::redial(self, from, to);
    }
}

impl<T: Field> Field for Option<T> {
    type Sent = T::Sent;

    const SECRET: Option<Kept> = T::SECRET;

    fn parse(sent: &Self::Sent) -> Result<Self, Vec<Problem>> {
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

    fn show(&self) -> serde_json::Value {
        self.as_ref().map_or(serde_json::Value::Null, T::show)
    }

    fn secret(sent: &Self::Sent) -> Option<SentSecret<'_>> {
        T::secret(sent)
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
    type Sent = ID;

    fn parse(sent: &ID) -> Result<Self, Vec<Problem>> {
        Id::parse(sent).map_err(|p| vec![p])
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

    fn show(&self) -> serde_json::Value {
        self.object().opaque().0.into()
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
