//! Requests and results of saves.

use std::sync::Arc;

use crate::domain::{Kind, ObjectId, Patch, Problem, TenantId};
use crate::form::{Change, Sections};
use crate::store::ObjectRow;

/// The target of a save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SaveTarget {
    /// A new object. A virtual extension is based on the tenant's defaults.
    New(TenantId),
    /// An existing object, based on its saved state.
    Existing(ObjectId),
    /// The tenant's defaults themselves.
    Defaults(TenantId),
    /// A new object based on a copy of an existing one, without the values that must not be shared, such as secrets.
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

/// A request for a save.
#[derive(Clone, Debug)]
pub struct Save {
    /// The kind of the object; for a tenant's defaults, their own kind.
    pub kind: Kind,
    /// The target.
    pub target: SaveTarget,
    /// What the client sent: sections of a form, or fields of an object of another kind.
    pub patch: Patch,
    /// The version that the client expects. The save is refused if the object has another one.
    pub expected_version: Option<i64>,
    /// Whether to report only what would happen.
    pub dry_run: bool,
    /// Whether to report warnings. Otherwise only the sections that were sent, and those whose rules depend on them,
    /// are loaded and checked: errors in the other sections already existed and do not prevent the save.
    pub report_warnings: bool,
}

impl Save {
    /// The sections of a form that are checked.
    pub(super) fn checks(&self) -> Sections {
        let sent = Sections::sent(&self.patch);
        let changes = matches!(self.target, SaveTarget::Existing(_) | SaveTarget::Defaults(_));
        // The statements for each set of sections are cached, so there must not be too many sets.
        if changes && !self.report_warnings && sent.count() <= 2 { sent.affected() } else { Sections::ALL }
    }
}

/// The result of a save.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// The row of the object as it is now; `None` if it does not exist or was not looked up.
    pub object: Option<Arc<ObjectRow>>,
    /// All reasons why the save was refused; empty if it was not refused.
    pub errors: Vec<Problem>,
    /// Warnings, which do not prevent the save.
    pub warnings: Vec<Problem>,
    /// The fields that were changed; for a dry run, those that would be changed.
    pub changes: Vec<Change>,
}

impl Saved {
    pub(in crate::service) fn refused(problem: Problem) -> Self {
        Self { errors: vec![problem], ..Self::default() }
    }
}
