//! The parts of a plan.

use async_graphql::{Name, Pos};

use super::planned_read::PlannedRead;
use crate::domain::Kind;
use crate::graphql::layer::{Argument, DestinationSource, PageInfoSource, RowColumn, SaveMutation, SchemaField, Text};
use crate::service::{Selected, Viewer};
use crate::store::TenantRow;

/// What an operation reads and answers.
#[derive(Debug)]
pub struct QueryPlan {
    pub(super) root: SelectedFields<Root>,
    /// The columns that are read of own rows, besides id and kind.
    pub(super) columns: Vec<RowColumn>,
    /// The number of [`PlannedRead`]s.
    pub(super) reads: usize,
    /// Whether the answer depends only on the rows that are read, and not on the time, for example.
    pub(super) only_rows: bool,
}

impl QueryPlan {
    /// The tenant that the answer depends on, if it depends on nothing else.
    pub fn tenant<'a>(&self, viewer: &'a Viewer) -> Option<&'a TenantRow> {
        let Selected::Tenant(selected) = &viewer.selected else { return None };
        if !self.only_rows {
            return None;
        }
        let is_selected = |root: &Root| match root {
            Root::Typename(_) => true,
            Root::Tenant(planned, _) => planned.arguments.is_empty(),
            Root::Tenants(_) | Root::Node(..) | Root::Nodes(..) | Root::Computed(_) | Root::Change(_) => false,
        };
        self.root.0.iter().all(|entry| is_selected(&entry.content)).then_some(&**selected)
    }

    /// Whether it is the plan of a mutation.
    pub fn changes_something(&self) -> bool {
        self.root.0.iter().any(|entry| matches!(entry.content, Root::Change(_)))
    }

    /// The root field at an index. `Some(None)` if it is `__typename` and changes nothing; `None` after the last one.
    pub fn change(&self, at: usize) -> Option<Option<&PlannedMutation>> {
        let entry = self.root.0.get(at)?;
        Some(if let Root::Change(change) = &entry.content { Some(change) } else { None })
    }
}

/// The selected fields, in the order of the answer.
#[derive(Debug)]
pub struct SelectedFields<W>(pub Vec<Entry<W>>);

/// A key of an answer.
#[derive(Debug)]
pub struct Entry<W> {
    /// The key as JSON, with the colon after it.
    pub key: Box<[u8]>,
    /// The cost of the field besides its value.
    pub price: u64,
    pub content: W,
}

/// A field whose arguments depend on the request.
pub struct PlannedField {
    pub field: &'static SchemaField,
    pub arguments: Vec<Argument>,
}

impl std::fmt::Debug for PlannedField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.field.name)
    }
}

