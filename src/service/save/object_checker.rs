//! Checks one object: loads the facts that the check needs, and looks for a number to suggest.

use std::sync::Arc;

use crate::domain::{ExtensionNumber, ObjectId, SecretText};
use crate::form::{Checked, Facts, Sections};
use crate::service::checkable::{Checkable, FormPart, Lookups};
use crate::service::document::Document;
use crate::service::tenant_facts;
use crate::store::{self, Query, Result, TenantRow};

/// What the check of one object needs besides the object.
pub(super) struct ObjectChecker<'a> {
    pub(super) tenant: &'a TenantRow,
    pub(super) own: Option<ObjectId>,
    pub(super) defaults: bool,
    pub(super) now: i64,
}

impl ObjectChecker<'_> {
    /// Checks some sections of a form, or an object of another kind.
    pub(super) fn check_some(
        &self,
        query: &mut Query<'_>,
        (document, sections, with_warnings): (&Document, Sections, bool),
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        match document {
            Document::Form(form) => self.check(query, &FormPart { form, sections, with_warnings }, new_password),
            Document::Detail(plain) => self.check(query, plain, new_password),
        }
    }

    pub(super) fn check(
        &self,
        query: &mut Query<'_>,
        document: &dyn Checkable,
        new_password: Option<SecretText>,
    ) -> Result<Checked> {
        let mut lookups = Lookups::default();
        document.collect_lookups(&mut lookups);
        let mut tenant = tenant_facts::load(query, self.tenant, lookups, self.now)?;
        // Nothing can lead to a new object yet, so it cannot be part of a loop.
        if self.own.is_some() {
            let next = document.certain_targets(&tenant);
            tenant_facts::follow(query, &mut tenant, next, self.now)?;
        }
        let mut facts =
            Facts { own: self.own, defaults: self.defaults, free_number: None, new_password, tenant: Arc::new(tenant) };
        facts.free_number = self.free_number(query, document, &facts)?;
        Ok(document.check(&facts))
    }

    /// A number to suggest instead of one that is taken or missing.
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
