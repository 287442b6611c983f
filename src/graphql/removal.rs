//! Deleting: the plan of a delete, and the delete itself, the same for every kind.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::mutation::{FieldChange, UserError, object, tell_as_sent};
use super::objects::PbxObject;
use super::referrers::{self, ObjectReferenceConnection};
use super::scope::{Nullable, Scope};
use crate::domain::{Kind, ObjectId};
use crate::objects::each_detail;
use crate::service::{self, Delete, Effect, OnReferences, Shown, label};

/// A delete.
#[derive(InputObject)]
pub struct ObjectDeleteInput {
    /// The opaque id of the object.
    id: ID,
    /// The version that the client saw; if another one is saved, nothing is deleted.
    expected_version: Option<i64>,
    /// What is to become of what refers to the object; left out, BLOCK.
    on_references: Option<OnReferences>,
    /// With REPLACE_WITH, the id of the object that takes its place.
    replacement: Option<ID>,
    /// The token of the plan of the delete; required unless nothing refers to the object, or onReferences is BLOCK.
    plan_token: Option<String>,
    /// Whether only to say what would happen.
    dry_run: Option<bool>,
}

/// A field of an object whose value changes.
#[derive(SimpleObject)]
pub struct ObjectChange {
    /// The object; null for the tenant's defaults.
    object: Option<PbxObject>,
    /// Number and name of the object.
    label: String,
    /// The field, and its values before and after.
    #[graphql(flatten)]
    change: FieldChange,
}

/// Something that is wrong with an object, or looks wrong.
#[derive(SimpleObject)]
pub struct ObjectProblem {
    /// The object; null for the tenant's defaults.
    object: Option<PbxObject>,
    /// Number and name of the object.
    label: String,
    /// What it is.
    #[graphql(flatten)]
    problem: UserError,
}

impl From<service::ObjectChange> for ObjectChange {
    fn from(service::ObjectChange { object, change }: service::ObjectChange) -> Self {
        Self { label: label(&object), object: PbxObject::of(object), change: change.into() }
    }
}

impl From<service::ObjectProblem> for ObjectProblem {
    fn from(service::ObjectProblem { object, problem }: service::ObjectProblem) -> Self {
        Self { label: label(&object), object: PbxObject::of(object), problem: problem.into() }
    }
}

/// What came of a delete.
#[derive(SimpleObject)]
pub struct ObjectDeletePayload {
    /// The id of the object, when it is gone.
    deleted_id: Option<ID>,
    /// Why it is not gone: everything that is wrong, at once.
    user_errors: Vec<UserError>,
    /// What is left of other objects that looks wrong.
    warnings: Vec<ObjectProblem>,
    /// The fields of other objects that were changed, or on a dry run would be.
    changes: Vec<ObjectChange>,
}

/// What a way of deleting does to what refers to the object.
#[derive(SimpleObject)]
pub struct DeleteEffect {
    /// The fields of other objects that change.
    changes: Vec<ObjectChange>,
    /// Why it would be refused.
    errors: Vec<ObjectProblem>,
    /// What is left of other objects that looks wrong, such as a switch that is on with nowhere to go.
    warnings: Vec<ObjectProblem>,
}

impl DeleteEffect {
    fn new(effect: Effect) -> Self {
        let (changes, errors, warnings) = told(effect);
        Self { changes, errors, warnings }
    }

    /// Taking an object out is not refused for what it leaves.
    fn of_detach(effect: Effect) -> Self {
        let (changes, errors, warnings) = told(effect);
        Self { changes, errors: Vec::new(), warnings: errors.into_iter().chain(warnings).collect() }
    }
}

fn told(effect: Effect) -> (Vec<ObjectChange>, Vec<ObjectProblem>, Vec<ObjectProblem>) {
    let Effect { changes, errors, warnings } = effect;
    let problems = |list: Vec<service::ObjectProblem>| list.into_iter().map(ObjectProblem::from).collect();
    (changes.into_iter().map(ObjectChange::from).collect(), problems(errors), problems(warnings))
}

/// What a delete would do, whichever way is chosen.
pub struct DeletePlan(service::DeletePlan);

/// What a delete would do, whichever way is chosen.
#[Object]
impl DeletePlan {
    /// The object.
    async fn object(&self) -> Option<PbxObject> {
        PbxObject::of(Arc::clone(&self.0.object))
    }

    /// Names the references that there are now. A delete with it is refused when one was added or went since.
    async fn token(&self) -> &str {
        &self.0.token
    }

    /// Whether something refers to the object by id, so that BLOCK refuses.
    async fn blocked(&self) -> bool {
        self.0.blocked
    }

    /// What goes with the object, in words.
    async fn takes_along(&self) -> &[String] {
        &self.0.takes_along
    }

