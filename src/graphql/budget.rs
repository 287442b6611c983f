//! How much a request may be answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::Error;

/// Counts the entries of lists as they are answered. A list that a page does not bound is as long as somebody has made
/// it, so that what a query costs is known only then. Clones count together.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    most: u64,
    spent: AtomicU64,
    refuse: fn(u64, u64) -> Error,
}

impl Budget {
    /// At most so many; `refuse` makes the error of that number and the one that was reached.
    pub fn new(most: u64, refuse: fn(u64, u64) -> Error) -> Self {
        Self(Arc::new(Inner { most, spent: AtomicU64::new(0), refuse }))
    }

    /// Forgets what was counted: for the next event of a subscription.
    pub fn renew(&self) {
        self.0.spent.store(0, Ordering::Relaxed);
    }

    /// Counts entries.
    ///
    /// # Errors
    /// The refusal, when they are too many with all before them.
    pub fn spend(&self, entries: usize) -> Result<(), Error> {
        let entries = entries as u64;
        let spent = self.0.spent.fetch_add(entries, Ordering::Relaxed).saturating_add(entries);
        if spent > self.0.most { Err((self.0.refuse)(self.0.most, spent)) } else { Ok(()) }
    }
}
