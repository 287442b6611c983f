//! The data that a plan has read, and the values of its computed fields: everything that the answer contains.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::planned_read::{List, ListEntries, PlannedRead};
use super::table::Table;
use crate::domain::{Kind, ObjectId, TenantId};
use crate::graphql::layer::RowColumn;
use crate::store::{self, ChosenList, Columns, FIRST_ENTRY_COLUMN, ObjectRow, StoreError, TenantRow};

/// The data that a plan has read.
#[derive(Default)]
pub(super) struct FoundData {
    pub rows: Map<ObjectId, FoundRow>,
    /// The values read from own rows: [`QueryPlan::columns`](super::shape::QueryPlan::columns) of each.
    pub own: Table,
    own_rows: usize,
    /// By [`PlannedRead::id`].
    pub loaded: Vec<Loaded>,
    /// By [`PlannedPage::id`](super::shape::PlannedPage::id).
    pub pages: Map<(usize, TenantId), FoundPage>,
    /// By [`Single::id`](super::shape::Single::id).
    pub singles: Map<(usize, TenantId), ObjectId>,
    /// The values of computed fields of tenants and objects, by the field's index in the plan. A tenant is represented
    /// by the object 0.
    pub computed: Map<(usize, ObjectId), ComputedValue>,
    /// One for each root field.
    pub root: Vec<FoundRoot>,
}

impl FoundData {
    /// No data yet, for a plan with this many [`PlannedRead`]s.
    pub fn new(reads: usize) -> Self {
        Self { loaded: (0..reads).map(|_| Loaded::default()).collect(), ..Self::default() }
    }

    /// Stores the columns of an own row: `columns`, after id and kind.
    pub fn put_own(&mut self, tenant: TenantId, columns: &[RowColumn], row: &dyn Columns) -> store::Result<()> {
        let kind = row.get(1)?.text().and_then(Kind::from_word);
        let kind = kind.ok_or_else(|| StoreError::Corrupt("an object has no valid kind".into()))?;
        self.rows.insert(ObjectId { tenant, local: row.int(0)? }, FoundRow::Part(kind, self.own_rows));
        self.own_rows += 1;
        self.own.put_own(row, columns)
    }
}

pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// An object's own row.
pub(super) enum FoundRow {
    /// The whole row.
    Whole(Arc<ObjectRow>),
    /// Only the columns that the plan selects, in this row of [`FoundData::own`].
    Part(Kind, usize),
}

impl FoundRow {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Whole(row) => row.kind,
            Self::Part(kind, _) => *kind,
        }
    }
}

/// The data of a root field.
pub(super) enum FoundRoot {
    Nothing,
    Tenants(Vec<TenantRow>),
    Nodes(Vec<FoundNode>),
    Computed(ComputedValue),
}

/// The object or tenant with an id.
pub(super) enum FoundNode {
    Nothing,
    Tenant(TenantRow),
    Object(ObjectId),
}

/// A page of a list.
pub(super) struct FoundPage {
    pub rows: Vec<(ObjectId, String)>,
    pub has_next: bool,
    pub has_previous: bool,
    pub total: i64,
    /// The cost of its arguments.
    pub price: u64,
}

/// The value of a computed field.
pub(super) struct ComputedValue {
    /// The cost of its arguments.
    pub price: u64,
    pub value: FoundValue,
}

/// A value, as far as it is selected. For an object only the id is stored; its row is in [`FoundData::rows`].
pub(super) enum FoundValue {
    Null,
    /// A value as JSON, and the number of entries if it is a list.
    Json(Vec<u8>, Option<usize>),
    List(Vec<FoundValue>),
    Object(ObjectId),
    Tenant(Box<TenantRow>),
    /// The computed fields of a thing, in their order. `__typename` is null.
    Thing(Vec<ComputedValue>),
}

/// The sections or details of several objects.
#[derive(Default)]
pub(super) struct Loaded {
    pub table: Table,
    /// The row index of each object.
    pub index: Map<ObjectId, usize>,
    pub lists: Vec<LoadedList>,
}

impl Loaded {
    /// Stores a row of sections or a detail, or of one of their lists.
    pub fn put(
        &mut self,
        read: &PlannedRead,
        (tenant, list): (TenantId, Option<&ChosenList>),
        columns: &dyn Columns,
    ) -> store::Result<()> {
        let id = ObjectId { tenant, local: columns.int(0)? };
        let Some(statement) = list else {
            self.index.insert(id, self.index.len());
            self.table.put(columns, &read.cells, tenant)?;
            return self.table.put_references(columns, &read.references);
        };
        let slot = columns.get(1)?.text().unwrap_or_default();
        for (list, loaded) in read.lists.iter().zip(&mut self.lists) {
            if list.slot == slot && list.table == statement.table {
                loaded.put(list, id, columns)?;
            }
        }
        Ok(())
    }
}

/// A list of several objects.
#[derive(Default)]
pub(super) struct LoadedList {
    pub table: Table,
    rows: usize,
    /// The row indexes of each object; missing for an empty list.
    pub index: Map<ObjectId, Range<usize>>,
}

impl LoadedList {
    pub fn rows(&self, id: ObjectId) -> Range<usize> {
        self.index.get(&id).cloned().unwrap_or_default()
    }

    /// The ids in a list of ids or destinations.
    pub fn ids(&self, id: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.rows(id).filter_map(move |row| Some(ObjectId { tenant: id.tenant, local: self.table.reference(row)? }))
    }

    fn put(&mut self, list: &List, id: ObjectId, columns: &dyn Columns) -> store::Result<()> {
        let rows = self.index.entry(id).or_insert(self.rows..self.rows);
        self.rows += 1;
        rows.end = self.rows;
        match &list.entries {
            ListEntries::Ids => self.table.put_references(columns, &[FIRST_ENTRY_COLUMN]),
            ListEntries::Objects { cells, references } => {
                self.table.put(columns, cells, id.tenant)?;
                self.table.put_references(columns, references)
            }
            ListEntries::Destinations => self.table.put_destination(columns, id.tenant),
        }
    }
}

/// The key that represents a tenant among objects.
pub(super) fn tenant_key(row: &TenantRow) -> ObjectId {
    ObjectId { tenant: row.id, local: 0 }
}
