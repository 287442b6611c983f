//! The check of one object: what it asks is gathered, and what could be suggested is looked for.

use std::sync::Arc;

use crate::domain::{ExtensionNumber, ObjectId, SecretText};
use crate::form::{Checked, Facts, Sections};
use crate::service::checkable::{Asks, Checkable, Part};
use crate::service::document::Document;
use crate::service::facts;
use crate::store::{self, Query, Result, TenantRow};

/// What the check of one object works with besides the object.
pub(super) struct Setting<'a> {
    pub(super) tenant: &'a TenantRow,
    pub(super) own: Option<ObjectId>,
    pub(super) defaults: bool,
    pub(super) now: i64,
}

impl Setting<'_> {
    /// Checks some sections of a form, or an object of another kind.
    pub(super) fn check_some(
        &self,
        query: &mut Query<'_>,
        (document, sections, warns): (&Document, Sections, bool),
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        match document {
            Document::Form(form) => self.check(query, &Part { form, sections, warns }, new_password),
            Document::Plain(plain) => self.check(query, plain, new_password),
        }
    }

    pub(super) fn check(
        &self,
        query: &mut Query<'_>,
        document: &dyn Checkable,
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        let mut asks = Asks::default();
        document.ask(&mut asks);
        let mut around = facts::gather(query, self.tenant, asks, self.now)?;
        // What nothing can lead to yet closes no circle.
        if self.own.is_some() {
            let next = document.surely(&around);
            facts::follow(query, &mut around, next, self.now)?;
        }
        let mut facts =
            Facts { own: self.own, defaults: self.defaults, free_number: None, new_password, around: Arc::new(around) };
        facts.free_number = self.free_number(query, document, &facts)?;
        Ok(document.check(&facts))
    }

    /// What could be suggested in place of a number that is taken, or missing.
    fn free_number(
        &self,
        query: &mut Query<'_>,
        document: &dyn Checkable,
        facts: &Facts,
    ) -> Result<Option<ExtensionNumber>> {
        match document.number().map(ExtensionNumber::as_str) {
            Some(number) if facts.other_holder(number).is_some() || facts.parking(number).is_some() => {
                store::free_number_behind(query, number)
            }
            None if document.needs_number() && !self.defaults => store::free_number_behind(query, "099"),
            _ => Ok(None),
        }
    }
}
