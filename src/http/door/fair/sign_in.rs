//! Signing in: wrong tokens are counted against the address that they come from, and few are allowed.
//!
//! A token is counted before it is looked up, and given back when it is valid: so guessing costs the database nothing,
//! however many guesses come at once. Where an address has none left, only a token passes that may be valid: one that was
//! valid from there lately, or whose mark is among those of the valid tokens ([`super::marks`]); behind one address there
//! may be a whole office. It is looked up all the same, so that a revoked one ends at once.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::address::Network;
use super::bucket::{Buckets, Empty};
use super::lanes::QueueOwner;
use crate::http::door::claim::BearerClaim;

/// The most tokens that are remembered as valid, 16 bytes each.
const KNOWN: usize = 10_000;

/// What has come of signing in.
pub(super) struct SignIns {
    failures: Option<Buckets<Network>>,
    known: Mutex<LruCache<u64, ()>>,
    /// Keyed by chance: nobody can make up a token that looks like another.
    fingerprints: RandomState,
}

/// A token from an address, or none. Made before the token is looked up.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Credentials {
    address: Option<Network>,
    fingerprint: u64,
    known: bool,
    /// Whether it has been counted as a wrong token.
    counted: bool,
}

impl Credentials {
    /// The line that the request waits in.
    pub(in crate::http) fn line(&self) -> QueueOwner {
        if self.known { QueueOwner::Token(self.fingerprint) } else { QueueOwner::Address(self.address) }
    }
}

impl SignIns {
    pub(super) fn new(failures: u64) -> Self {
        let known = Mutex::new(LruCache::unbounded());
        Self { failures: Buckets::new(failures), known, fingerprints: RandomState::new() }
    }

    fn known(&self) -> MutexGuard<'_, LruCache<u64, ()>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody may sign in; without a claim nobody tries to. `may_be_valid` is asked when the address has no
    /// wrong token left.
    pub(super) async fn begin(
        &self,
        address: Option<Network>,
        claim: &BearerClaim,
        may_be_valid: impl Future<Output = bool>,
        now: impl Fn() -> i64,
    ) -> Result<Credentials, Empty> {
        let fingerprint = self.fingerprints.hash_one((address, claim));
        let claims = *claim != BearerClaim::None;
        let known = claims && self.known().get(&fingerprint).is_some();
        let mut credentials = Credentials { address, fingerprint, known, counted: false };
        if let (Some(failures), Some(address), true, false) = (&self.failures, address, claims, known) {
            match failures.charge(address, 1, now()) {
                Ok(_) => credentials.counted = true,
                Err(empty) if !may_be_valid.await => return Err(empty),
                Err(_) => {}
            }
        }
        Ok(credentials)
    }

