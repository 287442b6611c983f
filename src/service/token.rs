//! Tokens: what makes one, and what is kept of it.

use sha2::{Digest as _, Sha256};

/// A token that is to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name, unique among tokens.
    pub name: String,
    /// The codes of the tenants that it opens; the first is selected when a request names none.
    pub tenants: Vec<String>,
    /// Whether it opens every tenant, those to come included.
    pub all_tenants: bool,
    /// Whether it may make and change objects; every token may read.
    pub write: bool,
    /// Whether it may delete objects.
    pub delete: bool,
    /// Whether it may see the schema and the playground where not everybody may.
    pub explore: bool,
}

/// The first bytes of a token's hash: enough to tell nearly every invalid token from the valid ones, too few to give
/// anything away about those.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TokenMark([u8; 4]);

impl TokenMark {
    /// The mark of a token.
    pub fn of(token: &str) -> Self {
        Self::of_hash(&hash(token))
    }

    pub(super) fn of_hash(hash: &[u8]) -> Self {
        Self(std::array::from_fn(|i| hash.get(i).copied().unwrap_or_default()))
    }
}

pub(super) fn hash(token: &str) -> [u8; 32] {
    // A token has 256 random bits: there is nothing to guess that a slow hash would protect.
    Sha256::digest(token).into()
}
