//! The kinds of objects as data.

use super::{AnyDetail, Detail, Head};
use crate::domain::{Kind, Patch, Problem, TenantId};
use crate::form::{Cell, Info, Source, Typed};

/// A kind of object with a detail, as data: the same code for all of them.
#[derive(Debug)]
pub struct KindInfo {
    /// The kind.
    pub kind: Kind,
    /// What its objects have besides: [`Numbered`](super::Numbered) or [`Named`](super::Named).
    pub head: &'static Info,
    /// Its detail.
    pub detail: &'static Info,
    /// See [`Detail::NEEDS_NUMBER`].
    pub needs_number: bool,
    /// See [`Detail::UNIQUE`].
    pub unique: &'static [&'static [&'static str]],
    /// See [`Detail::BESIDE`].
    pub beside: &'static [&'static str],
    /// See [`Detail::REPEATS`].
    pub repeats: bool,
    make: fn(&mut Source<'_>) -> Option<Box<dyn AnyDetail>>,
    make_head: fn(&mut Source<'_>) -> Option<Box<dyn Head>>,
}

impl KindInfo {
    pub(super) fn new<D: Detail>() -> Self {
        Self {
            kind: D::KIND,
            head: D::Head::info_of(),
            detail: D::info_of(),
            needs_number: D::NEEDS_NUMBER,
            unique: D::UNIQUE,
            beside: D::BESIDE,
            repeats: D::REPEATS,
            make: |source| D::make(source).map(|detail| Box::new(detail) as Box<dyn AnyDetail>),
            make_head: |source| <D::Head as Typed>::make(source).map(|head| Box::new(head) as Box<dyn Head>),
        }
    }

    /// A detail made of what a client sent alone, see [`Info::build`].
    pub fn build(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<Box<dyn AnyDetail>> {
        (self.make)(&mut Source::sent(self.detail, patch, report))
    }

    /// What an object has besides, made of what a client sent alone.
    pub fn build_head(&self, patch: &Patch, report: &mut dyn FnMut(Problem)) -> Option<Box<dyn Head>> {
        (self.make_head)(&mut Source::sent(self.head, patch, report))
    }

    /// A detail back from the stored form.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    pub fn load(&self, cells: Vec<Cell>, tenant: TenantId) -> Result<Box<dyn AnyDetail>, Problem> {
        Source::stored(self.detail, cells, tenant, self.make)
    }

    /// What an object has besides, back from its row.
    ///
    /// # Errors
    /// The rule that a stored value breaks.
    pub fn load_head(
        &self,
        number: Option<&str>,
        name: &str,
        description: &str,
        enabled: bool,
    ) -> Result<Box<dyn Head>, Problem> {
        let cell = |field: &str| match field {
            "number" => number.into(),
            "name" => name.into(),
            "description" => description.into(),
            _ => enabled.into(),
        };
        let cells = self.head.fields.iter().map(|field| Cell::Value(cell(field.name))).collect();
        // No field here holds an id, so the tenant is not asked for.
        Source::stored(self.head, cells, TenantId(0), self.make_head)
    }
}
