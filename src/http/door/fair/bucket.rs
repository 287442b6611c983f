//! A quota per key that refills steadily: the generic cell rate algorithm (GCRA), which stores one time per key.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// The window of every quota, in seconds: what is spent is available again a minute later.
pub(super) const WINDOW: u64 = 60;
/// The window in nanoseconds, the unit of all times here: a large quota refills faster than one unit per millisecond.
const WINDOW_NANOSECONDS: i64 = WINDOW as i64 * 1_000_000_000;
/// The most keys that are remembered, so that one client with many addresses cannot fill the memory. A key that was
/// dropped to make room starts with a full bucket again.
const MAX_KEYS: usize = 10_000;

/// One bucket per key, all with the same quota.
pub(super) struct Buckets<K: Hash + Eq> {
    quota: u64,
    /// When each bucket will be full again, in nanoseconds since the epoch. A key that is not here has a full bucket.
    full_at: Mutex<LruCache<K, i64>>,
}

/// The state of a bucket after a charge, a refund or a refused charge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct QuotaStatus {
    /// What a full bucket contains.
    pub quota: u64,
    /// What is left, rounded down.
    pub left: u64,
    /// Seconds until it is full again, rounded up.
    pub full_in: u64,
}

/// A charge was refused because there was not enough in the bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct QuotaExceeded {
    pub status: QuotaStatus,
    /// Seconds until there is enough, rounded up; at least 1.
    pub retry_after: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Buckets with this quota; `None` for 0, which means no limit.
    pub(super) fn new(quota: u64) -> Option<Self> {
        (quota > 0).then(|| Self { quota, full_at: Mutex::new(LruCache::unbounded()) })
    }

    /// A poisoned lock only means that another thread panicked; the times are intact.
    fn lock(&self) -> MutexGuard<'_, LruCache<K, i64>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is charged for a cost: at most the whole quota, because otherwise a higher cost could never be paid.
    pub(super) fn price(&self, cost: u64) -> u64 {
        cost.min(self.quota)
    }

    /// How long it takes to refill this cost.
    fn refill(&self, cost: u64) -> i64 {
        let refill = i128::from(self.price(cost)) * i128::from(WINDOW_NANOSECONDS) / i128::from(self.quota);
        i64::try_from(refill).unwrap_or(WINDOW_NANOSECONDS)
    }

    fn status(&self, debt: i64) -> QuotaStatus {
        let left = i128::from(WINDOW_NANOSECONDS - debt) * i128::from(self.quota) / i128::from(WINDOW_NANOSECONDS);
        QuotaStatus { quota: self.quota, left: u64::try_from(left).unwrap_or_default(), full_in: seconds(debt) }
    }

    /// Takes the cost from a bucket. `now` is in milliseconds since the epoch.
    ///
    /// # Errors
    /// There is not enough in the bucket, and nothing was taken.
    pub(super) fn charge(&self, key: K, cost: u64, now: i64) -> Result<QuotaStatus, QuotaExceeded> {
        let (now, mut keys) = (nanoseconds(now), self.lock());
        let debt = debt(keys.get(&key), now);
        let after = debt + self.refill(cost);
        if after > WINDOW_NANOSECONDS {
            return Err(QuotaExceeded {
                status: self.status(debt),
                retry_after: seconds(after - WINDOW_NANOSECONDS).max(1),
            });
        }
        keys.put(key, now + after);
        if keys.len() > MAX_KEYS {
            keys.pop_lru();
        }
        Ok(self.status(after))
    }

    /// Puts back what was charged in excess. `now` is in milliseconds since the epoch.
    pub(super) fn refund(&self, key: &K, cost: u64, now: i64) -> QuotaStatus {
        let (now, mut keys) = (nanoseconds(now), self.lock());
        let after = (debt(keys.get(key), now) - self.refill(cost)).max(0);
        if let Some(full_at) = keys.get_mut(key) {
            *full_at = now + after;
        }
        self.status(after)
    }
}

fn nanoseconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_mul(1_000_000)
}

fn seconds(nanoseconds: i64) -> u64 {
    u64::try_from(nanoseconds).unwrap_or_default().div_ceil(1_000_000_000)
}

