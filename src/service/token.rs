//! Tokens: new tokens, and what is stored of them.

use sha2::{Digest as _, Sha256};

/// A request for a new token.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name, unique among tokens.
    pub name: String,
    /// The codes of the tenants that it gives access to. The first one is selected if a request does not name a tenant.
    pub tenants: Vec<String>,
    /// Whether it gives access to all tenants, including future ones.
    pub all_tenants: bool,
    /// Whether it may create and change objects. Every token may read.
    pub write: bool,
    /// Whether it may delete objects.
    pub delete: bool,
    /// Whether it may see the schema and the playground if they are not public.
    pub explore: bool,
}

/// The first bytes of a token's hash: enough to recognise nearly every invalid token, but too few to reveal anything
/// about the valid ones.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TokenMark([u8; 4]);

impl TokenMark {
    /// The mark of a token.
    pub fn of(token: &str) -> Self {
        Self::from_hash(&hash(token))
    }

    pub(super) fn from_hash(hash: &[u8]) -> Self {
        Self(std::array::from_fn(|i| hash.get(i).copied().unwrap_or_default()))
    }
}

pub(super) fn hash(token: &str) -> [u8; 32] {
    // A token has 256 random bits, so a slow hash would not protect it any better.
    Sha256::digest(token).into()
}
