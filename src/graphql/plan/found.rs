//! What a plan has read, and what its fields have worked out: all that the answer says.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::reading::{List, ListEntries, PlannedRead};
use super::table::Table;
use crate::domain::{Kind, ObjectId, TenantId};
use crate::graphql::layer::OfRow;
use crate::store::{self, ChosenList, Columns, ENTRY, ObjectRow, StoreError, TenantRow};

/// Everything that has been read.
#[derive(Default)]
pub(super) struct FoundData {
    pub rows: Map<ObjectId, FoundRow>,
    /// What has been read of own rows: [`QueryPlan::columns`](super::shape::QueryPlan::columns) of each.
    pub own: Table,
    own_rows: usize,
    /// By [`PlannedRead::id`].
    pub loaded: Vec<Loaded>,
    /// By [`PlannedPage::id`](super::shape::PlannedPage::id).
    pub pages: Map<(usize, TenantId), FoundPage>,
    /// By [`Single::id`](super::shape::Single::id).
    pub singles: Map<(usize, TenantId), ObjectId>,
    /// What fields of tenants and objects have worked out, by their place in the plan. A tenant stands for the object 0.
    pub worked: Map<(usize, ObjectId), FoundWorked>,
    /// For each root field.
    pub root: Vec<FoundRoot>,
}

impl FoundData {
    /// Of a plan with so many [`PlannedRead`]s: nothing so far.
    pub fn of(readings: usize) -> Self {
        Self { loaded: (0..readings).map(|_| Loaded::default()).collect(), ..Self::default() }
    }

    /// Keeps what a plan asks for of an own row: `columns`, behind id and kind.
    pub fn put_own(&mut self, tenant: TenantId, columns: &[OfRow], row: &dyn Columns) -> store::Result<()> {
        let kind = row.get(1)?.text().and_then(Kind::from_word);
        let kind = kind.ok_or_else(|| StoreError::Corrupt("an object is of no kind".into()))?;
        self.rows.insert(ObjectId { tenant, local: row.int(0)? }, FoundRow::Part(kind, self.own_rows));
        self.own_rows += 1;
        self.own.put_own(row, columns)
    }
}

pub(super) type Map<K, V> = HashMap<K, V, RandomState>;

/// An object's own row.
pub(super) enum FoundRow {
    /// As it was found.
    Whole(Arc<ObjectRow>),
    /// Only what the plan asks for, in this row of [`FoundData::own`].
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

/// What a root field answers.
pub(super) enum FoundRoot {
    Nothing,
    Tenants(Vec<TenantRow>),
    Nodes(Vec<FoundNode>),
    Worked(FoundWorked),
}

/// What has an id.
pub(super) enum FoundNode {
    Nothing,
    Tenant(TenantRow),
    Object(ObjectId),
}

/// A page of a list.
pub(super) struct FoundPage {
    pub rows: Vec<(ObjectId, String)>,
    pub more: bool,
    pub behind: bool,
    pub total: i64,
    /// What its arguments cost.
    pub price: u64,
}

/// What a field has worked out.
pub(super) struct FoundWorked {
    /// What its arguments cost.
    pub price: u64,
    pub value: FoundValue,
}

/// What is told of it, as far as it is selected. What is left of an object is its id: its row is among those found.
pub(super) enum FoundValue {
    Null,
    /// A value as JSON, and how many entries it has when it is a list.
    Json(Vec<u8>, Option<usize>),
    List(Vec<FoundValue>),
    Object(ObjectId),
    Tenant(Box<TenantRow>),
    /// The fields of what only the field knows, in their order. That of its type's name is null.
    Thing(Vec<FoundWorked>),
}

/// The sections or the detail of many objects.
#[derive(Default)]
pub(super) struct Loaded {
    pub table: Table,
    /// The rows of objects.
    pub index: Map<ObjectId, usize>,
    pub lists: Vec<LoadedList>,
}

impl Loaded {
    /// Keeps a row of sections or a detail, or of one of the lists there.
    pub fn put(
        &mut self,
        reading: &PlannedRead,
        (tenant, list): (TenantId, Option<&ChosenList>),
        columns: &dyn Columns,
    ) -> store::Result<()> {
        let id = ObjectId { tenant, local: columns.int(0)? };
        let Some(statement) = list else {
            self.index.insert(id, self.index.len());
            self.table.put(columns, &reading.cells, tenant)?;
            return self.table.lead_to(columns, &reading.leads);
        };
        let slot = columns.get(1)?.text().unwrap_or_default();
        for (list, loaded) in reading.lists.iter().zip(&mut self.lists) {
            if list.slot == slot && list.table == statement.table {
                loaded.put(list, id, columns)?;
            }
        }
        Ok(())
    }
}

/// A list of many objects.
#[derive(Default)]
pub(super) struct LoadedList {
    pub table: Table,
    rows: usize,
    /// The rows of objects; none for an empty list.
    pub index: Map<ObjectId, Range<usize>>,
}

impl LoadedList {
    pub fn rows(&self, id: ObjectId) -> Range<usize> {
        self.index.get(&id).cloned().unwrap_or_default()
    }

    /// The ids of a list of ids or destinations.
    pub fn ids(&self, id: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.rows(id).filter_map(move |row| Some(ObjectId { tenant: id.tenant, local: self.table.lead(row)? }))
    }

    fn put(&mut self, list: &List, id: ObjectId, columns: &dyn Columns) -> store::Result<()> {
        let rows = self.index.entry(id).or_insert(self.rows..self.rows);
        self.rows += 1;
        rows.end = self.rows;
        match &list.entries {
            ListEntries::Ids => self.table.lead_to(columns, &[ENTRY]),
            ListEntries::Objects { cells, leads } => {
                self.table.put(columns, cells, id.tenant)?;
                self.table.lead_to(columns, leads)
            }
            ListEntries::Steps => self.table.put_step(columns, id.tenant),
        }
    }
}

/// What stands for a tenant among objects.
pub(super) fn of_tenant(row: &TenantRow) -> ObjectId {
    ObjectId { tenant: row.id, local: 0 }
}
