//! Values that may be the number of an object.

use serde_json::Value as Json;

use crate::domain::{Problem, Scalar, Sent, Shape, Value};

/// A value that by convention may equal the number of an object: a soft reference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NumberReference<T>(T);

impl<T> NumberReference<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.0
    }
}

impl<T: Scalar> Scalar for NumberReference<T> {
    const TAKES: Shape = T::TAKES;
    const ANSWERS: Shape = T::ANSWERS;

    const DIALS: bool = true;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        T::parse(sent).map(Self)
    }

    fn empty() -> Option<Self> {
        T::empty().map(Self)
    }

    fn blank() -> Option<Self> {
        T::blank().map(Self)
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        T::from_value(value).map(Self)
    }

    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        T::load_untrusted(value).map(Self)
    }

    fn answer(&self) -> Json {
        self.0.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digits;

    #[test]
    fn it_is_redialled_when_it_is_the_number() {
        let mut mailbox = NumberReference::<Digits<10>>::parse(&"108".into()).unwrap();
        mailbox.redial("10", "20");
        assert_eq!(mailbox.value().as_str(), "108");
        mailbox.redial("108", "208");
        assert_eq!(mailbox.value().as_str(), "208");
    }
}
