//! Counts invalid tokens against the address that they come from; only a few per minute are allowed.
//!
//! A token is counted before it is looked up, and the count is given back if it turns out to be valid. So guessing
//! costs the database nothing, however many guesses arrive at once. Once an address has used up its limit, only tokens
//! that may be valid pass, because a whole office may share the address: those that were recently valid from there, and
//! those whose mark is among the marks of valid tokens ([`super::marks`]). They are still looked up, so that a revoked
//! token stops working at once.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::address::Network;
use super::bucket::{Buckets, QuotaExceeded};
use super::lanes::QueueOwner;
use crate::http::door::claim::BearerClaim;

/// The most tokens that are remembered as valid, 16 bytes each.
const MAX_REMEMBERED: usize = 10_000;

/// The failed sign-ins of each address, and the tokens that were recently valid.
pub(super) struct FailedSignIns {
    /// `None` when there is no limit.
    failures: Option<Buckets<Network>>,
    /// The fingerprints of tokens that were valid from their address.
    valid: Mutex<LruCache<u64, ()>>,
    /// Hashes with random keys, so that nobody can construct a token with the fingerprint of another.
    fingerprints: RandomState,
}

/// An attempt to sign in, or a request without a token. Made before the token is looked up.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct SignInAttempt {
    address: Option<Network>,
    /// Of the address and the claim.
    fingerprint: u64,
    /// Whether the token was recently valid from this address.
    was_valid: bool,
    /// Whether the token has been counted as invalid in advance.
    is_counted: bool,
}

impl SignInAttempt {
    /// Whose turn the request takes while it waits for a place in a lane.
    pub(in crate::http) fn queue_owner(&self) -> QueueOwner {
        if self.was_valid { QueueOwner::Token(self.fingerprint) } else { QueueOwner::Address(self.address) }
    }
}

impl FailedSignIns {
    pub(super) fn new(failures: u64) -> Self {
        let valid = Mutex::new(LruCache::unbounded());
        Self { failures: Buckets::new(failures), valid, fingerprints: RandomState::new() }
    }

    /// A poisoned lock only means that another thread panicked; the cache is intact.
    fn valid(&self) -> MutexGuard<'_, LruCache<u64, ()>> {
        self.valid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt; a request without a claim is never refused. `may_be_valid` is awaited only if the address has
    /// used up its limit.
    ///
    /// # Errors
    /// The address has sent too many invalid tokens, and this one cannot be valid.
    pub(super) async fn begin(
        &self,
        address: Option<Network>,
        claim: &BearerClaim,
        may_be_valid: impl Future<Output = bool>,
        now: impl Fn() -> i64,
    ) -> Result<SignInAttempt, QuotaExceeded> {
        let fingerprint = self.fingerprints.hash_one((address, claim));
        let has_claim = *claim != BearerClaim::None;
        let was_valid = has_claim && self.valid().get(&fingerprint).is_some();
        let mut attempt = SignInAttempt { address, fingerprint, was_valid, is_counted: false };
        if let (Some(failures), Some(address), true, false) = (&self.failures, address, has_claim, was_valid) {
            match failures.charge(address, 1, now()) {
                Ok(_) => attempt.is_counted = true,
                Err(exceeded) if !may_be_valid.await => return Err(exceeded),
                Err(_) => {}
            }
        }
        Ok(attempt)
    }