/// What is missing from a bucket, as the nanoseconds until it is full. At most the window, so that a clock that is set
/// back locks nobody out for longer than that.
fn debt(full_at: Option<&i64>, now: i64) -> i64 {
    full_at.map_or(0, |full_at| full_at.saturating_sub(now).clamp(0, WINDOW_NANOSECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_424_400_000;

    /// Whether a cost could be charged at this time.
    fn affords(buckets: &Buckets<()>, cost: u64, now: i64) -> bool {
        debt(buckets.lock().get(&()), nanoseconds(now)) + buckets.refill(cost) <= WINDOW_NANOSECONDS
    }

    #[test]
    fn a_bucket_empties_and_refills_steadily() {
        let buckets = Buckets::new(60).unwrap();
        assert_eq!(buckets.charge("a", 40, NOW), Ok(QuotaStatus { quota: 60, left: 20, full_in: 40 }));
        let status = QuotaStatus { quota: 60, left: 20, full_in: 40 };
        assert_eq!(buckets.charge("a", 25, NOW), Err(QuotaExceeded { status, retry_after: 5 }));
        assert_eq!(buckets.charge("b", 60, NOW).unwrap().left, 0, "each key has a bucket of its own");
        assert_eq!(buckets.charge("a", 25, NOW + 4_999).unwrap_err().retry_after, 1);
        assert_eq!(buckets.charge("a", 25, NOW + 5_000).unwrap().left, 0);
        assert_eq!(buckets.charge("a", 60, NOW + 65_000).unwrap().left, 0);
    }

    #[test]
    fn a_cost_above_the_quota_needs_a_full_bucket() {
        let buckets = Buckets::new(60).unwrap();
        assert_eq!(buckets.charge("a", 5000, NOW).unwrap().left, 0);
        assert_eq!(buckets.charge("a", 5000, NOW + 1000).unwrap_err().retry_after, 59);
    }

    #[test]
    fn a_refund_never_exceeds_the_quota() {
        let buckets = Buckets::new(60).unwrap();
        buckets.charge("a", 50, NOW).unwrap();
        assert_eq!(buckets.refund(&"a", 30, NOW).left, 40);
        assert_eq!(buckets.refund(&"a", 60, NOW).left, 60);
        assert_eq!(buckets.charge("a", 61, NOW).unwrap().left, 0, "no more than the quota");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let buckets = Buckets::new(60).unwrap();
        buckets.charge("a", 60, NOW + 86_400_000).unwrap();
        assert_eq!(buckets.charge("a", 1, NOW).unwrap_err().retry_after, 1);
        assert_eq!(buckets.charge("a", 60, NOW).unwrap_err().retry_after, 60);
    }

    #[test]
    fn the_memory_is_bounded() {
        let buckets = Buckets::new(1).unwrap();
        for key in 0..3 * MAX_KEYS {
            buckets.charge(key, 1, NOW).unwrap();
        }
        assert_eq!(buckets.lock().len(), MAX_KEYS);
        assert!(buckets.charge(3 * MAX_KEYS - 1, 1, NOW).is_err(), "the latest are remembered");
    }

    #[test]
    fn a_quota_of_zero_is_no_limit() {
        assert!(Buckets::<&str>::new(0).is_none());
    }

    proptest! {
        /// No window gives more than two quotas, and after `retry_after` a refused charge succeeds.
        #[test]
        fn no_window_gives_more_than_a_full_bucket_and_its_refill(
            quota in 1..1_000_000_u64,
            charges in prop::collection::vec((0..30_000_i64, 0..2_000_000_u64), 1..60),
        ) {
            let buckets = Buckets::new(quota).unwrap();
            let (mut now, mut given) = (NOW, Vec::new());
            for (later, cost) in charges {
                now += later;
                match buckets.charge((), cost, now) {
                    Ok(_) => given.push((now, cost.min(quota))),
                    Err(exceeded) => {
                        prop_assert!((1..=WINDOW).contains(&exceeded.retry_after));
                        let then = now + exceeded.retry_after as i64 * 1000;
                        prop_assert!(affords(&buckets, cost, then), "the promise is kept");
                    }
                }
            }
            for (from, _) in &given {
                let sum: u64 = given.iter().filter(|(at, _)| (0..=60_000).contains(&(at - from))).map(|g| g.1).sum();
                prop_assert!(sum <= 2 * quota + given.len() as u64, "{} of {}", sum, quota);
            }
        }
    }
}
