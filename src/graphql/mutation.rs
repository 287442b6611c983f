//! What can be changed: every mutation is a save of a form, see [`crate::service::App::save`].

use std::sync::Arc;

use async_graphql::MaybeUndefined::Value;
use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::form::{NewVirtualExtension, VirtualExtension};
use super::renumber::{
    self, VirtualExtensionCloneInput, VirtualExtensionRenumberInput, VirtualExtensionRenumberPayload,
};
use super::scope::Scope;
use crate::domain::{Code, ObjectId, Problem};
use crate::form::{self, Change, FormPatch, InformationInput, each_section};
use crate::service::{Save, SaveTarget, Saved, Selected};
use crate::store::ObjectRow;

/// Something that is wrong with an input, or looks wrong.
#[derive(Debug, SimpleObject)]
pub struct UserError {
    /// Where in the input: names of input fields from the outermost inwards, positions in lists included.
    path: Vec<String>,
    /// The rule that was broken.
    code: Code,
    /// Field, rule and value in words.
    message: String,
    /// The offending value; never that of a secret.
    value: Option<String>,
    /// What would be accepted instead, when that can be said.
    suggestion: Option<String>,
    /// The other object that is the cause, when there is one.
    related_id: Option<ID>,
}

impl From<Problem> for UserError {
    fn from(problem: Problem) -> Self {
        let message = problem.message();
        let Problem { path, code, value, suggestion, related, .. } = problem;
        Self { path, code, message, value, suggestion, related_id: related.map(ObjectId::opaque) }
    }
}

/// A field whose value a save changes.
#[derive(Debug, SimpleObject)]
pub struct FieldChange {
    /// `section.field`.
    pub(super) path: String,
    /// The value before, as JSON; secrets show whether they were set.
    pub(super) before: String,
    /// The value after, as JSON; secrets show whether they are set.
    pub(super) after: String,
}

impl From<Change> for FieldChange {
    fn from(change: Change) -> Self {
        Self { path: change.path, before: change.before.to_string(), after: change.after.to_string() }
    }
}

