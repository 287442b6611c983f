//! What a delete would do, told before anything is deleted.

use std::sync::Arc;

use super::references::{hard, token, too_many, unfit, with_references};
use crate::domain::{ObjectId, Problem};
use crate::service::document::Document;
use crate::service::effect::{Effect, Step, work_out};
use crate::store::{self, ObjectRow, Query, Result, StoreError};

/// What a delete would do.
#[derive(Clone, Debug)]
pub struct DeletePlan {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// Names the references that there are now.
    pub token: String,
    /// Whether something refers to the object by a key, so that BLOCK refuses.
    pub blocked: bool,
    /// What goes with the object.
    pub takes_along: Vec<String>,
    /// What DETACH would do; nothing when there are too many references, or it is not shown.
    pub detach: Effect,
    /// What REPLACE_WITH would do, when a replacement was named and it is shown.
    pub replace: Option<Effect>,
    /// Why DETACH and REPLACE_WITH are refused, whatever they would do.
    pub errors: Vec<Problem>,
}

/// Which effects a plan is asked for: working one out checks everything that refers to the object.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// That of DETACH.
    pub detach: bool,
    /// That of REPLACE_WITH.
    pub replace: bool,
}

impl DeletePlan {
    /// What deleting an object of a tenant would do; `None` when there is no such object.
    ///
    /// # Errors
    /// What the store answers.
    pub fn of(
        query: &mut Query<'_>,
        object: ObjectId,
        replacement: Option<ObjectId>,
        shown: Shown,
        now: i64,
    ) -> Result<Option<Self>> {
        let tenant = match store::current_tenant(query) {
            Err(StoreError::NoTenant) => return Ok(None),
            tenant => tenant?,
        };
        let Some((row, references)) = with_references(query, object)? else { return Ok(None) };
        let mut errors: Vec<_> = too_many(&references).into_iter().collect();
        let replacement_error = match replacement {
            Some(replacement) => unfit(query, object, replacement)?,
            None => None,
        };
        let owners = || hard(&references).map(|reference| Arc::clone(&reference.owner));
        let mut effect = |to| match errors.first() {
            Some(_) => Ok(Effect::default()),
            None => work_out(query, &tenant, owners(), &Step::Redirect(object, to), now).map(|(effect, _)| effect),
        };
        let detach = if shown.detach { effect(None)? } else { Effect::default() };
        let replace = match replacement.filter(|_| shown.replace && replacement_error.is_none()) {
            Some(replacement) => Some(effect(Some(replacement))?),
            None => None,
        };
        errors.extend(replacement_error);
        let takes_along = takes_along(query, &row)?;
        let (token, blocked) = (token(&row, &references), hard(&references).next().is_some());
        Ok(Some(Self { object: row, token, blocked, takes_along, detach, replace, errors }))
    }
}

fn takes_along(query: &mut Query<'_>, row: &ObjectRow) -> Result<Vec<String>> {
    Ok(Document::load_one(query, row)?.map(|document| document.takes_along()).unwrap_or_default())
}
