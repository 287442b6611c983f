//! Values with their own default.

use serde_json::Value as Json;

use crate::domain::{Problem, Scalar, Sent, Shape, Value};

/// A value such as `Seconds<1, 3600>` that is `DEFAULT` until it is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct WithDefault<T, const DEFAULT: i64>(T);

impl<T: Copy, const DEFAULT: i64> WithDefault<T, DEFAULT> {
    /// The value.
    pub fn value(self) -> T {
        self.0
    }
}

impl<T: Scalar, const DEFAULT: i64> Scalar for WithDefault<T, DEFAULT> {
    const TAKES: Shape = T::TAKES;
    const ANSWERS: Shape = T::ANSWERS;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        T::parse(sent).map(Self)
    }

    fn empty() -> Option<Self> {
        T::empty().map(Self)
    }

    /// The default. If `T` does not allow it, the field becomes required, and a test in `objects` fails.
    fn blank() -> Option<Self> {
        Self::from_value(DEFAULT.into()).ok()
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        T::from_value(value).map(Self)
    }

    fn answer(&self) -> Json {
        self.0.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Seconds;

    #[test]
    fn the_default_applies_until_a_value_is_set() {
        type Timeout = WithDefault<Seconds<1, 600>, 45>;
        assert_eq!(Timeout::blank().unwrap().value().get(), 45);
        assert_eq!(Timeout::parse(&30.into()).unwrap().value().get(), 30);
        assert!(Timeout::parse(&0.into()).is_err());
        assert!(WithDefault::<Seconds<1, 600>, 0>::blank().is_none());
    }
}
