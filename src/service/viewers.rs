//! Who asks, remembered as long as nothing is committed: a token that was found valid is not looked up again before anything
//! could have changed that it depends on: itself, its tenants, the selected tenant's revision.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::token::hash;
use super::viewer::Viewer;
use crate::store::DataVersion;

/// The most viewers that are remembered in each, some kilobytes each.
const MOST: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// What a request says of who asks: the hash of its token, and the tenant's code in its header.
type Claim = ([u8; 32], Option<String>);

/// See the [module](self). There is one memory for each of those that tell the state of the database.
pub(super) struct Viewers(Vec<Mutex<Remembered>>);

struct Remembered {
    /// That of the database when all of them were looked up.
    data_version: Option<DataVersion>,
    viewers: LruCache<Claim, Arc<Viewer>>,
}

impl Viewers {
    pub(super) fn new(slots: usize) -> Self {
        let nobody = || Mutex::new(Remembered { data_version: None, viewers: LruCache::new(MOST) });
        Self((0..slots).map(|_| nobody()).collect())
    }

    /// A poisoned lock only means that another thread panicked; what is remembered is whole.
    fn of(&self, data_version: DataVersion) -> Option<MutexGuard<'_, Remembered>> {
        let remembered = self.0.get(data_version.slot())?;
        Some(remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The viewer behind a token, if it was looked up when the database was in this state.
    pub(super) fn get(&self, data_version: DataVersion, token: &str, header: Option<&str>) -> Option<Arc<Viewer>> {
        let claim = (hash(token), header.map(str::to_owned));
        let mut remembered = self.of(data_version).filter(|memory| memory.data_version == Some(data_version))?;
        remembered.viewers.get(&claim).cloned()
    }

    /// Remembers the viewer behind a token, who was looked up when the database was in this state or a later one.
    pub(super) fn put(&self, data_version: DataVersion, token: &str, header: Option<&str>, viewer: Arc<Viewer>) {
        let claim = (hash(token), header.map(str::to_owned));
        let Some(mut remembered) = self.of(data_version) else { return };
        if remembered.data_version.is_some_and(|newest| data_version.is_before(newest)) {
            return;
        }
        if remembered.data_version != Some(data_version) {
            remembered.viewers.clear();
            remembered.data_version = Some(data_version);
        }
        remembered.viewers.put(claim, viewer);
    }
}
