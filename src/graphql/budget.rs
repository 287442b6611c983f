//! The number of list entries that one request may get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::Error;

/// Counts the entries of lists as they are answered. A list without pages is as long as its owner made it, so its cost
/// is known only then. Clones share one count.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    most: u64,
    spent: AtomicU64,
    refuse: fn(u64, u64) -> Error,
}

impl Budget {
    /// A budget of `most` entries. `refuse` builds the error from the budget and the count that exceeded it.
    pub fn new(most: u64, refuse: fn(u64, u64) -> Error) -> Self {
        Self(Arc::new(Inner { most, spent: AtomicU64::new(0), refuse }))
    }

    /// Resets the count, for the next event of a subscription.
    pub fn renew(&self) {
        self.0.spent.store(0, Ordering::Relaxed);
    }

    /// Counts entries.
    ///
    /// # Errors
    /// The refusal, when the total exceeds the budget.
    pub fn spend(&self, entries: usize) -> Result<(), Error> {
        let entries = entries as u64;
        let spent = self.0.spent.fetch_add(entries, Ordering::Relaxed).saturating_add(entries);
        if spent > self.0.most { Err((self.0.refuse)(self.0.most, spent)) } else { Ok(()) }
    }
}
