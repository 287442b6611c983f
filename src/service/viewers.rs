//! Caches viewers as long as nothing is committed. A valid token is not looked up again until something may have
//! changed that the viewer depends on: the token, its tenants, or the revision of the selected tenant.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::token::hash;
use super::viewer::Viewer;
use crate::store::DataVersion;

/// The maximum number of viewers in each cache; a viewer takes some kilobytes.
const MAX_VIEWERS: NonZeroUsize = NonZeroUsize::new(1000).unwrap();

/// The key of a cached viewer: the hash of the token and the tenant's code in the header.
type ViewerKey = ([u8; 32], Option<String>);

/// See the [module](self). There is one cache for each slot of [`DataVersion`].
pub(super) struct Viewers(Vec<Mutex<ViewerCache>>);

struct ViewerCache {
    /// The state of the database in which all of them were looked up.
    data_version: Option<DataVersion>,
    viewers: LruCache<ViewerKey, Arc<Viewer>>,
}

impl Viewers {
    pub(super) fn new(slots: usize) -> Self {
        let empty = || Mutex::new(ViewerCache { data_version: None, viewers: LruCache::new(MAX_VIEWERS) });
        Self((0..slots).map(|_| empty()).collect())
    }

    /// A poisoned lock only means that another thread panicked; the cache is intact.
    fn cache(&self, data_version: DataVersion) -> Option<MutexGuard<'_, ViewerCache>> {
        let cache = self.0.get(data_version.slot())?;
        Some(cache.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The viewer of a token, if it was looked up in this state of the database.
    pub(super) fn get(&self, data_version: DataVersion, token: &str, header: Option<&str>) -> Option<Arc<Viewer>> {
        let key = (hash(token), header.map(str::to_owned));
        let mut cache = self.cache(data_version).filter(|cache| cache.data_version == Some(data_version))?;
        cache.viewers.get(&key).cloned()
    }

    /// Caches the viewer of a token, which was looked up in this state of the database or a later one.
    pub(super) fn put(&self, data_version: DataVersion, token: &str, header: Option<&str>, viewer: Arc<Viewer>) {
        let key = (hash(token), header.map(str::to_owned));
        let Some(mut cache) = self.cache(data_version) else { return };
        if cache.data_version.is_some_and(|newest| data_version.is_before(newest)) {
            return;
        }
        if cache.data_version != Some(data_version) {
            cache.viewers.clear();
            cache.data_version = Some(data_version);
        }
        cache.viewers.put(key, viewer);
    }
}
