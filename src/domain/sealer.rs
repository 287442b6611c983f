//! The key of a database: hashes what only has to be recognised, seals what must be read back.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, SaltString};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Random, hex};

/// Hashes and seals with the server's key.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    /// Keyed with what only this key gives: makes the nonces of [`Sealer::seal_for`].
    nonces: Hmac<Sha256>,
    key_id: String,
    random: Arc<dyn Random>,
}

impl Sealer {
    /// The length of the key in bytes.
    pub const KEY_LENGTH: usize = 32;
    const NONCE_LENGTH: usize = 24;

    /// A sealer with this key.
    pub fn new(key: &[u8; Self::KEY_LENGTH], random: Arc<dyn Random>) -> Self {
        // The key has 256 random bits: its hash gives nothing away.
        let digest = Sha256::new().chain_update("vext sealing key").chain_update(key).finalize();
        let key_id = hex(&digest[..8]);
        let mut nonces = keyed(key);
        nonces.update(b"vext nonces");
        let nonces = keyed(&nonces.finalize().into_bytes().into());
        Self { cipher: XChaCha20Poly1305::new(key.into()), nonces, key_id, random }
    }

    /// The key's fingerprint, 16 hexadecimal digits: says which key it is, and nothing about it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The argon2id hash of a text in PHC form, with a salt of its own.
    pub(super) fn hash(&self, text: &str) -> Option<String> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let salt = SaltString::encode_b64(&salt).ok()?;
        Argon2::default().hash_password(text.as_bytes(), &salt).ok().map(|hash| hash.to_string())
    }

    /// Nonce and ciphertext (XChaCha20-Poly1305) of a text.
    pub(super) fn close(&self, text: &str) -> Option<Vec<u8>> {
        let mut nonce = [0; Self::NONCE_LENGTH];
        self.random.fill(&mut nonce);
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), text.as_bytes()).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Seals a text so that the same text at the same `place` gives the same bytes, for exports that can be compared.
    ///
    /// The nonce is a keyed hash (HMAC-SHA256) of place and text, cut to 192 bits. That is safe: who does not have the
    /// key cannot tell it from a random one, and it repeats only when place and text repeat, which gives the same bytes
    /// and so tells nothing but that nothing has changed. Two secrets that are the same at two places look different,
    /// and what was sealed for one place does not open at another.
    pub fn seal_for(&self, place: &str, text: &str) -> Option<Vec<u8>> {
        let nonce = self.nonce_for(place, text);
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), text.as_bytes()).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The text that [`Sealer::seal_for`] sealed for this place; `None` for everything else.
    pub fn open_for(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<String>> {
        self.open(sealed).filter(|text| sealed.starts_with(&self.nonce_for(place, text)))
    }

    fn nonce_for(&self, place: &str, text: &str) -> [u8; Self::NONCE_LENGTH] {
        let mut hash = self.nonces.clone();
        // The length keeps place and text apart.
        hash.update(&(place.len() as u64).to_be_bytes());
        hash.update(place.as_bytes());
        hash.update(text.as_bytes());
        let hash = hash.finalize().into_bytes();
        std::array::from_fn(|i| hash[i])
    }

    /// The text in `sealed`; `None` when it was sealed with another key or has been changed.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<String>> {
        let (nonce, sealed) = sealed.split_at_checked(Self::NONCE_LENGTH)?;
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), sealed).ok()?;
        String::from_utf8(plain).ok().map(Zeroizing::new)
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("any length is a key")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], Arc::new(crate::domain::SystemRandom))
    }

    #[test]
    fn what_is_sealed_for_a_place_is_the_same_every_time_and_opens_only_there() {
        let seal = |place, text| sealer().seal_for(place, text).unwrap();
        let sealed = seal("ACME/5/information.securityPin", "$argon2id$");
        assert_eq!(sealed, seal("ACME/5/information.securityPin", "$argon2id$"));
        assert_eq!(sealer().open_for("ACME/5/information.securityPin", &sealed).unwrap().as_str(), "$argon2id$");
        // Otherwise a PIN could be moved from one extension's line to another's.
        assert!(sealer().open_for("ACME/6/information.securityPin", &sealed).is_none());
        let nonce = |sealed: &[u8]| sealed[..24].to_vec();
        let others =
            [seal("ACME/6/information.securityPin", "$argon2id$"), seal("ACME/5/information.securityPin", "$")];
        assert!(others.iter().all(|other| nonce(other) != nonce(&sealed)));
        // Place and text do not run into each other.
        assert_ne!(nonce(&seal("ab", "c")), nonce(&seal("a", "bc")));
        let other = Sealer::new(&[8; 32], Arc::new(crate::domain::SystemRandom));
        assert!(other.open_for("ACME/5/information.securityPin", &sealed).is_none());
        assert_ne!(nonce(&other.seal_for("a", "b").unwrap()), nonce(&seal("a", "b")));
    }
}
