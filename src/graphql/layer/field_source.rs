//! Where the values of fields are read, as data: plans are compiled from this, see [`crate::graphql::plan`].

use crate::domain::{Code, DateTime, Kind, Problem, Scalar as _, ValueRef, json};
use crate::form::SectionInfo;

/// Where the value of a field is read.
#[derive(Clone, Copy, Debug)]
pub enum FieldSource {
    /// Unknown: only the layer's executor answers the field.
    Unspecified,
    /// A root field.
    Root(RootSource),
    /// From a tenant.
    Tenant(TenantSource),
    /// From a page of a list.
    Page(PageSource),
    /// From an edge of a page.
    Edge(EdgeSource),
    /// From the information about a page.
    PageInfo(PageInfoSource),
    /// From the object's own row.
    Row(RowColumn),
    /// A section of the object.
    Section(&'static SectionInfo),
    /// The field at an index of [`SectionInfo::fields`], in a section, a detail or an entry.
    Value(&'static SectionInfo, usize),
    /// The object or objects that the ids in such a field refer to.
    Reference(&'static SectionInfo, usize),
    /// From a destination.
    Destination(DestinationSource),
    /// The result of a save.
    Save(SaveMutation),
}

/// A mutation that saves a form or an object of another kind.
#[derive(Clone, Copy, Debug)]
pub struct SaveMutation {
    /// The kind of the object; `FormDefaults` for a tenant's defaults.
    pub kind: Kind,
    /// What is saved.
    pub operation: SaveKind,
    /// The name of the payload type.
    pub payload: &'static str,
}

/// What a mutation saves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SaveKind {
    /// A new object.
    New,
    /// Changes of an existing object.
    Changes,
    /// Changes of a tenant's defaults.
    Defaults,
    /// A copy of an existing object.
    Copy,
}

/// The root fields that plans answer.
#[derive(Clone, Copy, Debug)]
pub enum RootSource {
    /// The tenant with a code, or the selected one.
    Tenant,
    /// All tenants that the viewer sees.
    Tenants,
    /// The object or tenant with an id.
    Node,
    /// The objects or tenants with several ids.
    Nodes,
}

/// The fields of a tenant besides its settings.
#[derive(Clone, Copy, Debug)]
pub enum TenantSource {
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

/// The fields of a page.
#[derive(Clone, Copy, Debug)]
pub enum PageSource {
    /// The entries with their cursors.
    Edges,
    /// The entries.
    Nodes,
    /// The information about the page.
    Info,
    /// The number of entries on all pages.
    Total,
}

/// The fields of an edge.
#[derive(Clone, Copy, Debug)]
pub enum EdgeSource {
    /// The entry.
    Node,
    /// Its cursor.
    Cursor,
}

/// The fields of the information about a page.
#[derive(Clone, Copy, Debug)]
pub enum PageInfoSource {
    /// Whether there are entries after it.
    HasNext,
    /// Whether there are entries before it.
    HasPrevious,
    /// The cursor of its first entry.
    Start,
    /// The cursor of its last entry.
    End,
}

/// The columns of an object's own row, in the order of the table.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum RowColumn {
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
    /// When it was created.
    CreatedAt,
    /// When it was last saved.
    ChangedAt,
}

impl RowColumn {
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

    /// Writes a column's value as JSON, in the form that answers show. The id is not written: it needs its tenant.
    ///
    /// # Errors
    /// The stored value does not fit the column.
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
pub enum DestinationSource {
    /// The id of the object to go to.
    ObjectId,
    /// The number to dial.
    Number,
    /// The cause to hang up with.
    Hangup,
    /// The object to go to.
    Object,
}
