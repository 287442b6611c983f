//! Descriptions of the kinds of objects as data.

use super::{AnyDetail, CommonFields, Detail};
use crate::domain::{Kind, Patch, Problem, TenantId};
use crate::form::{Cell, SectionInfo, Source, Typed};

/// Describes a kind of object with a detail, so that the same code can work on all of them.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// Its common fields: [`Numbered`](super::Numbered) or [`Named`](super::Named).
    pub common: &'static SectionInfo,
    /// The fields of its detail.
    pub detail: &'static SectionInfo,
    /// See [`Detail::NEEDS_NUMBER`].
    pub needs_number: bool,
    /// See [`Detail::UNIQUE`].
    pub unique: &'static [&'static [&'static str]],
    /// See [`Detail::PARALLEL_LISTS`].
    pub parallel_lists: &'static [&'static str],
    /// See [`Detail::MAY_LEAD_BACK`].
    pub may_lead_back: bool,
    make: fn(&mut Source<'_>) -> Option<Box<dyn AnyDetail>>,
    make_common: fn(&mut Source<'_>) -> Option<Box<dyn CommonFields>>,
}

impl KindInfo {
    pub(super) fn new<D: Detail>() -> Self {
        Self {
            kind: D::KIND,
            common: D::Common::section_info(),
            detail: D::section_info(),
            needs_number: D::NEEDS_NUMBER,
            unique: D::UNIQUE,
            parallel_lists: D::PARALLEL_LISTS,
            may_lead_back: D::MAY_LEAD_BACK,
            make: |source| D::make(source).map(|detail| Box::new(detail) as Box<dyn AnyDetail>),
            make_common: |source| {
                <D::Common as Typed>::make(source).map(|common| Box::new(common) as Box<dyn CommonFields>)
            },
        }
    }

    /// Builds a detail from a client's input alone, see [`SectionInfo::build`].
    pub fn build(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<Box<dyn AnyDetail>> {
        (self.make)(&mut Source::sent(self.detail, patch, report))
    }

    /// Builds the common fields from a client's input alone.
    pub fn build_common(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<Box<dyn CommonFields>> {
        (self.make_common)(&mut Source::sent(self.common, patch, report))
    }

    /// Loads a detail from its stored form.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    pub fn load(&self, cells: Vec<Cell>, tenant: TenantId) -> Result<Box<dyn AnyDetail>, Problem> {
        Source::stored(self.detail, cells, tenant, self.make)
    }

    /// Loads the common fields from an object's row.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    pub fn load_common(
        &self,
        number: Option<&str>,
        name: &str,
        description: &str,
        enabled: bool,
    ) -> Result<Box<dyn CommonFields>, Problem> {
        let cell = |field: &str| match field {
            "number" => number.into(),
            "name" => name.into(),
            "description" => description.into(),
            _ => enabled.into(),
        };
        let cells = self.common.fields.iter().map(|field| Cell::Value(cell(field.name))).collect();
        // None of these fields holds an id, so the tenant does not matter.
        Source::stored(self.common, cells, TenantId(0), self.make_common)
    }
}
