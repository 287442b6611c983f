//! Encrypts secrets that must be readable with the key of the database, and hashes secrets that are only compared.

use std::sync::Arc;

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::aead::Aead;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Random, hex};

/// Encrypts secrets with the server's key.
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    /// Makes the nonces of [`Sealer::seal_for`]. Its key is derived from the server's key.
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
        // The key has 256 random bits, so its hash reveals nothing.
        let digest = Sha256::new().chain_update("vext sealing key").chain_update(key).finalize();
        let key_id = hex(&digest[..8]);
        let mut nonces = keyed(key);
        nonces.update(b"vext nonces");
        let nonces = keyed(&nonces.finalize().into_bytes().into());
        Self { cipher: XChaCha20Poly1305::new(key.into()), nonces, key_id, random }
    }

    /// The fingerprint of the key, 16 hexadecimal digits. It identifies the key without revealing it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Encrypts a text with a random nonce (XChaCha20-Poly1305). Returns the nonce followed by the ciphertext.
    pub fn close(&self, text: &str) -> Option<Vec<u8>> {
        let mut nonce = [0; Self::NONCE_LENGTH];
        self.random.fill(&mut nonce);
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), text.as_bytes()).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Encrypts a text so that the same text at the same `place` gives the same bytes. This makes exports comparable.
    ///
    /// The nonce is a keyed hash (HMAC-SHA256) of the place and the text, cut to 192 bits. This is safe: without the
    /// key, the nonce cannot be distinguished from a random one. It repeats only if both the place and the text repeat,
    /// which gives the same bytes and reveals only that nothing has changed. The same secret at two places looks
    /// different, and what was sealed for one place cannot be opened at another.
    pub fn seal_for(&self, place: &str, text: &str) -> Option<Vec<u8>> {
        let nonce = self.nonce_for(place, text);
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), text.as_bytes()).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// The text that [`Sealer::seal_for`] encrypted for this place; `None` for anything else.
    pub fn open_for(&self, place: &str, sealed: &[u8]) -> Option<Zeroizing<String>> {
        self.open(sealed).filter(|text| sealed.starts_with(&self.nonce_for(place, text)))
    }

    fn nonce_for(&self, place: &str, text: &str) -> [u8; Self::NONCE_LENGTH] {
        let mut hash = self.nonces.clone();
        // The length separates the place from the text.
        hash.update(&(place.len() as u64).to_be_bytes());
        hash.update(place.as_bytes());
        hash.update(text.as_bytes());
        let hash = hash.finalize().into_bytes();
        std::array::from_fn(|i| hash[i])
    }

    /// The text in `sealed`; `None` if it was encrypted with another key or has been changed.
    pub fn open(&self, sealed: &[u8]) -> Option<Zeroizing<String>> {
        let (nonce, sealed) = sealed.split_at_checked(Self::NONCE_LENGTH)?;
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), sealed).ok()?;
        String::from_utf8(plain).ok().map(Zeroizing::new)
    }
}

/// Hashes with argon2id. The 19 MiB of memory that this takes are allocated once and reused for each hash.
pub struct Hasher {
    argon: Argon2<'static>,
    blocks: Vec<Block>,
}

impl Hasher {
    const SALT_LENGTH: usize = 16;

    /// Allocates the memory of the hasher.
    pub fn new() -> Self {
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
        let blocks = vec![Block::default(); argon.params().block_count()];
        Self { argon, blocks }
    }

    /// The hash of a text in PHC format, with its own salt from the random generator of the sealer.
    pub fn hash(&mut self, sealer: &Sealer, text: &str) -> Option<String> {
        let mut salt = [0; Self::SALT_LENGTH];
        sealer.random.fill(&mut salt);
        let length = self.argon.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = Output::init_with(length, |output| {
            let hashed = self.argon.hash_password_into_with_memory(text.as_bytes(), &salt, output, &mut self.blocks);
            hashed.map_err(Into::into)
        });
        let salt = SaltString::encode_b64(&salt).ok()?;
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.argon.params()).ok()?,
            salt: Some(salt.as_salt()),
            hash: Some(output.ok()?),
        };
        Some(hash.to_string())
    }

    /// Whether a hash in PHC format is the hash of a text. Also `false` for a hash that takes more memory than
    /// allocated.
    pub fn verify(&mut self, hash: &str, text: &str) -> bool {
        self.rehash(hash, text).is_some_and(|(kept, hashed)| kept == hashed)
    }

    /// The output in a hash, and the output for a text with the same parameters. Comparing them takes constant time.
    fn rehash(&mut self, hash: &str, text: &str) -> Option<(Output, Output)> {
        let hash = PasswordHash::new(hash).ok()?;
        let (params, version) = (Params::try_from(&hash).ok()?, Version::try_from(hash.version?).ok()?);
        let argon = Argon2::new(Algorithm::try_from(hash.algorithm).ok()?, version, params);
        let (kept, mut salt) = (hash.hash?, [0; Salt::MAX_LENGTH]);
        let salt = hash.salt?.decode_b64(&mut salt).ok()?;
        let hashed = Output::init_with(kept.len(), |output| {
            let hashed = argon.hash_password_into_with_memory(text.as_bytes(), salt, output, &mut self.blocks);
            hashed.map_err(Into::into)
        });
        Some((kept, hashed.ok()?))
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self::new()
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

    /// The results equal those of the crate, which allocates the memory again for each hash.
    #[test]
    fn a_reused_hasher_hashes_like_a_new_one() {
        use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
        let mut hasher = Hasher::new();
        for text in ["7305", "", "A very secret 1 word", "7305"] {
            let hash = hasher.hash(&sealer(), text).unwrap();
            assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            let parsed = PasswordHash::new(&hash).unwrap();
            Argon2::default().verify_password(text.as_bytes(), &parsed).unwrap();
            let fresh = Argon2::default().hash_password(text.as_bytes(), parsed.salt.unwrap()).unwrap();
            assert_eq!(fresh.to_string(), hash);
            assert!(hasher.verify(&hash, text) && !hasher.verify(&hash, "7306"));
        }
        let greedy = hasher.hash(&sealer(), "7305").unwrap().replace("m=19456", "m=194560");
        assert!(!hasher.verify(&greedy, "7305") && !hasher.verify("no hash", "7305"));
        assert_ne!(hasher.hash(&sealer(), "7305"), hasher.hash(&sealer(), "7305"), "each has a salt of its own");
    }

    #[test]
    fn sealing_for_a_place_is_repeatable_and_opens_only_there() {
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
        // The place and the text cannot be confused.
        assert_ne!(nonce(&seal("ab", "c")), nonce(&seal("a", "bc")));
        let other = Sealer::new(&[8; 32], Arc::new(crate::domain::SystemRandom));
        assert!(other.open_for("ACME/5/information.securityPin", &sealed).is_none());
        assert_ne!(nonce(&other.seal_for("a", "b").unwrap()), nonce(&seal("a", "b")));
    }
}