/// A root field.
#[derive(Debug)]
pub enum Root {
    Typename(&'static str),
    Tenant(PlannedField, SelectedFields<Tenant>),
    Tenants(SelectedFields<Tenant>),
    Node(PlannedField, NodeSelection),
    Nodes(PlannedField, NodeSelection),
    Computed(ComputedField),
    /// A field of a mutation.
    Change(PlannedMutation),
}

/// A field of a mutation.
#[derive(Debug)]
pub struct PlannedMutation {
    pub computed: ComputedField,
    /// What it saves, if it saves a form or an object of another kind.
    pub save: Option<SaveMutation>,
    /// Its key, and its position in the document.
    pub at: (Name, Pos),
}

/// A field that is computed from its parent or by reads of its own.
#[derive(Debug)]
pub struct ComputedField {
    pub planned: PlannedField,
    /// The names of the fields selected below it.
    pub selected: Vec<Text>,
    pub selection: ValueSelection,
}

/// The selection below a computed field: for one value, or for each entry of a list.
#[derive(Debug)]
pub enum ValueSelection {
    /// A plain value.
    Plain,
    /// An object that has a row.
    Object(ObjectSelection),
    /// A tenant.
    Tenant(SelectedFields<Tenant>),
    /// A thing that only the field knows.
    Thing(SelectedFields<ThingField>),
}

impl ValueSelection {
    /// The names of the selected fields.
    pub fn selected(&self) -> Vec<Text> {
        let Self::Thing(fields) = self else { return Vec::new() };
        let name = |entry: &Entry<ThingField>| match &entry.content {
            ThingField::Field(computed) => Some(computed.planned.field.name.clone()),
            ThingField::Typename(_) => None,
        };
        fields.0.iter().filter_map(name).collect()
    }
}

/// A field of a thing that only its parent field knows.
#[derive(Debug)]
pub enum ThingField {
    Typename(&'static str),
    Field(ComputedField),
}

/// The selection for an object or tenant with an id.
#[derive(Debug)]
pub struct NodeSelection {
    pub tenant: SelectedFields<Tenant>,
    pub objects: ObjectSelection,
}

/// A field of a tenant.
#[derive(Debug)]
pub enum Tenant {
    Typename(&'static str),
    Id,
    Revision,
    /// The setting at an index.
    Setting(usize),
    Defaults(ObjectSelection),
    One(SingleObject),
    Page(PlannedPage),
    /// A computed field, and its index in [`super::found::FoundData::computed`].
    Computed(usize, ComputedField),
}

/// One object of a kind.
#[derive(Debug)]
pub struct SingleObject {
    pub id: usize,
    pub planned: PlannedField,
    pub kind: Kind,
    pub objects: ObjectSelection,
}

/// A page of objects of a kind.
#[derive(Debug)]
pub struct PlannedPage {
    pub id: usize,
    pub planned: PlannedField,
    pub kind: Kind,
    pub fields: SelectedFields<PageField>,
    /// Whether `totalCount` is selected.
    pub total: bool,
}

/// A field of a page.
#[derive(Debug)]
pub enum PageField {
    Typename(&'static str),
    Edges(SelectedFields<EdgeField>),
    Nodes(ObjectSelection),
    Info(SelectedFields<PageInfoField>),
    Total,
}

/// A field of an edge.
#[derive(Debug)]
pub enum EdgeField {
    Typename(&'static str),
    Node(ObjectSelection),
    Cursor,
}

/// A field of the information about a page.
#[derive(Debug)]
pub enum PageInfoField {
    Typename(&'static str),
    Is(PageInfoSource),
}

/// The selection for objects in one place.
#[derive(Debug)]
pub struct ObjectSelection {
    /// One for the type of the objects; for an interface, one for each type that a fragment names and one for all
    /// others.
    pub shapes: Vec<ObjectShape>,
    /// Whether the objects' own rows are needed, for example to know their kinds.
    pub needs_rows: bool,
}

impl ObjectSelection {
    /// The shape for objects of a kind. With a single shape, the kind need not be known.
    pub fn shape(&self, kind: Option<Kind>) -> Option<&ObjectShape> {
        match (self.shapes.as_slice(), kind) {
            ([only], None) => Some(only),
            (shapes, kind) => {
                let own = shapes.iter().find(|shape| shape.kind.is_some() && shape.kind == kind);
                own.or_else(|| shapes.iter().find(|shape| shape.kind.is_none()))
            }
        }
    }
}

/// The selection for objects of one type.
#[derive(Debug)]
pub struct ObjectShape {
    /// The kind of these objects; `None` for all kinds that have no shape of their own.
    pub kind: Option<Kind>,
    pub fields: SelectedFields<ObjectField>,
    pub read: Option<PlannedRead>,
}

/// A field of an object.
#[derive(Debug)]
pub enum ObjectField {
    Typename(&'static str),
    Row(RowColumn),
    /// A section.
    Section(SelectedFields<PlannedValue>),
    /// A value of the detail.
    Detail(PlannedValue),
    /// A computed field, evaluated for all objects of a level at once, and its index in
    /// [`super::found::FoundData::computed`].
    Computed(usize, ComputedField),
}

/// A value of a section, a detail or an entry.
#[derive(Debug)]
pub enum PlannedValue {
    Typename(&'static str),
    /// One of the cells.
    Cell(usize),
    /// One of the cells, which is a list.
    ListCell(usize),
    /// The ids in one of the lists.
    Ids(usize),
    /// The object that one of the references refers to.
    Reference(usize, ObjectSelection),
    /// The objects that the ids in one of the lists refer to.
    References(usize, ObjectSelection),
    /// The entries of one of the lists.
    Entries(usize, SelectedFields<PlannedValue>),
    /// The destinations in one of the lists.
    Destinations(usize, SelectedFields<DestinationField>),
}

/// A field of a destination.
#[derive(Debug)]
pub enum DestinationField {
    Typename(&'static str),
    Is(DestinationSource),
    Object(ObjectSelection),
}