    /// Where the object is used.
    async fn references(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The length of the page: 1 to 100, 20 when left out.")] first: Option<i64>,
        #[graphql(desc = "The cursor behind which the page begins; left out, at the beginning.")] after: Option<String>,
        #[graphql(desc = "Only by objects of these kinds; left out, by all.")] kinds: Option<Vec<Kind>>,
    ) -> Result<ObjectReferenceConnection> {
        referrers::references(ctx, &self.0.object, first, after, kinds).await
    }

    /// What DETACH would do.
    async fn detach(&self) -> DeleteEffect {
        DeleteEffect::of_detach(self.0.detach.clone())
    }

    /// What REPLACE_WITH would do; null unless a replacement was named that exists.
    async fn replace(&self) -> Option<DeleteEffect> {
        self.0.replace.clone().map(DeleteEffect::new)
    }

    /// Why DETACH and REPLACE_WITH are refused, whatever they would do.
    async fn user_errors(&self) -> Vec<UserError> {
        self.0.errors.iter().cloned().map(UserError::from).collect()
    }
}

async fn delete(ctx: &Context<'_>, kind: Kind, input: ObjectDeleteInput) -> Result<ObjectDeletePayload> {
    let scope = Scope::of(ctx)?;
    let replacement = input.replacement;
    let delete = Delete {
        object: object(&input.id),
        kind,
        expected_version: input.expected_version,
        on_references: input.on_references.unwrap_or(OnReferences::Block),
        replacement: replacement.as_ref().map(object),
        plan_token: input.plan_token,
        dry_run: input.dry_run.unwrap_or(false),
    };
    let deleted = scope.app.delete(&scope.snapshot, scope.viewer()?, delete).await;
    let mut deleted = deleted.map_err(|e| scope.surprise(&e))?;
    tell_as_sent(&mut deleted.errors, "id", &input.id);
    if let Some(replacement) = &replacement {
        tell_as_sent(&mut deleted.errors, "replacement", replacement);
    }
    let DeleteEffect { changes, errors: _, warnings } = DeleteEffect::of_detach(deleted.effect);
    Ok(ObjectDeletePayload {
        deleted_id: deleted.done.then_some(input.id),
        user_errors: deleted.errors.into_iter().map(UserError::from).collect(),
        warnings,
        changes,
    })
}

async fn plan(ctx: &Context<'_>, kind: Kind, id: ID, replacement: Option<ID>) -> Result<Option<DeletePlan>> {
    let scope = Scope::of(ctx)?;
    let (object, other): (_, Option<ObjectId>) = (object(&id), replacement.as_ref().map(object));
    let selected = |field| ctx.look_ahead().field(field).exists();
    let shown = Shown { detach: selected("detach"), replace: selected("replace") };
    let plan = scope.app.delete_plan(&scope.snapshot, scope.viewer()?, (object, kind), other, shown).await;
    let mut plan = plan.map_err(|e| scope.surprise(&e))?;
    if let (Some(plan), Some(replacement)) = (&mut plan, &replacement) {
        tell_as_sent(&mut plan.errors, "replacement", replacement);
    }
    Ok(plan.map(DeletePlan))
}

macro_rules! deletes {
    ($($Kind:ident / $field:ident / $list:ident / $create:ident / $update:ident / $delete:ident / $plan:ident,)+) => {
        /// The deletes.
        #[derive(Default)]
        pub struct DeleteMutation;

        /// The deletes.
        #[Object]
        impl DeleteMutation {
            /// Deletes a virtual extension.
            async fn virtual_extension_delete(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "What to delete, and how.")] input: ObjectDeleteInput,
            ) -> Result<ObjectDeletePayload> {
                delete(ctx, Kind::VirtualExtension, input).await
            }

            $(#[doc = concat!("Deletes an object of the type `", stringify!($Kind), "`.")]
            async fn $delete(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "What to delete, and how.")] input: ObjectDeleteInput,
            ) -> Result<ObjectDeletePayload> {
                delete(ctx, Kind::$Kind, input).await
            })+
        }

        /// The plans of deletes.
        #[derive(Default)]
        pub struct DeletePlanQuery;

        /// The plans of deletes.
        #[Object]
        impl DeletePlanQuery {
            /// What deleting a virtual extension would do. Null when it does not exist for who asks.
            async fn virtual_extension_delete_plan(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The opaque id of the extension.")] id: ID,
                #[graphql(desc = "The id of the object that would take its place.")] replacement: Option<ID>,
            ) -> Nullable<DeletePlan> {
                plan(ctx, Kind::VirtualExtension, id, replacement).await.transpose()
            }

            $(#[doc = concat!(
                "What deleting an object of the type `", stringify!($Kind), "` would do. Null when it does not exist for who asks."
            )]
            async fn $plan(
                &self,
                ctx: &Context<'_>,
                #[graphql(desc = "The opaque id of the object.")] id: ID,
                #[graphql(desc = "The id of the object that would take its place.")] replacement: Option<ID>,
            ) -> Nullable<DeletePlan> {
                plan(ctx, Kind::$Kind, id, replacement).await.transpose()
            })+
        }
    };
}
each_detail!(deletes);
