//! The text of a secret on its way from a client to where it is hashed or encrypted.

use std::sync::OnceLock;

use zeroize::Zeroizing;

use super::Value;

/// A secret as a client sends it. Its text is wiped from memory when it is dropped, and it is never printed.
#[derive(Clone)]
pub struct SecretText {
    plain: Zeroizing<String>,
    /// The hash or the encrypted bytes, once they exist.
    stored: OnceLock<Value>,
}

impl SecretText {
    /// A secret with this text.
    pub fn new(plain: impl Into<String>) -> Self {
        Self { plain: Zeroizing::new(plain.into()), stored: OnceLock::new() }
    }

    /// The text, for rules that compare it with other fields.
    pub fn expose(&self) -> &str {
        &self.plain
    }

    /// Sets the form to store: its hash or its encrypted bytes. Later calls have no effect.
    pub fn set_stored(&self, stored: Value) {
        let _ = self.stored.set(stored);
    }

    /// The form to store, once it exists.
    pub(super) fn stored(&self) -> Option<&Value> {
        self.stored.get()
    }

    /// Whether the form to store exists, so that the secret can be written.
    pub fn is_storable(&self) -> bool {
        self.stored().is_some()
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
