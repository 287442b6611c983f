//! When a request has to be done.

use std::time::Duration;

use tokio::time::Instant;

use super::error::StoreError;

/// The moment until which a request waits for the database. It is a length of time and no time of day, so that it is
/// not read from the injected clock.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    limit: Duration,
    pub(super) at: Instant,
}

impl Deadline {
    /// So long from now.
    pub(crate) fn within(limit: Duration) -> Self {
        let now = Instant::now();
        // Whoever names a length beyond all clocks means no end.
        Self { limit, at: now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(u32::MAX.into())) }
    }

    /// How much of it is left.
    pub fn remaining(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_zero()
    }

    /// What is answered when it is over.
    pub(crate) fn error(&self) -> StoreError {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let taken = self.limit.saturating_add(Instant::now().saturating_duration_since(self.at));
        StoreError::Deadline { limit: millis(self.limit), actual: millis(taken) }
    }
}
