//! Value types, ids and kinds. This layer depends on no other layer.
//!
//! A value of one of these types is always valid: its field is private, and input can only become one through
//! [`Scalar::parse`].
//!
//! To add a type, give it a private field, implement `Scalar`, declare its [`Shape`] with `scalar!` if it should have
//! its own name in GraphQL, and add a test beside it.

mod advice;
mod choice;
mod counter;
mod email;
mod environment;
mod folded;
mod hex;
mod id;
pub mod json;
mod kinds;
mod mac;
mod number;
pub mod opaque;
mod pattern;
mod problem;
mod scalar;
mod sealer;
mod secret;
mod secret_text;
mod sent;
mod shape;
mod tenant_code;
mod text;
mod time;
mod typed_id;
mod value;

pub(crate) use choice::{choice, no_such_word};
pub use counter::Counter;
pub use email::{Email, EmailList};
pub use environment::{Clock, Environment, Random, Stopwatch, SystemClock, SystemRandom};
pub use folded::{LAST_CHARACTER, fold, sort_key, word, words};
pub use hex::hex;
pub use id::{ObjectId, TenantId};
pub(crate) use kinds::each_kind;
pub use kinds::{Kind, Target, kind};
pub use mac::MacAddress;
pub use number::{
    Amount, CallerIdDigits, DialNumber, DigitCount, Digits, ExtensionNumber, Gain, GroupNumber, KeypadKey, PhoneNumber,
    Seconds,
};
pub use pattern::Pattern;
pub use problem::{Code, Problem, quoted};
pub use scalar::{Scalar, SecretStorage};
pub use sealer::{Hasher, Sealer};
pub use secret::{Password, Pin, Plain, Sealed, Secret, SentSecret, TotpSeed};
pub use secret_text::SecretText;
pub use sent::{Patch, Sent};
pub use shape::{ChoiceType, ScalarType, Shape, about};
pub(crate) use shape::{scalar, words};
pub use tenant_code::TenantCode;
pub use text::{CidrList, DisplayName, LongText, ReferenceId, Text, WebUser};
pub use time::{DateTime, MinuteOfDay, TimeZone, Weekday, duration_at_least};
pub use typed_id::Id;
pub use value::{Row, Value, ValueRef};
