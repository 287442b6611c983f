//! A quota per key that refills steadily: the generic cell rate algorithm (GCRA), one moment per key.

use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

/// The window of every quota: what is spent is there again a minute later.
pub(super) const WINDOW: u64 = 60;
/// The window in nanoseconds, the unit of all times here: a quota may be finer than a millisecond.
const FULL: i64 = WINDOW as i64 * 1_000_000_000;
/// The most keys that are remembered, so that one client with many addresses cannot fill the memory. A key that makes
/// room for another begins with a full bucket again.
const KEYS: usize = 10_000;

/// Buckets that hold the same quota, one for each key.
pub(super) struct Buckets<K: Hash + Eq> {
    quota: u64,
    /// When each bucket will be full again. A key that is not here has a full one.
    full_at: Mutex<LruCache<K, i64>>,
}

/// A bucket after something was taken from it, or could not be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct QuotaStatus {
    /// What a full bucket holds.
    pub quota: u64,
    /// What is left, rounded down.
    pub left: u64,
    /// Seconds until it is full again, rounded up.
    pub full_in: u64,
}

/// There is not enough in the bucket.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Empty {
    pub standing: QuotaStatus,
    /// Seconds until there is, rounded up; at least one.
    pub retry_after: u64,
}

impl<K: Hash + Eq> Buckets<K> {
    /// Buckets of this quota; `None` for 0, which means that nothing is limited.
    pub(super) fn new(quota: u64) -> Option<Self> {
        (quota > 0).then(|| Self { quota, full_at: Mutex::new(LruCache::unbounded()) })
    }

    /// A poisoned lock only means that another thread panicked; the moments are whole.
    fn lock(&self) -> MutexGuard<'_, LruCache<K, i64>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What costs more than the quota takes, and needs, a full bucket: else it could never be paid.
    pub(super) fn price(&self, cost: u64) -> u64 {
        cost.min(self.quota)
    }

    /// How long a bucket refills what was taken.
    fn refill(&self, cost: u64) -> i64 {
        let refill = i128::from(self.price(cost)) * i128::from(FULL) / i128::from(self.quota);
        i64::try_from(refill).unwrap_or(FULL)
    }

    fn standing(&self, debt: i64) -> QuotaStatus {
        let left = i128::from(FULL - debt) * i128::from(self.quota) / i128::from(FULL);
        QuotaStatus { quota: self.quota, left: u64::try_from(left).unwrap_or_default(), full_in: seconds(debt) }
    }

    /// Takes the cost from a bucket, or nothing. `now` is in epoch milliseconds.
    pub(super) fn charge(&self, key: K, cost: u64, now: i64) -> Result<QuotaStatus, Empty> {
        let (now, mut keys) = (nanoseconds(now), self.lock());
        let debt = debt(keys.get(&key), now);
        let after = debt + self.refill(cost);
        if after > FULL {
            return Err(Empty { standing: self.standing(debt), retry_after: seconds(after - FULL).max(1) });
        }
        keys.put(key, now + after);
        if keys.len() > KEYS {
            keys.pop_lru();
        }
        Ok(self.standing(after))
    }

    /// Puts back what was charged too much.
    pub(super) fn refund(&self, key: &K, cost: u64, now: i64) -> QuotaStatus {
        let (now, mut keys) = (nanoseconds(now), self.lock());
        let after = (debt(keys.get(key), now) - self.refill(cost)).max(0);
        if let Some(full_at) = keys.get_mut(key) {
            *full_at = now + after;
        }
        self.standing(after)
    }
}

fn nanoseconds(milliseconds: i64) -> i64 {
    milliseconds.saturating_mul(1_000_000)
}

fn seconds(nanoseconds: i64) -> u64 {
    u64::try_from(nanoseconds).unwrap_or_default().div_ceil(1_000_000_000)
}

/// What is missing from a bucket, as the time that refills it. Never more than all of it: a clock that is set back does
/// not lock anybody out for longer than the window.
fn debt(full_at: Option<&i64>, now: i64) -> i64 {
    full_at.map_or(0, |full_at| full_at.saturating_sub(now).clamp(0, FULL))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_424_400_000;

    /// Whether a cost could be charged at a moment.
    fn affords(buckets: &Buckets<()>, cost: u64, now: i64) -> bool {
        debt(buckets.lock().get(&()), nanoseconds(now)) + buckets.refill(cost) <= FULL
    }

    #[test]
    fn a_bucket_empties_and_refills_steadily() {
        let buckets = Buckets::new(60).unwrap();
        assert_eq!(buckets.charge("a", 40, NOW), Ok(QuotaStatus { quota: 60, left: 20, full_in: 40 }));
        let standing = QuotaStatus { quota: 60, left: 20, full_in: 40 };
        assert_eq!(buckets.charge("a", 25, NOW), Err(Empty { standing, retry_after: 5 }));
        assert_eq!(buckets.charge("b", 60, NOW).unwrap().left, 0, "each key has a bucket of its own");
        assert_eq!(buckets.charge("a", 25, NOW + 4_999).unwrap_err().retry_after, 1);
        assert_eq!(buckets.charge("a", 25, NOW + 5_000).unwrap().left, 0);
        assert_eq!(buckets.charge("a", 60, NOW + 65_000).unwrap().left, 0);
    }

    #[test]
    fn what_costs_more_than_the_quota_needs_a_full_bucket() {
        let buckets = Buckets::new(60).unwrap();
        assert_eq!(buckets.charge("a", 5000, NOW).unwrap().left, 0);
        assert_eq!(buckets.charge("a", 5000, NOW + 1000).unwrap_err().retry_after, 59);
    }

    #[test]
    fn what_was_charged_too_much_comes_back_and_not_more() {
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
        for key in 0..3 * KEYS {
            buckets.charge(key, 1, NOW).unwrap();
        }
        assert_eq!(buckets.lock().len(), KEYS);
        assert!(buckets.charge(3 * KEYS - 1, 1, NOW).is_err(), "the latest are remembered");
    }

    #[test]
    fn a_quota_of_nothing_is_no_limit() {
        assert!(Buckets::<&str>::new(0).is_none());
    }

    proptest! {
        /// Whatever is asked for at whatever moments: no window gives more than two quotas, and promises are kept.
        #[test]
        fn no_window_gives_more_than_a_full_bucket_and_its_refill(
            quota in 1..1_000_000_u64,
            asked in prop::collection::vec((0..30_000_i64, 0..2_000_000_u64), 1..60),
        ) {
            let buckets = Buckets::new(quota).unwrap();
            let (mut now, mut given) = (NOW, Vec::new());
            for (later, cost) in asked {
                now += later;
                match buckets.charge((), cost, now) {
                    Ok(_) => given.push((now, cost.min(quota))),
                    Err(empty) => {
                        prop_assert!((1..=WINDOW).contains(&empty.retry_after));
                        let then = now + empty.retry_after as i64 * 1000;
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