    /// Records how an attempt ended. `valid` is `None` if the token could not be looked up.
    pub(super) fn end(&self, attempt: &SignInAttempt, valid: Option<bool>, now: impl Fn() -> i64) {
        let SignInAttempt { address, fingerprint, was_valid, is_counted } = *attempt;
        let failures = self.failures.as_ref().zip(address);
        if let (true, Some((failures, address))) = (is_counted && valid != Some(false), failures) {
            failures.refund(&address, 1, now());
        }
        match valid {
            Some(true) if !was_valid => {
                let mut valid = self.valid();
                valid.put(fingerprint, ());
                if valid.len() > MAX_REMEMBERED {
                    valid.pop_lru();
                }
            }
            Some(false) => {
                self.valid().pop(&fingerprint);
                if let (false, Some((failures, address))) = (is_counted, failures) {
                    // The limit may be used up already: then the token only had the mark of a valid one.
                    let _ = failures.charge(address, 1, now());
                }
            }
            Some(true) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::net::IpAddr;

    const NOW: i64 = 1_795_424_400_000;

    fn address(text: &str) -> Option<Network> {
        Some(text.parse::<IpAddr>().unwrap().into())
    }

    /// Begins an attempt with a token whose mark is not among the valid ones.
    fn begin(
        sign_ins: &FailedSignIns,
        from: Option<Network>,
        token: Option<&str>,
        now: i64,
    ) -> Result<SignInAttempt, QuotaExceeded> {
        let claim = token.map_or(BearerClaim::None, BearerClaim::from_token);
        let begun = sign_ins.begin(from, &claim, std::future::ready(false), move || now);
        begun.now_or_never().expect("nothing to wait for")
    }

    #[test]
    fn invalid_tokens_block_their_address_but_not_its_valid_tokens() {
        let (sign_ins, here) = (FailedSignIns::new(10), address("192.0.2.1"));
        let good = begin(&sign_ins, here, Some("good"), NOW).unwrap();
        assert_eq!(good.queue_owner(), QueueOwner::Address(here));
        sign_ins.end(&good, Some(true), || NOW);
        // All at once: none has been looked up yet.
        let wrong: Vec<_> =
            (0..10).map(|i| begin(&sign_ins, here, Some(&format!("wrong {i}")), NOW).unwrap()).collect();
        let refused = begin(&sign_ins, here, Some("wrong"), NOW).unwrap_err();
        assert_eq!((refused.retry_after, refused.status.quota), (6, 10));
        for wrong in wrong {
            assert_eq!(
                wrong.queue_owner(),
                QueueOwner::Address(here),
                "made-up tokens share the turn of their address"
            );
            sign_ins.end(&wrong, Some(false), || NOW);
        }
        assert!(begin(&sign_ins, here, Some("wrong"), NOW).is_err());
        // Other addresses, the token that was valid, and requests without a token are not affected.
        assert!(begin(&sign_ins, address("192.0.2.2"), Some("wrong"), NOW).is_ok());
        assert!(begin(&sign_ins, here, None, NOW).is_ok());
        let good = begin(&sign_ins, here, Some("good"), NOW).unwrap();
        assert!(matches!(good.queue_owner(), QueueOwner::Token(_)));
        // Once it is revoked, it is an invalid token like any other.
        sign_ins.end(&good, Some(false), || NOW);
        assert!(begin(&sign_ins, here, Some("good"), NOW).is_err());
        assert!(begin(&sign_ins, here, Some("wrong"), NOW + 6_000).is_ok());
    }

    #[test]
    fn a_token_that_may_be_valid_passes_when_the_limit_is_used_up() {
        let (sign_ins, here) = (FailedSignIns::new(1), address("192.0.2.1"));
        let wrong = begin(&sign_ins, here, Some("wrong"), NOW).unwrap();
        let marked = sign_ins
            .begin(here, &BearerClaim::from_token("marked"), std::future::ready(true), || NOW)
            .now_or_never()
            .unwrap();
        sign_ins.end(&marked.unwrap(), Some(true), || NOW);
        assert!(begin(&sign_ins, here, Some("marked"), NOW).is_ok(), "it was valid before");
        assert!(begin(&sign_ins, here, Some("another"), NOW).is_err(), "it was not counted, so nothing is given back");
        sign_ins.end(&wrong, None, || NOW);
        assert!(
            begin(&sign_ins, here, Some("another"), NOW).is_ok(),
            "a token that could not be looked up is not counted"
        );
    }

    #[test]
    fn a_valid_token_does_not_count() {
        let (sign_ins, here) = (FailedSignIns::new(1), address("192.0.2.1"));
        for i in 0..3 {
            let good = begin(&sign_ins, here, Some(&format!("good {i}")), NOW).unwrap();
            sign_ins.end(&good, Some(true), || NOW);
        }
    }

    #[test]
    fn a_token_is_remembered_only_for_its_address() {
        let sign_ins = FailedSignIns::new(1);
        let good = begin(&sign_ins, address("192.0.2.1"), Some("good"), NOW).unwrap();
        sign_ins.end(&good, Some(true), || NOW);
        let elsewhere = address("192.0.2.2");
        assert_eq!(
            begin(&sign_ins, elsewhere, Some("good"), NOW).unwrap().queue_owner(),
            QueueOwner::Address(elsewhere)
        );
    }

    #[test]
    fn the_memory_is_bounded() {
        let sign_ins = FailedSignIns::new(1);
        for i in 0..MAX_REMEMBERED + 5 {
            let attempt = begin(&sign_ins, None, Some(&i.to_string()), NOW).unwrap();
            sign_ins.end(&attempt, Some(true), || NOW);
        }
        assert_eq!(sign_ins.valid().len(), MAX_REMEMBERED);
    }
}
