//! Delete plans: what a delete would do, shown before anything is deleted.

use std::sync::Arc;

use super::references::{hard_references, load_with_references, plan_token, replacement_problem, too_many};
use crate::domain::{ObjectId, Problem};
use crate::service::document::Document;
use crate::service::effect::{Effect, ReferenceChange, compute_effect};
use crate::store::{self, ObjectRow, Query, Result, StoreError};

/// The plan of a delete: what it would do.
#[derive(Clone, Debug)]
pub struct DeletePlan {
    /// The object.
    pub object: Arc<ObjectRow>,
    /// Identifies the current references to the object.
    pub token: String,
    /// Whether other objects refer to the object by id, so that a delete with BLOCK is refused.
    pub blocked: bool,
    /// What is lost together with the object, in words.
    pub takes_along: Vec<String>,
    /// The effect of DETACH; empty if there are too many references or it was not requested.
    pub detach: Effect,
    /// The effect of REPLACE_WITH, if there is a replacement and it was requested.
    pub replace: Option<Effect>,
    /// Reasons why DETACH and REPLACE_WITH are refused, whatever their effect.
    pub errors: Vec<Problem>,
}

/// Which effects a plan shows. To compute one, all objects that refer to the object are checked.
#[derive(Clone, Copy, Debug)]
pub struct ShownEffects {
    /// The effect of DETACH.
    pub detach: bool,
    /// The effect of REPLACE_WITH.
    pub replace: bool,
}

impl DeletePlan {
    /// Plans the delete of an object; `None` if it does not exist.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn prepare(
        query: &mut Query<'_>,
        object: ObjectId,
        replacement: Option<ObjectId>,
        shown: ShownEffects,
        now: i64,
    ) -> Result<Option<Self>> {
        let tenant = match store::current_tenant(query) {
            Err(StoreError::NoTenant) => return Ok(None),
            tenant => tenant?,
        };
        let Some((row, references)) = load_with_references(query, object)? else { return Ok(None) };
        let mut errors: Vec<_> = too_many(&references).into_iter().collect();
        let replacement_error = match replacement {
            Some(replacement) => replacement_problem(query, object, replacement)?,
            None => None,
        };
        let owners = || hard_references(&references).map(|reference| Arc::clone(&reference.owner));
        let mut effect = |to| match errors.first() {
            Some(_) => Ok(Effect::default()),
            None => compute_effect(query, &tenant, owners(), &ReferenceChange::Redirect(object, to), now)
                .map(|(effect, _)| effect),
        };
        let detach = if shown.detach { effect(None)? } else { Effect::default() };
        let replace = match replacement.filter(|_| shown.replace && replacement_error.is_none()) {
            Some(replacement) => Some(effect(Some(replacement))?),
            None => None,
        };
        errors.extend(replacement_error);
        let takes_along = takes_along(query, &row)?;
        let (token, blocked) = (plan_token(&row, &references), hard_references(&references).next().is_some());
        Ok(Some(Self { object: row, token, blocked, takes_along, detach, replace, errors }))
    }
}

fn takes_along(query: &mut Query<'_>, row: &ObjectRow) -> Result<Vec<String>> {
    Ok(Document::load_one(query, row)?.map(|document| document.takes_along()).unwrap_or_default())
}
