//! Fields that are lists: of references, or of entries that belong to their owner alone.

use async_graphql::{ID, OutputType};

use super::field::{Cell, Field, Place, Pointer, Reference, Rows, misplaced};
use super::section::Section;
use crate::domain::{Code, Id, ObjectId, Problem, Row, Target, TenantId, Value};

/// An ordered list of references without repetition: rows of `link` under the field's name.
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
    type Sent = Vec<ID>;

    const PLACE: Place = Place::Rows(Rows { table: "link", columns: &["target_id"], slotted: true });

    fn parse(sent: &Vec<ID>) -> Result<Self, Vec<Problem>> {
        let (mut ids, mut problems) = (Vec::<Id<K>>::new(), too_many(sent.len(), MAX));
        for (i, one) in sent.iter().enumerate() {
            match Id::parse(one) {
                Ok(id) if ids.contains(&id) => {
                    problems
                        .push(Problem::new(Code::Duplicate, "stands in the list twice").value(one.as_str()).under(i));
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
        rows(cell)?.into_iter().map(|row| Id::load(first(row)?, tenant)).collect::<Result<_, _>>().map(Self)
    }

    fn admit(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        let list = Self::load(cell, tenant).map_err(|p| vec![p])?;
        let mut problems = too_many(list.0.len(), MAX);
        for (i, id) in list.0.iter().enumerate().filter(|(i, id)| list.0[..*i].contains(id)) {
            let twice = Problem::new(Code::Duplicate, "stands in the list twice").value(id.object().local);
            problems.push(twice.under(i));
        }
        if problems.is_empty() { Ok(list) } else { Err(problems) }
    }

    fn entry() -> Vec<Option<Value>> {
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
        // What already stands in the list does not come a second time.
        let to = to.filter(|to| self.0.iter().all(|id| id.object() != *to));
        self.0.retain_mut(|id| id.redirect(from, to));
        true
    }
}

/// The most entries of a list that belongs to its owner alone.
const MOST_ENTRIES: usize = 1000;

/// An ordered list of entries that belong to their owner alone, such as the routes of a routing profile: rows of a
/// table of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Entries<S>(pub Vec<S>);

impl<S> Default for Entries<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Section> Field for Entries<S> {
    type Sent = Vec<S::Patch>;

    const PLACE: Place = Place::Rows(Rows { table: S::TABLE, columns: S::COLUMNS, slotted: false });

    fn parse(sent: &Vec<S::Patch>) -> Result<Self, Vec<Problem>> {
        let (mut entries, mut problems) = (Vec::new(), too_many(sent.len(), MOST_ENTRIES));
        for (i, patch) in sent.iter().enumerate() {
            entries.extend(S::build(patch, &mut |problem| problems.push(problem.under(i))));
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
        let row = |entry: &S| entry.store().into_iter().map(value_of).collect();
        Cell::Rows(self.0.iter().map(row).collect())
    }

    fn load(cell: Cell, tenant: TenantId) -> Result<Self, Problem> {
        let entry = |row: Row| S::load(row.into_iter().map(Cell::Value).collect(), tenant);
        rows(cell)?.into_iter().map(entry).collect::<Result<_, _>>().map(Self)
    }

    fn admit(cell: Cell, tenant: TenantId) -> Result<Self, Vec<Problem>> {
        let rows = rows(cell).map_err(|p| vec![p])?;
        let (mut entries, mut problems) = (Vec::new(), too_many(rows.len(), MOST_ENTRIES));
        for (i, row) in rows.into_iter().enumerate() {
            let cells = row.into_iter().map(Cell::Value).collect();
            entries.extend(S::admit(cells, tenant, &mut |problem| problems.push(problem.under(i))));
        }
        if problems.is_empty() { Ok(Self(entries)) } else { Err(problems) }
    }

    fn entry() -> Vec<Option<Value>> {
        let fields = S::describe();
        debug_assert!(fields.iter().all(|field| field.secret.is_none()), "an export would not know an entry's secret");
        fields.into_iter().map(|field| field.blank.map(value_of)).collect()
    }

    fn show(&self) -> serde_json::Value {
        self.0.iter().map(Section::show).collect()
    }

    fn pointers(_: &'static str) -> Vec<Pointer> {
        S::describe().into_iter().flat_map(|field| field.pointers).collect()
    }

    fn redirect(&mut self, from: ObjectId, to: Option<ObjectId>) -> bool {
        self.0.retain_mut(|entry| entry.redirect(from, to));
        true
    }

    fn redial(&mut self, from: &str, to: &str) {
        self.0.iter_mut().for_each(|entry| entry.redial(from, to));
    }

    fn references(&self, visit: &mut dyn FnMut(Reference)) {
        for (i, entry) in self.0.iter().enumerate() {
            entry.references(&mut |mut r| {
                r.path.insert(0, i.to_string());
                visit(r);
            });
        }
    }
}

/// Lists answer as lists of their entries.
macro_rules! answers_as_list {
    ([$($generics:tt)*] $Type:ty, $Entry:ty) => {
        impl<$($generics)*> OutputType for $Type {
            fn type_name() -> std::borrow::Cow<'static, str> {
                <Vec<$Entry> as OutputType>::type_name()
            }

            fn qualified_type_name() -> String {
                <Vec<$Entry> as OutputType>::qualified_type_name()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <Vec<$Entry> as OutputType>::create_type_info(registry)
            }

            async fn resolve(
                &self,
                ctx: &async_graphql::ContextSelectionSet<'_>,
                field: &async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> async_graphql::ServerResult<async_graphql::Value> {
                if let Some(budget) = ctx.data_opt::<$crate::form::Budget>() {
                    budget.spend(self.0.len()).map_err(|error| ctx.set_error_path(error.into_server_error(field.pos)))?;
                }
                self.0.resolve(ctx, field).await
            }
        }
    };
}
pub(super) use answers_as_list;

answers_as_list!([K: Target, const MAX: usize] Links<K, MAX>, Id<K>);
answers_as_list!([S: Section + OutputType] Entries<S>, S);

/// The problem of a list that is too long, if it is.
pub(super) fn too_many(length: usize, max: usize) -> Vec<Problem> {
    let problem = || Problem::new(Code::OutOfRange, format!("must have at most {max} entries")).value(length);
    if length > max { vec![problem()] } else { Vec::new() }
}

pub(super) fn rows(cell: Cell) -> Result<Vec<Row>, Problem> {
    match cell {
        Cell::Rows(rows) => Ok(rows),
        Cell::Value(_) => Err(misplaced()),
    }
}

fn first(row: Row) -> Result<Cell, Problem> {
    row.into_iter().next().map(Cell::Value).ok_or_else(misplaced)
}

/// Entries have no lists inside them, so every cell of an entry is a value.
fn value_of(cell: Cell) -> Value {
    match cell {
        Cell::Value(value) => value,
        Cell::Rows(_) => Value::Null,
    }
}
