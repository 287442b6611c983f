//! Tells whether a token may be valid without looking it up: keeps the marks of all valid tokens, read from the
//! database.
//!
//! They are used only for addresses that have sent too many invalid tokens. When a token is not among them, they are
//! read again, but at most once a second. So a new token works within a second, whether this server, another server or
//! the command line made it, and guessing costs the database one small read a second.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::service::{App, TokenMark};

/// The most marks that are kept, 4 bytes each: those of the newest tokens. An older token counts as invalid until it
/// has been looked up.
const MAX_MARKS: usize = 100_000;
/// The least time between two reads, in milliseconds.
const MIN_INTERVAL: i64 = 1000;

/// The marks of all valid tokens, see the [module](self).
#[derive(Default)]
pub(super) struct Marks {
    marks: Mutex<HashSet<TokenMark>>,
    /// When they were last read, in milliseconds since the epoch. Locked during a read.
    read_at: tokio::sync::Mutex<Option<i64>>,
}

impl Marks {
    /// A poisoned lock only means that another thread panicked; the set is intact.
    fn lock(&self) -> MutexGuard<'_, HashSet<TokenMark>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token may be valid. `false` is certain, except for a token that was made less than a second ago.
    pub(super) async fn may_include(&self, app: &App, token: &str, patience: Duration) -> bool {
        let mark = TokenMark::of(token);
        let is_marked = || self.lock().contains(&mark);
        if is_marked() {
            return true;
        }
        self.read(app, patience).await;
        is_marked()
    }

    /// Reads the marks again if they are old. Requests that arrive in the meantime share one read.
    async fn read(&self, app: &App, patience: Duration) {
        let mut read_at = self.read_at.lock().await;
        // They also count as old when the clock was set back.
        if read_at.is_some_and(|at| (0..MIN_INTERVAL).contains(&(app.now() - at))) {
            return;
        }
        match app.valid_tokens(MAX_MARKS, patience).await {
            Ok(marks) => *self.lock() = marks,
            Err(error) => tracing::warn!(%error, "the marks of valid tokens could not be read"),
        }
        *read_at = Some(app.now());
    }

    /// Removes the mark of a token that turned out to be invalid: it was revoked, or only has the mark of a valid one.
    pub(super) fn forget(&self, token: &str) {
        self.lock().remove(&TokenMark::of(token));
    }
}
