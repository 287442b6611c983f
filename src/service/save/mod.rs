//! Saves: *saved = checked(base ⊕ what the client sent)*, for extensions, a tenant's defaults and all other objects.
//!
//! A save is planned in the snapshot of the request, where any number of saves can run in parallel. The only writer
//! then carries it out: as planned, or planned again if the tenant has changed meanwhile. Secrets are hashed in between
//! (see [`super::hashing`]) once it is clear that they will be saved; the save is then planned again, too.

mod object_checker;
mod plan;
mod request;

use std::sync::Arc;

pub use self::request::{Save, SaveTarget, Saved};

pub(super) use self::plan::SavePlan;
use super::app::App;
use super::document;
use super::refusal::{not_found, refusal};
use super::viewer::Viewer;
use crate::domain::{SecretStorage, SentSecret, Value};
use crate::store::{Outcome, Query, Result, Session, Snapshot, StoreError, Tx};

/// A save that has been planned in the snapshot of a request.
pub enum PreparedSave {
    /// There is nothing to carry out: the save was refused, is a dry run, or changes nothing.
    Settled(Saved),
    /// It still has to be carried out.
    Planned(PlannedSave),
}

/// A planned save that still has to be carried out, see [`App::carry_out`].
pub struct PlannedSave {
    save: Arc<Save>,
    plan: SavePlan,
    now: i64,
}

impl PreparedSave {
    /// Plans a save.
    ///
    /// # Errors
    /// Errors of the store. Problems with the input are part of the result.
    pub fn prepare(session: &mut dyn Session, viewer: &Viewer, save: Save, now: i64) -> Result<Self> {
        let (tenant, kind) = (save.target.tenant(), save.kind);
        if let Some(refusal) = refusal(viewer, tenant, kind) {
            return Ok(Self::Settled(Saved::refused(refusal)));
        }
        let plan = match SavePlan::prepare(&mut Query::new(session, tenant), &save, now) {
            // To a token for all tenants, even a tenant that does not exist seems visible.
            Err(StoreError::NoTenant) => return Ok(Self::Settled(Saved::refused(not_found(kind)))),
            plan => plan?,
        };
        Ok(if save.dry_run {
            Self::Settled(plan.into_saved())
        } else if plan.is_no_op() {
            Self::Settled(plan.into_unchanged())
        } else {
            Self::Planned(PlannedSave { save: Arc::new(save), plan, now })
        })
    }
}

impl App {
    /// Saves a form or another object, or reports what would happen. Either everything is saved or nothing.
    ///
    /// # Errors
    /// Errors of the store. Problems with the input are part of the result.
    pub async fn save(&self, snapshot: &Snapshot, viewer: &Viewer, save: Save) -> Result<Saved> {
        let (now, own) = (self.now(), viewer.clone());
        let work = move |session: &mut dyn Session| PreparedSave::prepare(session, &own, save, now);
        match snapshot.read_session(None, work).await? {
            PreparedSave::Settled(saved) => Ok(saved),
            PreparedSave::Planned(open) => self.finish(snapshot, viewer, open).await,
        }
    }

    /// Carries out a planned save.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn finish(&self, snapshot: &Snapshot, viewer: &Viewer, open: PlannedSave) -> Result<Saved> {
        // A request must not hold a connection while it waits.
        snapshot.renew().await;
        let kind = open.save.kind;
        let saved = self.carry_out(snapshot, viewer, open, |_, saved| Ok(Outcome::Commit(saved))).await;
        snapshot.renew().await;
        if let Err(StoreError::NoTenant) = saved { Ok(Saved::refused(not_found(kind))) } else { saved }
    }

    /// Carries out a planned save and passes the result to `answer` in the same transaction. Nothing is saved if
    /// `answer` rolls back. If the transaction is retried, `answer` is called again, and only its last result counts.
    ///
    /// # Errors
    /// Errors of the store or of `answer`.
    pub async fn carry_out<T: Send + 'static>(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        PlannedSave { save, plan, now }: PlannedSave,
        answer: impl Fn(&mut dyn Session, Saved) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.seal(snapshot, viewer, document::secrets(save.kind, &save.patch)).await?;
        let (tenant, actor) = (save.target.tenant(), viewer.name.clone());
        let work = move |tx: &mut Tx<'_>| {
            let again = if plan.is_current(tx) { None } else { Some(SavePlan::prepare(tx, &save, now)?) };
            let plan = again.as_ref().unwrap_or(&plan);
            if plan.is_no_op() {
                let answered = answer(tx.session(), Saved { changes: Vec::new(), ..plan.saved(plan.object.clone()) })?;
                let (Outcome::Commit(answered) | Outcome::Rollback(answered)) = answered;
                return Ok(Outcome::Rollback(answered));
            }
            let saved = plan.carry_out(tx, &actor, now)?;
            answer(tx.session(), saved)
        };
        self.store.with_deadline_of(snapshot).write(tenant, work).await
    }

    /// Hashes or encrypts secrets.
    async fn seal(&self, snapshot: &Snapshot, viewer: &Viewer, secrets: Vec<SentSecret<'_>>) -> Result<()> {
        for (how, secret) in secrets {
            secret.set_stored(match how {
                SecretStorage::Hashed => {
                    self.hashing.hash(&viewer.name, snapshot.deadline(), &self.sealer, secret).await.map(Value::Text)?
                }
                SecretStorage::Sealed => {
                    let sealed = self.sealer.close(secret.expose()).map(Value::Bytes);
                    sealed.ok_or_else(|| StoreError::Bug("a secret could not be encrypted".into()))?
                }
            });
        }
        Ok(())
    }
}
