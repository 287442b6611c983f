//! Copying a virtual extension, and giving it another number.

use async_graphql::{Context, ID, InputObject, Result, SimpleObject};

use super::form::VirtualExtension;
use super::mutation::{FieldChange, UserError, object, tell_as_sent};
use super::removal::ObjectChange;
use super::scope::Scope;
use crate::domain::ExtensionNumberSent;
use crate::service::{Renumber, Renumbered};

/// A copy of a virtual extension.
#[derive(InputObject)]
pub struct VirtualExtensionCloneInput {
    /// The opaque id of the extension to copy.
    pub(super) id: ID,
    /// The number of the copy.
    pub(super) number: ExtensionNumberSent,
    /// The name of the copy.
    pub(super) name: String,
    /// Whether only to say what would happen.
    pub(super) dry_run: Option<bool>,
}

/// Another number for a virtual extension.
#[derive(InputObject)]
pub struct VirtualExtensionRenumberInput {
    /// The opaque id of the extension.
    id: ID,
    /// The new number.
    number: ExtensionNumberSent,
    /// Whether texts that equal the old number are changed too; left out, they are not.
    update_soft_references: Option<bool>,
    /// The version that the client saw; if another one is saved, nothing is changed.
    expected_version: Option<i64>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
}

/// What came of giving a virtual extension another number.
#[derive(SimpleObject)]
pub struct VirtualExtensionRenumberPayload {
    /// The extension as it is saved now; null when it does not exist for who asks.
    virtual_extension: Option<VirtualExtension>,
    /// Why nothing was saved: everything that is wrong, at once. Empty when it was saved.
    user_errors: Vec<UserError>,
    /// What looks wrong, but did not keep it from being saved.
    warnings: Vec<UserError>,
    /// The fields that were changed, or on a dry run would be.
    changes: Vec<FieldChange>,
    /// The texts that equal the old number: with `updateSoftReferences` they are changed, or on a dry run would be;
    /// without it, they are only shown.
    soft_changes: Vec<ObjectChange>,
}

pub(super) async fn renumber(
    ctx: &Context<'_>,
    input: VirtualExtensionRenumberInput,
) -> Result<VirtualExtensionRenumberPayload> {
    let VirtualExtensionRenumberInput { id, number, update_soft_references, expected_version, dry_run } = input;
    let renumber = Renumber {
        object: object(&id),
        number,
        update_soft_references: update_soft_references.unwrap_or(false),
        expected_version,
        dry_run: dry_run.unwrap_or(false),
    };
    let scope = Scope::of(ctx)?;
    let renumbered = scope.app.renumber(&scope.snapshot, scope.viewer()?, renumber).await;
    let Renumbered { mut saved, soft } = renumbered.map_err(|e| scope.surprise(&e))?;
    tell_as_sent(&mut saved.errors, "id", &id);
    let row = match saved.object {
        Some(id) => scope.object(id).await?,
        None => None,
    };
    Ok(VirtualExtensionRenumberPayload {
        virtual_extension: row.map(VirtualExtension),
        user_errors: saved.errors.into_iter().map(UserError::from).collect(),
        warnings: saved.warnings.into_iter().map(UserError::from).collect(),
        changes: saved.changes.into_iter().map(FieldChange::from).collect(),
        soft_changes: soft.changes.into_iter().map(ObjectChange::from).collect(),
    })
}
