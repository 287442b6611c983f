//! Secrets: write-only values. Secrets that only have to be compared are hashed, secrets that must be readable are
//! encrypted.
//!
//! Both happen once per save, before its transaction: argon2id is slow on purpose and must not hold up other writers,
//! and a retried transaction must not use new random bytes. The result is set on the [`SecretText`] that the client
//! sent. Until then a secret that passes its rules counts as set. That is enough for all checks and for previews of
//! changes, but it cannot be written. So most saves that are refused need no hash.

use std::marker::PhantomData;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::scalar::corrupt;
use super::{Code, Hasher, PhoneNumber, Problem, Scalar, Sealer, SecretStorage, SecretText, Sent, Shape, Text, Value};

/// The rule for the text of a secret.
pub trait Plain: Clone + PartialEq + Send + Sync + 'static {
    /// Checks the text; the problem must not repeat it.
    ///
    /// # Errors
    /// The rule that the text breaks.
    fn check(text: &str) -> Result<(), Problem>;
}

/// A PIN: 4 to 10 digits, not all the same and not a run such as 1234.
#[derive(Clone, Debug, PartialEq)]
pub struct Pin;

impl Plain for Pin {
    fn check(text: &str) -> Result<(), Problem> {
        if !(4..=10).contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Problem::new(Code::InvalidFormat, "must be 4 to 10 digits"));
        }
        let steps: Vec<i16> = text.as_bytes().windows(2).map(|w| i16::from(w[1]) - i16::from(w[0])).collect();
        if [0, 1, -1].iter().any(|step| steps.iter().all(|s| s == step)) {
            return Err(Problem::new(Code::WeakPin, "must not be one repeated digit or a run such as 1234"));
        }
        Ok(())
    }
}

/// A password: 10 to 128 characters, at least 4 of them different.
#[derive(Clone, Debug, PartialEq)]
pub struct Password;

impl Plain for Password {
    fn check(text: &str) -> Result<(), Problem> {
        if text.chars().any(char::is_control) {
            return Err(Problem::new(Code::InvalidFormat, "must not contain control characters"));
        }
        let length = text.chars().count();
        let different = text.chars().collect::<std::collections::BTreeSet<_>>().len();
        if length < 10 || different < 4 {
            return Err(Problem::new(Code::WeakPassword, "must have at least 10 characters, 4 of them different"));
        }
        if length > 128 {
            return Err(Problem::new(Code::OutOfRange, "must have at most 128 characters"));
        }
        Ok(())
    }
}

/// The seed of a time-based one-time password (RFC 6238): 16 to 128 base32 characters, that is at least 80 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct TotpSeed;

impl Plain for TotpSeed {
    fn check(text: &str) -> Result<(), Problem> {
        let base32 = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
        if (16..=128).contains(&text.len()) && text.bytes().all(base32) {
            Ok(())
        } else {
            Err(Problem::new(Code::InvalidFormat, "must be 16 to 128 base32 characters (A to Z, 2 to 7)"))
        }
    }
}

impl Plain for PhoneNumber {
    fn check(text: &str) -> Result<(), Problem> {
        // The rule of the type applies, but the value is a secret here.
        PhoneNumber::read(text).map(drop).map_err(|p| Problem { value: None, ..p })
    }
}

impl Plain for Text<255> {
    fn check(text: &str) -> Result<(), Problem> {
        Text::<255>::parse(&text.into()).map(drop).map_err(|p| Problem { value: None, ..p })
    }
}

/// A secret in a client's input, and how to store it.
pub type SentSecret<'a> = (SecretStorage, &'a SecretText);

/// The state of a secret.
#[derive(Clone, Eq, PartialEq)]
enum State<T> {
    Missing,
    /// A client has sent a valid text, but it is not hashed or encrypted yet.
    Sent,
    Stored(T),
}

impl<T> State<T> {
    fn stored(&self) -> Option<&T> {
        match self {
            State::Stored(stored) => Some(stored),
            State::Missing | State::Sent => None,
        }
    }
}

/// Declares a secret type: `secret!(/// doc  Name(stored type), variant of `Value`, variant of `SecretStorage`)`.
macro_rules! secret {
    ($(#[$doc:meta])* $Name:ident($stored:ty), $Variant:ident, $how:ident) => {
        $(#[$doc])*
        #[derive(Clone, Eq, PartialEq)]
        pub struct $Name<P>(State<$stored>, PhantomData<fn() -> P>);

        impl<P> $Name<P> {
            /// Whether there is a secret.
            pub fn is_set(&self) -> bool {
                !matches!(self.0, State::Missing)
            }
        }

        impl<P> Default for $Name<P> {
            fn default() -> Self {
                Self(State::Missing, PhantomData)
            }
        }

        impl<P> std::fmt::Debug for $Name<P> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(if self.is_set() { "set" } else { "not set" })
            }
        }

        impl<P: Plain> Scalar for $Name<P> {
            const SECRET: Option<SecretStorage> = Some(SecretStorage::$how);
            const TAKES: Shape = Shape::String;
            const ANSWERS: Shape = Shape::Boolean;

            fn parse(sent: &Sent) -> Result<Self, Problem> {
                let sent = sent.secret()?;
                P::check(sent.expose())?;
                match sent.stored() {
                    Some(stored) => Self::from_value(stored.clone()),
                    None => Ok(Self(State::Sent, PhantomData)),
                }
            }

            fn empty() -> Option<Self> {
                Some(Self::default())
            }

            fn to_value(&self) -> Value {
                self.0.stored().map_or(Value::Null, |stored| Value::$Variant(stored.clone()))
            }

            fn from_value(value: Value) -> Result<Self, Problem> {
                match value {
                    Value::Null => Ok(Self::default()),
                    Value::$Variant(stored) => Ok(Self(State::Stored(stored), PhantomData)),
                    _ => Err(corrupt("a secret")),
                }
            }

            fn answer(&self) -> Json {
                self.is_set().into()
            }
        }
    };
}

