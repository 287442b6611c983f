//! What a plan consists of.

use async_graphql::{Name, Pos};

use super::reading::PlannedRead;
use crate::domain::Kind;
use crate::graphql::layer::{Argument, OfPageInfo, OfRow, OfSave, OfStep, SchemaField, Text};
use crate::service::{Selected, Viewer};
use crate::store::TenantRow;

/// What a query reads and answers.
#[derive(Debug)]
pub struct QueryPlan {
    pub(super) root: SelectedFields<Root>,
    /// The columns of own rows that are read, besides id and kind.
    pub(super) columns: Vec<OfRow>,
    /// How many [`PlannedRead`]s there are.
    pub(super) readings: usize,
    /// Whether the rows that it reads are all that the answer depends on: not the time, say.
    pub(super) only_rows: bool,
}

impl QueryPlan {
    /// The one tenant that the answer depends on, when it depends on nothing else.
    pub fn tenant<'a>(&self, viewer: &'a Viewer) -> Option<&'a TenantRow> {
        let Selected::Tenant(selected) = &viewer.selected else { return None };
        if !self.only_rows {
            return None;
        }
        let is_selected = |root: &Root| match root {
            Root::Typename(_) => true,
            Root::Tenant(asked, _) => asked.arguments.is_empty(),
            Root::Tenants(_) | Root::Node(..) | Root::Nodes(..) | Root::Worked(_) | Root::Change(_) => false,
        };
        self.root.0.iter().all(|entry| is_selected(&entry.what)).then_some(&**selected)
    }

    /// Whether it is that of a mutation.
    pub fn changes_something(&self) -> bool {
        self.root.0.iter().any(|entry| matches!(entry.what, Root::Change(_)))
    }

    /// The root field at a place, if it changes something, and not the name of the type; `None` behind the last one.
    pub fn change(&self, at: usize) -> Option<Option<&PlannedMutation>> {
        let entry = self.root.0.get(at)?;
        Some(if let Root::Change(change) = &entry.what { Some(change) } else { None })
    }
}

/// What is selected of something, in the order of the answer.
#[derive(Debug)]
pub struct SelectedFields<W>(pub Vec<Entry<W>>);

/// A key of an answer.
#[derive(Debug)]
pub struct Entry<W> {
    /// The key with its quotes and the colon behind it.
    pub key: Box<[u8]>,
    /// What it costs besides what it answers.
    pub price: u64,
    pub what: W,
}

/// A field whose arguments a request fills in.
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
    Node(PlannedField, Any),
    Nodes(PlannedField, Any),
    Worked(Worked),
    /// A field of a mutation.
    Change(PlannedMutation),
}

/// A field of a mutation.
#[derive(Debug)]
pub struct PlannedMutation {
    pub worked: Worked,
    /// What it saves, where it saves a form or an object of another kind.
    pub save: Option<OfSave>,
    /// Its key, and where in the document it stands.
    pub at: (Name, Pos),
}

/// A field that works out what it answers: from what it is a field of, or by reads of its own.
#[derive(Debug)]
pub struct Worked {
    pub asked: PlannedField,
    /// The names of the fields that are selected of what it answers.
    pub selected: Vec<Text>,
    pub what: What,
}

/// What is selected of what a field has worked out: of one, or of each entry of a list.
#[derive(Debug)]
pub enum What {
    /// A value.
    Plain,
    /// An object that has a row.
    Object(Objects),
    /// A tenant.
    Tenant(SelectedFields<Tenant>),
    /// What only the field knows.
    Thing(SelectedFields<OfThing>),
}

impl What {
    /// The names of the fields that are selected.
    pub fn selected(&self) -> Vec<Text> {
        let Self::Thing(fields) = self else { return Vec::new() };
        let name = |entry: &Entry<OfThing>| match &entry.what {
            OfThing::Field(worked) => Some(worked.asked.field.name.clone()),
            OfThing::Typename(_) => None,
        };
        fields.0.iter().filter_map(name).collect()
    }
}

/// A field of what only another field knows.
#[derive(Debug)]
pub enum OfThing {
    Typename(&'static str),
    Field(Worked),
}

/// What is selected of what has an id.
#[derive(Debug)]
pub struct Any {
    pub tenant: SelectedFields<Tenant>,
    pub objects: Objects,
}

/// A field of a tenant.
#[derive(Debug)]
pub enum Tenant {
    Typename(&'static str),
    Id,
    Revision,
    /// The setting at a position.
    Setting(usize),
    Defaults(Objects),
    One(Single),
    Page(PlannedPage),
    /// A field that reads, and its place in [`super::found::FoundData::worked`].
    Worked(usize, Worked),
}

/// One object of a kind.
#[derive(Debug)]
pub struct Single {
    pub id: usize,
    pub asked: PlannedField,
    pub kind: Kind,
    pub objects: Objects,
}

/// A page of objects of a kind.
#[derive(Debug)]
pub struct PlannedPage {
    pub id: usize,
    pub asked: PlannedField,
    pub kind: Kind,
    pub fields: SelectedFields<PageField>,
    /// Whether all of them are counted.
    pub total: bool,
}

/// A field of a page.
#[derive(Debug)]
pub enum PageField {
    Typename(&'static str),
    Edges(SelectedFields<EdgeField>),
    Nodes(Objects),
    Info(SelectedFields<PageInfoField>),
    Total,
}

/// A field of an entry of a page.
#[derive(Debug)]
pub enum EdgeField {
    Typename(&'static str),
    Node(Objects),
    Cursor,
}

/// A field of what is said of a page.
#[derive(Debug)]
pub enum PageInfoField {
    Typename(&'static str),
    Is(OfPageInfo),
}

/// What is selected of objects in one place.
#[derive(Debug)]
pub struct Objects {
    /// For the type that they have; or for each type that a fragment names, and one for all others.
    pub shapes: Vec<ObjectShape>,
    /// Whether their own rows are needed, if only to know of what kind they are.
    pub needs_rows: bool,
}

impl Objects {
    /// What is selected of objects of a kind; with only one type, the objects are known to have it.
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

/// What is selected of objects of one type.
#[derive(Debug)]
pub struct ObjectShape {
    /// The kind of these objects; `None` for any that has no shape of its own.
    pub kind: Option<Kind>,
    pub fields: SelectedFields<OfObject>,
    pub reading: Option<PlannedRead>,
}

/// A field of an object.
#[derive(Debug)]
pub enum OfObject {
    Typename(&'static str),
    Row(OfRow),
    /// A section.
    Section(SelectedFields<PlannedValue>),
    /// A value of the detail.
    Detail(PlannedValue),
    /// A field that reads, for all objects of a level at once, and its place in [`super::found::FoundData::worked`].
    Worked(usize, Worked),
}

/// A value of a section, a detail or an entry.
#[derive(Debug)]
pub enum PlannedValue {
    Typename(&'static str),
    /// One of the cells.
    Cell(usize),
    /// One of the cells, which is a list.
    Many(usize),
    /// One of the lists: the ids themselves.
    Ids(usize),
    /// What one of the leads leads to.
    One(usize, Objects),
    /// What the ids of one of the lists lead to.
    All(usize, Objects),
    /// The entries of one of the lists.
    Entries(usize, SelectedFields<PlannedValue>),
    /// The destinations of one of the lists.
    Steps(usize, SelectedFields<DestinationField>),
}

/// A field of a destination.
#[derive(Debug)]
pub enum DestinationField {
    Typename(&'static str),
    Is(OfStep),
    Object(Objects),
}
