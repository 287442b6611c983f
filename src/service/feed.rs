//! Feeds of a tenant's changes: change records, as soon as they are committed, for clients that may see them.
//!
//! Records do not pile up in memory: a follower keeps only its place and one page, and reads more when there is a newer
//! revision. So a slow client simply reads later, and a client that returns with its place gets every record exactly
//! once.

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
/// How often the token is checked while nothing changes.
const TOKEN_CHECK: Duration = Duration::from_secs(5);

/// Which change records a follower gets.
#[derive(Clone, Debug, Default)]
pub struct FeedFilter {
    /// Only those of objects of these kinds; `None` for all.
    pub kinds: Option<Vec<Kind>>,
    /// Only those of objects with these keys; `None` for all.
    pub objects: Option<HashSet<i64>>,
}

impl FeedFilter {
    fn matches(&self, row: &FeedRow) -> bool {
        let of_kind = |kinds: &Vec<Kind>| row.kind.is_some_and(|kind| kinds.contains(&kind));
        self.kinds.as_ref().is_none_or(of_kind)
            && self.objects.as_ref().is_none_or(|objects| objects.contains(&row.place.object))
    }
}

/// An event in a feed.
#[derive(Debug)]
pub enum FeedEvent {
    /// The next change.
    Change(FeedRow),
    /// The token is no longer valid for the tenant, or the tenant has been deleted.
    Closed,
}

/// The opaque form of a place in a feed: `revision.object.version`.
pub fn encode_place(FeedPlace { revision, object, version }: FeedPlace) -> String {
    opaque::write(format!("{revision}.{object}.{version}"))
}

/// The place of an opaque form; `None` for a text that [`encode_place`] did not make.
pub fn decode_place(text: &str) -> Option<FeedPlace> {
    let plain = opaque::read(text)?;
    let mut numbers = plain.splitn(3, '.').map(|number| number.parse::<i64>().ok());
    let place = FeedPlace { revision: numbers.next()??, object: numbers.next()??, version: numbers.next()?? };
    (encode_place(place) == text).then_some(place)
}

/// A client that follows the changes of a tenant.
pub struct Follower {
    app: App,
    /// Renewed for each read; released while there is nothing to read.
    snapshot: Arc<Snapshot>,
    viewer: Viewer,
    tenant: TenantId,
    filter: FeedFilter,
    place: FeedPlace,
    page: VecDeque<FeedRow>,
    newest: watch::Receiver<i64>,
}

impl App {
    /// Follows a tenant, starting after a place.
    pub fn follow(
        &self,
        snapshot: Arc<Snapshot>,
        viewer: Viewer,
        tenant: TenantId,
        place: FeedPlace,
        filter: FeedFilter,
    ) -> Follower {
        let newest = self.store.watch(tenant, place.revision);
        Follower { app: self.clone(), snapshot, viewer, tenant, filter, place, page: VecDeque::new(), newest }
    }
}

impl Follower {
    /// Waits for the next change. The snapshot then shows the state at that change or a later one. After answering, the
    /// caller must release it with [`Snapshot::renew`], otherwise the follower cannot see newer changes.
    ///
    /// # Errors
    /// Errors of the store.
    pub async fn next(&mut self) -> store::Result<FeedEvent> {
        loop {
            let newest = *self.newest.borrow_and_update();
            if newest == GONE || !self.app.token_is_valid(&self.snapshot, &self.viewer, self.tenant).await? {
                return Ok(FeedEvent::Closed);
            }
            if let Some(row) = self.page.pop_front() {
                return Ok(FeedEvent::Change(row));
            }
            let place = self.place;
            let read = move |query: &mut store::Query<'_>| store::read_feed(query, place, PAGE);
            let rows = self.snapshot.read(self.tenant, read).await?;
            let Some(last) = rows.last() else {
                self.snapshot.renew().await;
                self.wait().await?;
                continue;
            };
            self.place = last.place;
            self.page = rows.into_iter().filter(|row| self.filter.matches(row)).collect();
            if self.page.is_empty() {
                self.snapshot.renew().await;
            }
        }
    }

    /// Waits until there is a newer revision, or until it is time to check the token again.
    async fn wait(&mut self) -> store::Result<()> {
        let check = Instant::now() + TOKEN_CHECK;
        loop {
            tokio::select! {
                // The store keeps the sender as long as there is a receiver.
                _ = self.newest.changed() => return Ok(()),
                tenants = self.app.store.next_refresh(self.app.feed_poll) => self.app.store.refresh_revisions(tenants).await?,
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
            prop_assert_eq!(decode_place(&encode_place(place)), Some(place));
        }
    }

    #[test]
    fn other_texts_are_not_places() {
        for plain in ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "+1.2.3"] {
            assert_eq!(decode_place(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(decode_place("no base64 at all"), None);
    }
}
