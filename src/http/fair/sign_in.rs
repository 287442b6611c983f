//! Signing in: wrong tokens are counted against the address that they come from, and few are allowed.
//!
//! The count is looked at before the token is, so that guessing costs the database nothing. A token that was valid from
//! the same address lately is not held up by the failures of its neighbours: behind one address there may be a whole
//! office. It is looked up all the same, so that a revoked one ends at once.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;

use super::address::Network;
use super::bucket::{Buckets, Empty};
use super::lanes::Line;

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
}

impl Credentials {
    /// The line that the request waits in.
    pub(in crate::http) fn line(&self) -> Line {
        if self.known { Line::Token(self.fingerprint) } else { Line::Address(self.address) }
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

    /// Whether somebody may sign in; without a token nobody tries to.
    pub(super) fn begin(
        &self,
        address: Option<Network>,
        token: Option<&str>,
        now: impl Fn() -> i64,
    ) -> Result<Credentials, Empty> {
        let fingerprint = self.fingerprints.hash_one((address, token));
        let known = token.is_some() && self.known().get(&fingerprint).is_some();
        if let (Some(failures), Some(address), Some(_), false) = (&self.failures, address, token, known) {
            failures.check(&address, 1, now())?;
        }
        Ok(Credentials { address, fingerprint, known })
    }

    /// Remembers how it ended.
    pub(super) fn end(&self, credentials: &Credentials, valid: bool, now: impl Fn() -> i64) {
        let Credentials { address, fingerprint, known } = *credentials;
        match (valid, known) {
            (true, true) => {}
            (true, false) => {
                let mut known = self.known();
                known.put(fingerprint, ());
                if known.len() > KNOWN {
                    known.pop_lru();
                }
            }
            (false, _) => {
                self.known().pop(&fingerprint);
                if let (Some(failures), Some(address)) = (&self.failures, address) {
                    // Those that were begun at the same time may be more than are left.
                    let _ = failures.charge(address, 1, now());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    const NOW: fn() -> i64 = || 1_795_424_400_000;

    fn address(text: &str) -> Option<Network> {
        Some(text.parse::<IpAddr>().unwrap().into())
    }

    #[test]
    fn wrong_tokens_shut_their_address_out_but_not_its_valid_tokens() {
        let (sign_ins, here) = (SignIns::new(10), address("192.0.2.1"));
        let good = sign_ins.begin(here, Some("good"), NOW).unwrap();
        assert_eq!(good.line(), Line::Address(here));
        sign_ins.end(&good, true, NOW);
        for i in 0..10 {
            let wrong = sign_ins.begin(here, Some(&format!("wrong {i}")), NOW).unwrap();
            assert_eq!(wrong.line(), Line::Address(here), "made-up tokens share one line");
            sign_ins.end(&wrong, false, NOW);
        }
        let shut = sign_ins.begin(here, Some("wrong"), NOW).unwrap_err();
        assert_eq!((shut.retry_after, shut.standing.quota), (6, 10));
        assert!(sign_ins.begin(here, Some("good, but new here"), NOW).is_err());
        // The office next door, the token that is known, and requests without a token are not concerned.
        assert!(sign_ins.begin(address("192.0.2.2"), Some("wrong"), NOW).is_ok());
        assert!(sign_ins.begin(here, None, NOW).is_ok());
        let good = sign_ins.begin(here, Some("good"), NOW).unwrap();
        assert!(matches!(good.line(), Line::Token(_)));
        // Once it is revoked it is a wrong token like any other.
        sign_ins.end(&good, false, NOW);
        assert!(sign_ins.begin(here, Some("good"), NOW).is_err());
        assert!(sign_ins.begin(here, Some("wrong"), || NOW() + 6_000).is_ok());
    }

    #[test]
    fn a_token_is_known_from_where_it_was_valid() {
        let sign_ins = SignIns::new(1);
        let good = sign_ins.begin(address("192.0.2.1"), Some("good"), NOW).unwrap();
        sign_ins.end(&good, true, NOW);
        let elsewhere = address("192.0.2.2");
        assert_eq!(sign_ins.begin(elsewhere, Some("good"), NOW).unwrap().line(), Line::Address(elsewhere));
    }

    #[test]
    fn the_memory_is_bounded() {
        let sign_ins = SignIns::new(1);
        for i in 0..KNOWN + 5 {
            let credentials = sign_ins.begin(None, Some(&i.to_string()), NOW).unwrap();
            sign_ins.end(&credentials, true, NOW);
        }
        assert_eq!(sign_ins.known().len(), KNOWN);
    }
}
