//! Making and changing objects that are not forms: the same for every kind.

use std::borrow::Cow;

use async_graphql::{Context, ID, InputObject, Object, OutputType, Result, SimpleObject, TypeName};

use super::mutation::{FieldChange, UserError, object, tell_as_sent, tenant};
use super::objects::Shown;
use super::scope::Scope;
use crate::form::Section;
use crate::objects::{self, Detail, each_detail};
use crate::service::{PlainPatch, Save, SaveTarget, Saved};

/// A new object. What is left out is blank.
#[derive(InputObject)]
#[graphql(name_type)]
pub struct ObjectCreateInput<D: Shown> {
    /// The code of the tenant; left out, the selected one.
    tenant: Option<String>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
    /// What every object has.
    #[graphql(flatten)]
    head: <<D as Detail>::Head as Section>::Patch,
    /// What its kind adds.
    #[graphql(flatten)]
    detail: <D as Section>::Patch,
}

/// Changes of an object. What is left out stays as it is, `null` clears.
#[derive(InputObject)]
#[graphql(name_type)]
pub struct ObjectUpdateInput<D: Shown> {
    /// The opaque id of the object.
    id: ID,
    /// The version that the client saw; if another one is saved, nothing is changed.
    expected_version: Option<i64>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
    /// What every object has.
    #[graphql(flatten)]
    head: <<D as Detail>::Head as Section>::Patch,
    /// What its kind adds.
    #[graphql(flatten)]
    detail: <D as Section>::Patch,
}

/// What came of saving an object.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct ObjectPayload<D: Shown> {
    /// The object as it is saved now; null when nothing is, as after errors on create or a dry run of one.
    object: Option<D::Object>,
    /// Why nothing was saved: everything that is wrong, at once. Empty when it was saved.
    user_errors: Vec<UserError>,
    /// What looks wrong, but did not keep it from being saved.
    warnings: Vec<UserError>,
    /// The fields that were changed, or on a dry run would be.
    changes: Vec<FieldChange>,
}

/// `Queue` with `CreateInput` is `QueueCreateInput`.
macro_rules! named {
    ($Type:ident, $end:literal) => {
        impl<D: Shown> TypeName for $Type<D> {
            fn type_name() -> Cow<'static, str> {
                (<D::Object as OutputType>::type_name() + $end).into_owned().into()
            }
        }
    };
}
named!(ObjectCreateInput, "CreateInput");
named!(ObjectUpdateInput, "UpdateInput");
named!(ObjectPayload, "Payload");

/// What can be changed of objects that are not forms.
#[derive(Default)]
pub struct ObjectMutation;

macro_rules! mutations {
    ($($Kind:ident / $field:ident / $list:ident / $create:ident / $update:ident / $delete:ident / $plan:ident,)+) => {
        /// What can be changed of objects that are not forms.
        #[Object]
        impl ObjectMutation {
            $(
                #[doc = concat!("Makes an object of the type `", stringify!($Kind), "`.")]
                async fn $create(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "The new object.")] input: ObjectCreateInput<objects::$Kind>,
                ) -> Result<ObjectPayload<objects::$Kind>> {
                    create(ctx, input).await
                }

                #[doc = concat!("Changes an object of the type `", stringify!($Kind), "`.")]
                async fn $update(
                    &self,
                    ctx: &Context<'_>,
                    #[graphql(desc = "The changes.")] input: ObjectUpdateInput<objects::$Kind>,
                ) -> Result<ObjectPayload<objects::$Kind>> {
                    update(ctx, input).await
                }
            )+
        }
    };
}
each_detail!(mutations);

async fn create<D: Shown>(ctx: &Context<'_>, input: ObjectCreateInput<D>) -> Result<ObjectPayload<D>> {
    let ObjectCreateInput { tenant: code, dry_run, head, detail } = input;
    match tenant(ctx, code).await? {
        Ok(tenant) => save(ctx, (SaveTarget::New(tenant), None), None, dry_run, PlainPatch { head, detail }).await,
        Err(unknown) => payload(ctx, unknown).await,
    }
}

async fn update<D: Shown>(ctx: &Context<'_>, input: ObjectUpdateInput<D>) -> Result<ObjectPayload<D>> {
    let ObjectUpdateInput { id, expected_version, dry_run, head, detail } = input;
    let target = (SaveTarget::Existing(object(&id)), Some(&id));
    save(ctx, target, expected_version, dry_run, PlainPatch { head, detail }).await
}

/// Saves, for a target and the id that names it, if one does.
async fn save<D: Shown>(
    ctx: &Context<'_>,
    (target, id): (SaveTarget, Option<&ID>),
    expected_version: Option<i64>,
    dry_run: Option<bool>,
    patch: PlainPatch<D>,
) -> Result<ObjectPayload<D>> {
    let scope = Scope::of(ctx)?;
    let save = Save { target, patch, expected_version, dry_run: dry_run.unwrap_or(false) };
    let saved = scope.app.save_object(&scope.snapshot, scope.viewer()?, save).await;
    let mut saved = saved.map_err(|e| scope.surprise(&e))?;
    if let Some(id) = id {
        tell_as_sent(&mut saved.errors, "id", id);
    }
    payload(ctx, saved).await
}

async fn payload<D: Shown>(ctx: &Context<'_>, saved: Saved) -> Result<ObjectPayload<D>> {
    let row = match saved.object {
        Some(id) => Scope::of(ctx)?.object(id).await?,
        None => None,
    };
    Ok(ObjectPayload {
        object: row.map(D::Object::from),
        user_errors: saved.errors.into_iter().map(UserError::from).collect(),
        warnings: saved.warnings.into_iter().map(UserError::from).collect(),
        changes: saved.changes.into_iter().map(FieldChange::from).collect(),
    })
}
