//! A value with a default of its own.

use async_graphql::OutputType;

use crate::domain::{Problem, Scalar, SentSecret, Value, answers};

/// A counted value, such as `Seconds<1, 3600>`, that is `DEFAULT` when nobody says anything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Preset<T, const DEFAULT: i64>(T);

impl<T: Copy, const DEFAULT: i64> Preset<T, DEFAULT> {
    /// The value.
    pub fn value(self) -> T {
        self.0
    }
}

impl<T: Scalar, const DEFAULT: i64> Scalar for Preset<T, DEFAULT> {
    type Sent = T::Sent;

    fn parse(sent: &Self::Sent) -> Result<Self, Problem> {
        T::parse(sent).map(Self)
    }

    fn empty() -> Option<Self> {
        T::empty().map(Self)
    }

    /// The default; one that `T` does not allow leaves a required field, which `objects::tests` would name.
    fn blank() -> Option<Self> {
        Self::from_value(DEFAULT.into()).ok()
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        T::from_value(value).map(Self)
    }

    fn answer(&self) -> async_graphql::Value {
        self.0.answer()
    }

    fn secret(sent: &Self::Sent) -> Option<SentSecret<'_>> {
        T::secret(sent)
    }
}

answers!([T: Scalar + OutputType, const DEFAULT: i64] Preset<T, DEFAULT> as T);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Seconds, SecondsSent};

    #[test]
    fn the_default_stands_until_something_is_said() {
        type Timeout = Preset<Seconds<1, 600>, 45>;
        assert_eq!(Timeout::blank().unwrap().value().get(), 45);
        assert_eq!(Timeout::parse(&SecondsSent(30)).unwrap().value().get(), 30);
        assert!(Timeout::parse(&SecondsSent(0)).is_err());
        assert!(Preset::<Seconds<1, 600>, 0>::blank().is_none());
    }
}