    /// Remembers how it ended; `None` when the token could not be looked up.
    pub(super) fn end(&self, credentials: &Credentials, valid: Option<bool>, now: impl Fn() -> i64) {
        let Credentials { address, fingerprint, known, counted } = *credentials;
        let failures = self.failures.as_ref().zip(address);
        if let (true, Some((failures, address))) = (counted && valid != Some(false), failures) {
            failures.refund(&address, 1, now());
        }
        match valid {
            Some(true) if !known => {
                let mut known = self.known();
                known.put(fingerprint, ());
                if known.len() > KNOWN {
                    known.pop_lru();
                }
            }
            Some(false) => {
                self.known().pop(&fingerprint);
                if let (false, Some((failures, address))) = (counted, failures) {
                    // There may be none left: it only looked like a valid one.
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

    /// Begins with a token whose mark is not known.
    fn begin(sign_ins: &SignIns, from: Option<Network>, token: Option<&str>, now: i64) -> Result<Credentials, Empty> {
        let claim = token.map_or(BearerClaim::None, BearerClaim::of_token);
        let begun = sign_ins.begin(from, &claim, std::future::ready(false), move || now);
        begun.now_or_never().expect("nothing to wait for")
    }

    #[test]
    fn wrong_tokens_shut_their_address_out_but_not_its_valid_tokens() {
        let (sign_ins, here) = (SignIns::new(10), address("192.0.2.1"));
        let good = begin(&sign_ins, here, Some("good"), NOW).unwrap();
        assert_eq!(good.line(), QueueOwner::Address(here));
        sign_ins.end(&good, Some(true), || NOW);
        // All at once: none has been looked up yet.
        let wrong: Vec<_> =
            (0..10).map(|i| begin(&sign_ins, here, Some(&format!("wrong {i}")), NOW).unwrap()).collect();
        let shut = begin(&sign_ins, here, Some("wrong"), NOW).unwrap_err();
        assert_eq!((shut.retry_after, shut.standing.quota), (6, 10));
        for wrong in wrong {
            assert_eq!(wrong.line(), QueueOwner::Address(here), "made-up tokens share one line");
            sign_ins.end(&wrong, Some(false), || NOW);
        }
        assert!(begin(&sign_ins, here, Some("wrong"), NOW).is_err());
        // The office next door, the token that is known, and requests without a token are not concerned.
        assert!(begin(&sign_ins, address("192.0.2.2"), Some("wrong"), NOW).is_ok());
        assert!(begin(&sign_ins, here, None, NOW).is_ok());
        let good = begin(&sign_ins, here, Some("good"), NOW).unwrap();
        assert!(matches!(good.line(), QueueOwner::Token(_)));
        // Once it is revoked it is a wrong token like any other.
        sign_ins.end(&good, Some(false), || NOW);
        assert!(begin(&sign_ins, here, Some("good"), NOW).is_err());
        assert!(begin(&sign_ins, here, Some("wrong"), NOW + 6_000).is_ok());
    }

    #[test]
    fn what_may_be_valid_passes_where_nothing_is_left() {
        let (sign_ins, here) = (SignIns::new(1), address("192.0.2.1"));
        let wrong = begin(&sign_ins, here, Some("wrong"), NOW).unwrap();
        let marked = sign_ins
            .begin(here, &BearerClaim::of_token("marked"), std::future::ready(true), || NOW)
            .now_or_never()
            .unwrap();
        sign_ins.end(&marked.unwrap(), Some(true), || NOW);
        assert!(begin(&sign_ins, here, Some("marked"), NOW).is_ok(), "it is known now");
        assert!(
            begin(&sign_ins, here, Some("another"), NOW).is_err(),
            "it has given nothing back, for it paid nothing"
        );
        sign_ins.end(&wrong, None, || NOW);
        assert!(begin(&sign_ins, here, Some("another"), NOW).is_ok(), "what could not be looked up was no guess");
    }

    #[test]
    fn a_valid_token_is_given_back() {
        let (sign_ins, here) = (SignIns::new(1), address("192.0.2.1"));
        for i in 0..3 {
            let good = begin(&sign_ins, here, Some(&format!("good {i}")), NOW).unwrap();
            sign_ins.end(&good, Some(true), || NOW);
        }
    }

    #[test]
    fn a_token_is_known_from_where_it_was_valid() {
        let sign_ins = SignIns::new(1);
        let good = begin(&sign_ins, address("192.0.2.1"), Some("good"), NOW).unwrap();
        sign_ins.end(&good, Some(true), || NOW);
        let elsewhere = address("192.0.2.2");
        assert_eq!(begin(&sign_ins, elsewhere, Some("good"), NOW).unwrap().line(), QueueOwner::Address(elsewhere));
    }

    #[test]
    fn the_memory_is_bounded() {
        let sign_ins = SignIns::new(1);
        for i in 0..KNOWN + 5 {
            let credentials = begin(&sign_ins, None, Some(&i.to_string()), NOW).unwrap();
            sign_ins.end(&credentials, Some(true), || NOW);
        }
        assert_eq!(sign_ins.known().len(), KNOWN);
    }
}
