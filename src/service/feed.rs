//! Following a tenant: its change records as they are committed, each to those who may see it.
//!
//! Nothing waits in memory: a follower keeps its place and one page, and reads on when a newer revision is heard of. So
//! a slow one reads later, and one that comes back with its place misses nothing and hears nothing twice.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::app::App;
use super::viewer::Viewer;
use crate::domain::{Kind, TenantId, opaque, words};
use crate::store::{self, FeedPlace, FeedRow, GONE, Snapshot};

words! {
    "ChangeAction";
    /// What happened to an object.
    pub enum ChangeAction {
        /// It was created.
        Created = "CREATED",
        /// It was saved.
        Updated = "UPDATED",
        /// It was deleted.
        Deleted = "DELETED",
    }
}

/// How many change records are read at a time.
const PAGE: i64 = 100;
/// How long a token that was revoked may go unnoticed while nothing changes.
const CHECK: Duration = Duration::from_secs(5);

/// Which change records are meant.
#[derive(Clone, Debug, Default)]
pub struct Following {
    /// Only those of objects of these kinds; `None` is all.
    pub kinds: Option<Vec<Kind>>,
    /// Only those of the objects with these keys; `None` is all.
    pub objects: Option<HashSet<i64>>,
}

impl Following {
    fn fits(&self, row: &FeedRow) -> bool {
        let of_kind = |kinds: &Vec<Kind>| row.kind.is_some_and(|kind| kinds.contains(&kind));
        self.kinds.as_ref().is_none_or(of_kind)
            && self.objects.as_ref().is_none_or(|objects| objects.contains(&row.place.object))
    }
}

/// What a follower hears.
#[derive(Debug)]
pub enum Heard {
    /// The next change.
    Change(FeedRow),
    /// The token no longer opens the tenant, or the tenant is gone.
    Closed,
}

/// The opaque form of a place in a feed: `revision.object.version`.
pub fn write_place(FeedPlace { revision, object, version }: FeedPlace) -> String {
    opaque::write(format!("{revision}.{object}.{version}"))
}

/// The place behind its opaque form; `None` for what [`write_place`] did not make.
pub fn read_place(text: &str) -> Option<FeedPlace> {
    let plain = opaque::read(text)?;
    let mut numbers = plain.splitn(3, '.').map(|number| number.parse::<i64>().ok());
    let place = FeedPlace { revision: numbers.next()??, object: numbers.next()??, version: numbers.next()?? };
    (write_place(place) == text).then_some(place)
}

/// Somebody who follows a tenant.
pub struct Follower {
    app: App,
    /// Renewed for each look; given back while nothing happens.
    snapshot: Arc<Snapshot>,
    viewer: Viewer,
    tenant: TenantId,
    following: Following,
    place: FeedPlace,
    page: VecDeque<FeedRow>,
    newest: watch::Receiver<i64>,
}

impl App {
    /// Follows a tenant from behind a place on.
    pub fn follow(
        &self,
        snapshot: Arc<Snapshot>,
        viewer: Viewer,
        tenant: TenantId,
        place: FeedPlace,
        following: Following,
    ) -> Follower {
        let newest = self.store.watch(tenant, place.revision);
        Follower { app: self.clone(), snapshot, viewer, tenant, following, place, page: VecDeque::new(), newest }
    }
}

impl Follower {
    /// The next change, when there is one. The snapshot then sees the state at that moment or a later one; who has
    /// answered gives it back with [`Snapshot::renew`], or the follower sees no newer one.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn next(&mut self) -> store::Result<Heard> {
        loop {
            let newest = *self.newest.borrow_and_update();
            if newest == GONE || !self.app.still_opens(&self.snapshot, &self.viewer, self.tenant).await? {
                return Ok(Heard::Closed);
            }
            if let Some(row) = self.page.pop_front() {
                return Ok(Heard::Change(row));
            }
            let behind = self.place;
            let read = move |query: &mut store::Query<'_>| store::feed(query, behind, PAGE);
            let rows = self.snapshot.read(self.tenant, read).await?;
            let Some(last) = rows.last() else {
                self.snapshot.renew().await;
                self.wait().await?;
                continue;
            };
            self.place = last.place;
            self.page = rows.into_iter().filter(|row| self.following.fits(row)).collect();
            if self.page.is_empty() {
                self.snapshot.renew().await;
            }
        }
    }

    /// Waits until something newer is heard of, or until it is time to look at the token again.
    async fn wait(&mut self) -> store::Result<()> {
        let check = Instant::now() + CHECK;
        loop {
            tokio::select! {
                // The sender is in the store's map as long as there is a receiver.
                _ = self.newest.changed() => return Ok(()),
                tenants = self.app.store.due(self.app.feed_poll) => self.app.store.ask(tenants).await?,
                () = tokio::time::sleep_until(check) => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_has_one_opaque_form(revision in any::<i64>(), object in any::<i64>(), version in any::<i64>()) {
            let place = FeedPlace { revision, object, version };
            prop_assert_eq!(read_place(&write_place(place)), Some(place));
        }
    }

    #[test]
    fn what_no_server_wrote_is_no_place() {
        for plain in ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "+1.2.3"] {
            assert_eq!(read_place(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(read_place("no base64 at all"), None);
    }
}
