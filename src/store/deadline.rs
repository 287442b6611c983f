//! The deadline of a request.

use std::time::Duration;

use tokio::time::Instant;

use super::error::StoreError;

/// The moment until which a request waits for the database. It measures a duration and not a time of day, so it does
/// not use the injected clock.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    limit: Duration,
    pub(super) at: Instant,
}

impl Deadline {
    /// A deadline `limit` from now.
    pub(crate) fn within(limit: Duration) -> Self {
        let now = Instant::now();
        // A limit beyond the range of the clock means no limit.
        Self { limit, at: now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into())) }
    }

    /// The time that is left.
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// The error for a request whose deadline has passed.
    pub(crate) fn error(&self) -> StoreError {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let taken = self.limit.saturating_add(Instant::now().saturating_duration_since(self.at));
        StoreError::Deadline { limit: millis(self.limit), actual: millis(taken) }
    }
}
