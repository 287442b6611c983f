//! Wakes those who wait for the next change of a tenant. It only keeps one number for each tenant, which grows with
//! each commit. The changes themselves are read from the database, so that a slow reader costs no memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::error::Result;
use super::session::{Session, column};
use crate::domain::TenantId;

const REVISIONS: &str = "SELECT tenant_id, revision FROM tenant WHERE tenant_id = ANY($1)";

/// The revision of a deleted tenant.
pub const GONE: i64 = i64::MAX;

/// The latest known revisions of the watched tenants.
#[derive(Default)]
pub(super) struct Commits(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    tenants: HashMap<TenantId, watch::Sender<i64>>,
    /// When to look in the database next for commits of other processes.
    next: Option<Instant>,
}

impl Commits {
    /// A poisoned lock only means that another thread panicked; the map is intact.
    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Receives each revision of a tenant after `revision`.
    pub(super) fn watch(&self, tenant: TenantId, revision: i64) -> watch::Receiver<i64> {
        let tenants = &mut self.lock().tenants;
        tenants.retain(|_, sender| sender.receiver_count() > 0);
        tenants.entry(tenant).or_insert_with(|| watch::channel(revision).0).subscribe()
    }

    /// Wakes those who watch a tenant, if the revision is new.
    pub(super) fn reached(&self, tenant: TenantId, revision: i64) {
        if let Some(sender) = self.lock().tenants.get(&tenant) {
            sender.send_if_modified(|known| {
                let newer = revision > *known;
                *known = revision.max(*known);
                newer
            });
        }
    }

    /// Waits until an interval has passed since the last look in the database, and returns the tenants to look up. Only
    /// one of those who wait gets them; the others get an empty list.
    pub(super) async fn next_refresh(&self, every: Duration) -> Vec<TenantId> {
        let next = *self.lock().next.get_or_insert_with(|| Instant::now() + every);
        tokio::time::sleep_until(next).await;
        let mut watched = self.lock();
        if watched.next != Some(next) {
            return Vec::new();
        }
        watched.next = Some(Instant::now() + every);
        watched.tenants.retain(|_, sender| sender.receiver_count() > 0);
        watched.tenants.keys().copied().collect()
    }
}

/// The revisions of tenants. Tenants that do not exist are left out.
pub(super) fn revisions(session: &mut dyn Session, tenants: &[TenantId]) -> Result<HashMap<TenantId, i64>> {
    let rows = session.rows(REVISIONS, &[tenants.iter().map(|tenant| tenant.0).collect()])?;
    rows.iter().map(|row| Ok((TenantId(column!(row, 0, int)?), column!(row, 1, int)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_one_of_those_who_wait_refreshes() {
        let (commits, every) = (Commits::default(), Duration::from_millis(20));
        let _watching = [commits.watch(TenantId(1), 5), commits.watch(TenantId(2), 5), commits.watch(TenantId(2), 5)];
        for _ in 0..3 {
            let answers = futures_util::future::join_all((0..10).map(|_| commits.next_refresh(every))).await;
            let mut refreshed = answers.into_iter().filter(|tenants| !tenants.is_empty()).collect::<Vec<_>>();
            refreshed.iter_mut().for_each(|tenants| tenants.sort());
            assert_eq!(refreshed, [[TenantId(1), TenantId(2)]]);
        }
    }

    #[test]
    fn only_what_is_newer_wakes_and_what_nobody_watches_is_forgotten() {
        let commits = Commits::default();
        let mut watching = commits.watch(TenantId(1), 5);
        commits.reached(TenantId(1), 5);
        assert!(!watching.has_changed().unwrap());
        commits.reached(TenantId(1), 7);
        commits.reached(TenantId(1), 6);
        assert!(watching.has_changed().unwrap());
        assert_eq!(*watching.borrow_and_update(), 7);
        drop(watching);
        let _other = commits.watch(TenantId(2), 1);
        assert_eq!(commits.lock().tenants.len(), 1);
    }
}
