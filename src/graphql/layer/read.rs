//! Where the answer of a field is read, said as data: what a plan is compiled from, see [`crate::graphql::plan`].

use crate::domain::{Code, DateTime, Kind, Problem, Scalar as _, ValueRef, json};
use crate::form::SectionInfo;

/// Where the answer of a field is read.
#[derive(Clone, Copy, Debug)]
pub enum FieldSource {
    /// Nobody says: only the layer's executor answers it.
    Unsaid,
    /// A root field.
    Root(OfRoot),
    /// From a tenant.
    Tenant(OfTenant),
    /// From a page of a list.
    Page(OfPage),
    /// From an entry of a page.
    Edge(OfEdge),
    /// From what is said of a page.
    PageInfo(OfPageInfo),
    /// From an object's own row.
    Row(OfRow),
    /// A section of the object.
    Section(&'static SectionInfo),
    /// The field at a position of [`SectionInfo::fields`], of a section, a detail or an entry.
    Value(&'static SectionInfo, usize),
    /// The object or the objects behind the ids in such a field.
    Lead(&'static SectionInfo, usize),
    /// From a destination.
    Step(OfStep),
    /// From what comes of a save.
    Save(OfSave),
}

/// A mutation that saves a form or an object of another kind.
#[derive(Clone, Copy, Debug)]
pub struct OfSave {
    /// The kind of the object; that of the defaults for a tenant's own.
    pub kind: Kind,
    /// What of it.
    pub what: SaveWhat,
    /// The name of the type that it answers.
    pub payload: &'static str,
}

/// What of an object a mutation saves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaveWhat {
    /// A new one.
    New,
    /// Changes of one that is there.
    Changes,
    /// Changes of a tenant's defaults.
    Defaults,
    /// A copy of one that is there.
    Copy,
}

/// The root fields that plans answer.
#[derive(Clone, Copy, Debug)]
pub enum OfRoot {
    /// The tenant with a code, or the selected one.
    Tenant,
    /// All tenants that the viewer sees.
    Tenants,
    /// What has an id.
    Node,
    /// What has some ids.
    Nodes,
}

/// What is read from a tenant, besides the values of its settings.
#[derive(Clone, Copy, Debug)]
pub enum OfTenant {
    /// Its id.
    Id,
    /// Its revision.
    Revision,
    /// The template of new virtual extensions.
    Defaults,
    /// One object of a kind.
    One(Kind),
    /// A page of objects of a kind.
    Page(Kind),
}

/// What is read from a page.
#[derive(Clone, Copy, Debug)]
pub enum OfPage {
    /// The entries with their cursors.
    Edges,
    /// The entries.
    Nodes,
    /// Where it stands.
    Info,
    /// How many entries all pages have together.
    Total,
}

/// What is read from an entry of a page.
#[derive(Clone, Copy, Debug)]
pub enum OfEdge {
    /// The entry.
    Node,
    /// Its place.
    Cursor,
}

/// What is said of a page.
#[derive(Clone, Copy, Debug)]
pub enum OfPageInfo {
    /// Whether something stands behind it.
    HasNext,
    /// Whether something stands before it.
    HasPrevious,
    /// The cursor of its first entry.
    Start,
    /// The cursor of its last entry.
    End,
}

/// The columns of an object's own row, in the order of the table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum OfRow {
    /// The id.
    Id,
    /// The kind.
    Kind,
    /// The number.
    Number,
    /// The name.
    Name,
    /// The description.
    Description,
    /// Whether it is in use.
    Enabled,
    /// The version.
    Version,
    /// When it was made.
    CreatedAt,
    /// When it was last saved.
    ChangedAt,
}

impl OfRow {
    /// The column's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "object_id",
            Self::Kind => "kind",
            Self::Number => "number",
            Self::Name => "name",
            Self::Description => "description",
            Self::Enabled => "enabled",
            Self::Version => "version",
            Self::CreatedAt => "created_at",
            Self::ChangedAt => "changed_at",
        }
    }

    /// Writes what stands in the column as JSON, as answers show it. An id is none without its tenant.
    ///
    /// # Errors
    /// It is none.
    pub fn write(self, stored: ValueRef<'_>, json: &mut Vec<u8>) -> Result<(), Problem> {
        let misplaced = || Problem::new(Code::InvalidFormat, "is stored in a form that this column does not have");
        match (self, stored) {
            (Self::Number, ValueRef::Null) => json::write(&(), json),
            (Self::Number | Self::Name | Self::Description | Self::Kind, ValueRef::Text(text)) => {
                json::write(text, json);
            }
            (Self::Enabled, stored) => bool::write(stored, json)?,
            (Self::Version, ValueRef::Int(version)) => json::write(&version, json),
            (Self::CreatedAt | Self::ChangedAt, stored) => DateTime::write(stored, json)?,
            _ => return Err(misplaced()),
        }
        Ok(())
    }
}

/// What is read from a destination.
#[derive(Clone, Copy, Debug)]
pub enum OfStep {
    /// The id of the object to go to.
    ObjectId,
    /// The number to dial.
    Number,
    /// The cause to hang up with.
    Hangup,
    /// The object to go to.
    Object,
}
