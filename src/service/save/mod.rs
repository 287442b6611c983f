//! Saving: *saved = checked(base ⊕ what the client sent)*, for an extension, a tenant's defaults and every other object
//! alike.
//!
//! A save is worked out on what the request sees, where any number of saves can be beside each other, and carried out by
//! the writer, of which there is one: as it is, or worked out again where the tenant has changed meanwhile. Secrets are
//! hashed in between (see [`super::hashing`]), once it is clear that they will be saved, and then it is worked out again.

mod plan;
mod request;
mod setting;

use std::sync::Arc;

pub use self::request::{Save, SaveTarget, Saved};

pub(super) use self::plan::Plan;
use super::app::App;
use super::document;
use super::refusal::{no_such, refusal};
use super::viewer::Viewer;
use crate::domain::{Kept, SentSecret, Value};
use crate::store::{Outcome, Query, Result, Session, Snapshot, StoreError, Tx};

/// A save that has been worked out on what a request sees.
pub enum WorkedOut {
    /// There is nothing to carry out: it was refused, is a dry run, or changes nothing.
    Settled(Saved),
    /// It is to be carried out.
    Open(OpenSave),
}

/// A save that is to be carried out, see [`App::carry_out`].
pub struct OpenSave {
    save: Arc<Save>,
    plan: Plan,
    now: i64,
}

impl WorkedOut {
    /// Works a save out.
    ///
    /// # Errors
    /// What the store answers; what is wrong with the input is in the answer.
    pub fn of(session: &mut dyn Session, viewer: &Viewer, save: Save, now: i64) -> Result<Self> {
        let (tenant, kind) = (save.target.tenant(), save.kind);
        if let Some(refusal) = refusal(viewer, tenant, kind) {
            return Ok(Self::Settled(Saved::refused(refusal)));
        }
        let plan = match Plan::make(&mut Query::new(session, tenant), &save, now) {
            // A token for all tenants sees even those that do not exist.
            Err(StoreError::NoTenant) => return Ok(Self::Settled(Saved::refused(no_such(kind)))),
            plan => plan?,
        };
        Ok(if save.dry_run {
            Self::Settled(plan.told())
        } else if plan.is_void() {
            Self::Settled(plan.nothing())
        } else {
            Self::Open(OpenSave { save: Arc::new(save), plan, now })
        })
    }
}

impl App {
    /// Saves a form or an object of another kind, or says what would happen. Nothing is half saved.
    ///
    /// # Errors
    /// What the store answers; what is wrong with the input is in the answer.
    pub async fn save(&self, snapshot: &Snapshot, viewer: &Viewer, save: Save) -> Result<Saved> {
        let (now, own) = (self.now(), viewer.clone());
        let work = move |session: &mut dyn Session| WorkedOut::of(session, &own, save, now);
        match snapshot.read_session(None, work).await? {
            WorkedOut::Settled(saved) => Ok(saved),
            WorkedOut::Open(open) => self.finish(snapshot, viewer, open).await,
        }
    }

    /// Carries a save out that has been worked out.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn finish(&self, snapshot: &Snapshot, viewer: &Viewer, open: OpenSave) -> Result<Saved> {
        // Who waits holds no connection.
        snapshot.renew().await;
        let kind = open.save.kind;
        let saved = self.carry_out(snapshot, viewer, open, |_, saved| Ok(Outcome::Commit(saved))).await;
        snapshot.renew().await;
        if let Err(StoreError::NoTenant) = saved { Ok(Saved::refused(no_such(kind))) } else { saved }
    }

    /// Carries a save out, and has `tell` look at what came of it in the same transaction. Nothing is saved when that rolls
    /// back. It may be called again for another try, of which it is then the only one that counts.
    ///
    /// # Errors
    /// What the store answers, or `tell`.
    pub async fn carry_out<T: Send + 'static>(
        &self,
        snapshot: &Snapshot,
        viewer: &Viewer,
        OpenSave { save, plan, now }: OpenSave,
        tell: impl Fn(&mut dyn Session, Saved) -> Result<Outcome<T>> + Send + 'static,
    ) -> Result<T> {
        self.seal(snapshot, viewer, document::secrets(save.kind, &save.patch)).await?;
        let (tenant, actor) = (save.target.tenant(), viewer.name.clone());
        let work = move |tx: &mut Tx<'_>| {
            let again = if plan.holds(tx) { None } else { Some(Plan::make(tx, &save, now)?) };
            let plan = again.as_ref().unwrap_or(&plan);
            if plan.is_void() {
                let told = tell(tx.session(), Saved { changes: Vec::new(), ..plan.saved(plan.object.clone()) })?;
                let (Outcome::Commit(told) | Outcome::Rollback(told)) = told;
                return Ok(Outcome::Rollback(told));
            }
            let saved = plan.carry_out(tx, &actor, now)?;
            tell(tx.session(), saved)
        };
        self.store.with_deadline_of(snapshot).write(tenant, work).await
    }

    /// Hashes and seals secrets.
    async fn seal(&self, snapshot: &Snapshot, viewer: &Viewer, secrets: Vec<SentSecret<'_>>) -> Result<()> {
        for (how, secret) in secrets {
            secret.keep(match how {
                Kept::Hashed => {
                    self.hashing.hash(&viewer.name, snapshot.deadline(), &self.sealer, secret).await.map(Value::Text)?
                }
                Kept::Sealed => {
                    let sealed = self.sealer.close(secret.expose()).map(Value::Bytes);
                    sealed.ok_or_else(|| StoreError::Bug("a secret could not be sealed".into()))?
                }
            });
        }
        Ok(())
    }
}
