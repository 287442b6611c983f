//! The text of a secret on its way from a client to where it is hashed or sealed.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::Value;

/// A secret as a client sends it. Its text is wiped from memory with it and never printed.
#[derive(Clone)]
pub struct SecretText {
    plain: Zeroizing<String>,
    /// The hash or the sealed bytes, once there is one.
    kept: OnceLock<Value>,
}

impl SecretText {
    /// A secret that was not sent by a client but made by the program.
    pub fn new(plain: impl Into<String>) -> Self {
        Self { plain: Zeroizing::new(plain.into()), kept: OnceLock::new() }
    }

    /// The text, for rules that compare it with other fields.
    pub fn expose(&self) -> &str {
        &self.plain
    }

    /// Takes what is to be kept of it: its hash, or its sealed bytes. The first stays.
    pub fn keep(&self, kept: Value) {
        let _ = self.kept.set(kept);
    }

    /// What is to be kept of it, once that is known.
    pub(super) fn kept(&self) -> Option<&Value> {
        self.kept.get()
    }

    /// Whether it can be written.
    pub fn is_kept(&self) -> bool {
        self.kept().is_some()
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sent_secret_is_not_printed() {
        assert!(!format!("{:?}", SecretText::new("7305")).contains("7305"));
    }
}
