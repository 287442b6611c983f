//! Which tokens may be valid, told without looking them up: the marks of all valid tokens, read from the database.
//!
//! They are asked for only where an address has sent too many wrong tokens, and are read anew when a token is not among
//! them, at most once a second: so a token that was just made, here, by the command line or by another server, works
//! within a second, and guessing costs the database one read of few bytes a second.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::service::{App, TokenMark};

/// The most marks that are kept, 4 bytes each: those of the newest tokens. An older one is counted like a wrong token
/// until it has been looked up.
const MOST: usize = 100_000;
/// The least time between two reads, in milliseconds.
const AGE: i64 = 1000;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Marks {
    known: Mutex<HashSet<TokenMark>>,
    /// When they were read, in epoch milliseconds. Held while they are.
    read_at: tokio::sync::Mutex<Option<i64>>,
}

impl Marks {
    /// A poisoned lock only means that another thread panicked; the set is whole.
    fn known(&self) -> MutexGuard<'_, HashSet<TokenMark>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token may be valid. `false` is certain, but for one that was made less than a second ago.
    pub(super) async fn may_include(&self, app: &App, token: &str, patience: Duration) -> bool {
        let mark = TokenMark::of(token);
        let is_known = || self.known().contains(&mark);
        if is_known() {
            return true;
        }
        self.read(app, patience).await;
        is_known()
    }

    /// Reads them when they are old, one read for all who ask meanwhile.
    async fn read(&self, app: &App, patience: Duration) {
        let mut read_at = self.read_at.lock().await;
        // A clock that is set back makes them old.
        if read_at.is_some_and(|at| (0..AGE).contains(&(app.now() - at))) {
            return;
        }
        match app.valid_tokens(MOST, patience).await {
            Ok(marks) => *self.known() = marks,
            Err(error) => tracing::warn!(%error, "the marks of valid tokens could not be read"),
        }
        *read_at = Some(app.now());
    }

    /// A token has turned out not to be valid: it was revoked since, or only looks like one that is.
    pub(super) fn forget(&self, token: &str) {
        self.known().remove(&TokenMark::of(token));
    }
}