secret!(
    /// A secret that is only compared. It is stored as its argon2id hash; answers only tell whether it is set.
    Secret(String), Text, Hashed
);
secret!(
    /// A secret that a PBX must be able to read. It is encrypted with the server's key; answers only tell whether it is
    /// set.
    Sealed(Vec<u8>), Bytes, Sealed
);

impl<P> Secret<P> {
    /// Whether `text` is the secret. Takes the time of one argon2id hash.
    pub fn verify(&self, hasher: &mut Hasher, text: &str) -> bool {
        self.0.stored().is_some_and(|hash| hasher.verify(hash, text))
    }
}

impl<P> Sealed<P> {
    /// The text of the secret; `None` if it is not set or was encrypted with another key.
    pub fn open(&self, sealer: &Sealer) -> Option<Zeroizing<String>> {
        sealer.open(self.0.stored()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], Arc::new(crate::domain::SystemRandom))
    }

    fn set<S: Scalar>(text: &str) -> Result<S, Problem> {
        let secret = SecretText::new(text);
        let kept = match S::SECRET.unwrap() {
            SecretStorage::Hashed => Hasher::new().hash(&sealer(), secret.expose()).map(Value::Text),
            SecretStorage::Sealed => sealer().close(secret.expose()).map(Value::Bytes),
        };
        secret.set_stored(kept.unwrap());
        S::parse(&secret.into())
    }

    #[test]
    fn a_pin_is_hashed_and_recognised() {
        let pin: Secret<Pin> = set("7305").unwrap();
        let mut hasher = Hasher::new();
        assert!(pin.verify(&mut hasher, "7305") && !pin.verify(&mut hasher, "7306") && pin.is_set());
        assert!(pin.to_value().text().unwrap().starts_with("$argon2id$"));
        assert_eq!(pin.answer(), Json::from(true));
        assert_eq!(format!("{pin:?}"), "set");
    }

    #[test]
    fn weak_secrets_are_refused_without_being_repeated() {
        for (weak, code) in [
            ("1111", Code::WeakPin),
            ("1234", Code::WeakPin),
            ("9876", Code::WeakPin),
            ("12", Code::InvalidFormat),
            ("12a4", Code::InvalidFormat),
        ] {
            let problem = set::<Secret<Pin>>(weak).unwrap_err();
            assert_eq!((problem.code, problem.value), (code, None), "{weak}");
        }
        for weak in ["short", "aaaaaaaaaaaa"] {
            assert_eq!(set::<Secret<Password>>(weak).unwrap_err().code, Code::WeakPassword);
        }
    }

    #[test]
    fn a_sealed_secret_opens_only_with_its_key() {
        let seed: Sealed<TotpSeed> = set("JBSWY3DPEHPK3PXP").unwrap();
        assert_eq!(seed.open(&sealer()).unwrap().as_str(), "JBSWY3DPEHPK3PXP");
        let other = Sealer::new(&[8; 32], Arc::new(crate::domain::SystemRandom));
        assert!(seed.open(&other).is_none());
        let Value::Bytes(mut bytes) = seed.to_value() else { panic!("sealed secrets are bytes") };
        assert!(!bytes.windows(4).any(|w| w == b"JBSW"));
        *bytes.last_mut().unwrap() ^= 1;
        assert!(sealer().open(&bytes).is_none());
    }

    /// This is enough for checks and lists of changes; only a hashed secret can be written.
    #[test]
    fn a_secret_counts_as_set_before_it_is_hashed() {
        let sent = SecretText::new("7305");
        let pin = Secret::<Pin>::parse(&sent.clone().into()).unwrap();
        assert!(pin.is_set() && !sent.is_storable() && !pin.verify(&mut Hasher::new(), "7305"));
        assert_eq!((pin.answer(), pin.to_value()), (Json::from(true), Value::Null));
        assert_ne!(pin, set("7305").unwrap(), "a secret that is sent is a change");
        assert_eq!(Secret::<Pin>::parse(&SecretText::new("1111").into()).unwrap_err().code, Code::WeakPin);
    }
}
