//! What a save is asked for with, and what comes of it.

use std::sync::Arc;

use crate::domain::{Kind, ObjectId, Patch, Problem, TenantId};
use crate::form::{Change, Sections};
use crate::store::ObjectRow;

/// What a save is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SaveTarget {
    /// A new object. The base of a virtual extension is the tenant's defaults.
    New(TenantId),
    /// An object that exists; its base is what is saved.
    Existing(ObjectId),
    /// The tenant's defaults themselves.
    Defaults(TenantId),
    /// A new object; its base is a copy of one that exists, without what belongs to that alone.
    CopyOf(ObjectId),
}

impl SaveTarget {
    pub(super) fn tenant(self) -> TenantId {
        match self {
            Self::New(tenant) | Self::Defaults(tenant) => tenant,
            Self::Existing(object) | Self::CopyOf(object) => object.tenant,
        }
    }
}

/// A save that somebody asks for.
#[derive(Clone, Debug)]
pub struct Save {
    /// The kind of the object; that of the defaults for a tenant's own.
    pub kind: Kind,
    /// What it is about.
    pub target: SaveTarget,
    /// What the client sent: sections of a form, or fields of an object of another kind.
    pub patch: Patch,
    /// The version that the client saw; another one refuses the save.
    pub expected_version: Option<i64>,
    /// Whether only to say what would happen.
    pub dry_run: bool,
    /// Whether what looks wrong is told. Where it is not, only those sections are loaded and checked that are sent, and
    /// those whose rules look at them: what is wrong in the others was before, and keeps nothing from being saved.
    pub tells_warnings: bool,
}

impl Save {
    /// The sections of a form that are checked.
    pub(super) fn checks(&self) -> Sections {
        let sent = Sections::sent(&self.patch);
        let changes = matches!(self.target, SaveTarget::Existing(_) | SaveTarget::Defaults(_));
        // The statements for each set of sections are kept: there are not to be too many.
        if changes && !self.tells_warnings && sent.count() <= 2 { sent.concerned() } else { Sections::ALL }
    }
}

/// What came of a save.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The object's own row as it is now, unless it was refused or is not made yet.
    pub object: Option<Arc<ObjectRow>>,
    /// Why it was refused: everything at once. Empty when it was saved.
    pub errors: Vec<Problem>,
    /// What looks wrong, but does not keep it from being saved.
    pub warnings: Vec<Problem>,
    /// The fields that were changed, or would be.
    pub changes: Vec<Change>,
}

impl Saved {
    pub(in crate::service) fn refused(problem: Problem) -> Self {
        Self { errors: vec![problem], ..Self::default() }
    }
}