/// A payload: what was saved, and what the save has to say.
macro_rules! payload {
    ($(#[$about:meta])* $Payload:ident, $(#[$doc:meta])* $name:ident: $Type:ident) => {
        $(#[$about])*
        #[derive(SimpleObject)]
        pub struct $Payload {
            $(#[$doc])*
            $name: Option<$Type>,
            /// Why nothing was saved: everything that is wrong, at once. Empty when it was saved.
            user_errors: Vec<UserError>,
            /// What looks wrong, but did not keep it from being saved.
            warnings: Vec<UserError>,
            /// The fields that were changed, or on a dry run would be.
            changes: Vec<FieldChange>,
        }

        impl $Payload {
            fn new(saved: Saved, row: Option<Arc<ObjectRow>>) -> Self {
                Self {
                    $name: row.map($Type),
                    user_errors: saved.errors.into_iter().map(UserError::from).collect(),
                    warnings: saved.warnings.into_iter().map(UserError::from).collect(),
                    changes: saved.changes.into_iter().map(FieldChange::from).collect(),
                }
            }
        }
    };
}

payload!(
    /// What came of saving a virtual extension.
    VirtualExtensionPayload,
    /// The extension as it is saved now; null when nothing is, as after errors on create or a dry run of one.
    virtual_extension: VirtualExtension
);
payload!(
    /// What came of saving a tenant's defaults.
    VirtualExtensionDefaultsPayload,
    /// The defaults as they are saved now; null when they do not exist for who asks.
    new_virtual_extension: NewVirtualExtension
);

/// A new virtual extension. What is left out is taken from the tenant's defaults.
#[derive(InputObject)]
pub struct VirtualExtensionCreateInput {
    /// The code of the tenant; left out, the selected one.
    tenant: Option<String>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
    /// The sections.
    #[graphql(flatten)]
    form: FormPatch,
}

/// Changes of a virtual extension. What is left out stays as it is.
#[derive(InputObject)]
pub struct VirtualExtensionUpdateInput {
    /// The opaque id of the extension.
    id: ID,
    /// The version that the client saw; if another one is saved, nothing is changed.
    expected_version: Option<i64>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
    /// The sections.
    #[graphql(flatten)]
    form: FormPatch,
}

/// Changes of a tenant's defaults. What is left out stays as it is.
#[derive(InputObject)]
pub struct VirtualExtensionDefaultsUpdateInput {
    /// The code of the tenant; left out, the selected one.
    tenant: Option<String>,
    /// The version that the client saw; if another one is saved, nothing is changed.
    expected_version: Option<i64>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
    /// The sections.
    #[graphql(flatten)]
    form: FormPatch,
}

/// What can be changed of whole forms.
#[derive(Default)]
pub struct FormMutation;

/// What can be changed of one section of a form. Apart from the others because async-graphql polls all fields of an object
/// in one function: its frame on the stack has room for the inputs of all of them.
#[derive(Default)]
pub struct SectionMutation;

macro_rules! mutations {
    ($($name:ident: $Section:ident / $Patch:ident / $Update:ident / $update:ident,)+) => {
        $(
            /// Changes of one section of a virtual extension. What is left out stays as it is.
            #[derive(InputObject)]
            pub struct $Update {
                /// The opaque id of the extension.
                id: ID,
                /// The version that the client saw; if another one is saved, nothing is changed.
                expected_version: Option<i64>,
                /// Whether only to say what would happen.
                dry_run: Option<bool>,
                /// The section.
                $name: form::$Patch,
            }
        )+

        /// What can be changed of whole forms.
        #[Object]
        impl FormMutation {
            /// Makes a virtual extension.
            async fn virtual_extension_create(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The new extension.")] input: VirtualExtensionCreateInput,
            ) -> Result<VirtualExtensionPayload> {
                let tenant = match tenant(ctx, input.tenant).await? {
                    Ok(tenant) => tenant,
                    Err(unknown) => return Ok(VirtualExtensionPayload::new(unknown, None)),
                };
                extension(ctx, (SaveTarget::New(tenant), None), None, input.dry_run, input.form).await
            }

            /// Changes any subset of a virtual extension's sections in one go: all of it is saved, or nothing.
            async fn virtual_extension_update(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The changes.")] input: VirtualExtensionUpdateInput,
            ) -> Result<VirtualExtensionPayload> {
                existing(ctx, &input.id, input.expected_version, input.dry_run, input.form).await
            }

            /// Changes the defaults that a tenant's new virtual extensions open with.
            async fn virtual_extension_defaults_update(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The changes.")] input: VirtualExtensionDefaultsUpdateInput,
            ) -> Result<VirtualExtensionDefaultsPayload> {
                let tenant = match tenant(ctx, input.tenant).await? {
                    Ok(tenant) => tenant,
                    Err(unknown) => return Ok(VirtualExtensionDefaultsPayload::new(unknown, None)),
                };
                let target = SaveTarget::Defaults(tenant);
                let (saved, row) = save(ctx, target, input.expected_version, input.dry_run, input.form).await?;
                Ok(VirtualExtensionDefaultsPayload::new(saved, row))
            }

            /// Makes a virtual extension that is like another one, but for its number and name. What belongs to one alone is
            /// not copied: secrets, the login, the lock, and the reference id.
            async fn virtual_extension_clone(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "What to copy.")] input: VirtualExtensionCloneInput,
            ) -> Result<VirtualExtensionPayload> {
                let VirtualExtensionCloneInput { id, number, name, dry_run } = input;
                let (number, name) = (Value(number), Value(name));
                let patch = InformationInput { number, name, ..InformationInput::default() };
                extension(ctx, (SaveTarget::CopyOf(object(&id)), Some(&id)), None, dry_run, patch.into()).await
            }

            /// Gives a virtual extension another number. What points at it by id follows by itself; texts that equal the
            /// old number, such as follow-me targets and short numbers, are shown, and changed when that is asked for.
            async fn virtual_extension_renumber(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The new number.")] input: VirtualExtensionRenumberInput,
            ) -> Result<VirtualExtensionRenumberPayload> {
                renumber::renumber(ctx, input).await
            }
        }

        /// What can be changed of one section of a form.
        #[Object]
        impl SectionMutation {
            $(#[doc = concat!("Changes the section `", stringify!($name), "` of a virtual extension.")]
            async fn $update(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The changes.")] input: $Update,
            ) -> Result<VirtualExtensionPayload> {
                existing(ctx, &input.id, input.expected_version, input.dry_run, input.$name.into()).await
            })+
        }
    };
}
each_section!(mutations);

/// The tenant that an input names or the request selects, or the refusal when it does not exist for who asks.
pub(super) async fn tenant(ctx: &Context<'_>, code: Option<String>) -> Result<Result<crate::domain::TenantId, Saved>> {
    let scope = Scope::of(ctx)?;
    let value = match (&code, &scope.viewer()?.selected) {
        (None, Selected::Unknown(code)) => code.clone(),
        (code, _) => code.clone(),
    };
    let problem = Problem::new(Code::NotFound, "must be the code of a tenant that the token opens").under("tenant");
    let problem = Problem { value, ..problem };
    let row = scope.tenant(code).await?;
    Ok(row.map(|row| row.id).ok_or_else(|| Saved { errors: vec![problem], ..Saved::default() }))
}

/// Tells a name that was not found as it was sent: what saves knows only what it leads to, which is nothing.
pub(super) fn tell_as_sent(problems: &mut [Problem], field: &str, sent: &str) {
    let unknown = problems.iter_mut().filter(|problem| problem.code == Code::NotFound && problem.path == [field]);
    unknown.for_each(|problem| problem.value = Some(sent.to_owned()));
}

/// The object behind an id. One that no server handed out answers like one that does not exist: there is no tenant 0.
pub(super) fn object(id: &ID) -> ObjectId {
    ObjectId::of_opaque(id).unwrap_or(ObjectId { tenant: crate::domain::TenantId(0), local: 0 })
}

async fn existing(
    ctx: &Context<'_>,
    id: &ID,
    expected_version: Option<i64>,
    dry_run: Option<bool>,
    patch: FormPatch,
) -> Result<VirtualExtensionPayload> {
    extension(ctx, (SaveTarget::Existing(object(id)), Some(id)), expected_version, dry_run, patch).await
}

/// Saves, for a target and the id that names it, if one does.
async fn extension(
    ctx: &Context<'_>,
    (target, id): (SaveTarget, Option<&ID>),
    expected_version: Option<i64>,
    dry_run: Option<bool>,
    patch: FormPatch,
) -> Result<VirtualExtensionPayload> {
    let (mut saved, row) = save(ctx, target, expected_version, dry_run, patch).await?;
    if let Some(id) = id {
        tell_as_sent(&mut saved.errors, "id", id);
    }
    Ok(VirtualExtensionPayload::new(saved, row))
}

async fn save(
    ctx: &Context<'_>,
    target: SaveTarget,
    expected_version: Option<i64>,
    dry_run: Option<bool>,
    patch: FormPatch,
) -> Result<(Saved, Option<Arc<ObjectRow>>)> {
    let scope = Scope::of(ctx)?;
    let save = Save { target, patch, expected_version, dry_run: dry_run.unwrap_or(false) };
    let saved = scope.app.save(&scope.snapshot, scope.viewer()?, save).await.map_err(|e| scope.surprise(&e))?;
    let row = match saved.object {
        Some(id) => scope.object(id).await?,
        None => None,
    };
    Ok((saved, row))
}
