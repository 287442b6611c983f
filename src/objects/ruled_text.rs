//! A macro for one-line text types with their own rule.

/// Declares a required text type: `ruled_text!(/// doc  Name<MAX>, "rule", |text| fits)`.
macro_rules! ruled_text {
    ($(#[$doc:meta])* $Name:ident<$max:literal>, $rule:literal, $fits:expr ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $Name($crate::domain::Text<$max>);

        impl $Name {
            /// The text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl $crate::domain::Scalar for $Name {
            const TAKES: $crate::domain::Shape = $crate::domain::Shape::String;

            fn parse(sent: &$crate::domain::Sent) -> Result<Self, $crate::domain::Problem> {
                let text = <$crate::domain::Text<$max> as $crate::domain::Scalar>::parse(sent)?;
                let fits: fn(&str) -> bool = $fits;
                if fits(text.as_str()) {
                    Ok(Self(text))
                } else {
                    Err($crate::domain::Problem::new($crate::domain::Code::InvalidFormat, $rule).value(text.as_str()))
                }
            }

            fn to_value(&self) -> $crate::domain::Value {
                $crate::domain::Scalar::to_value(&self.0)
            }

            fn from_value(value: $crate::domain::Value) -> Result<Self, $crate::domain::Problem> {
                <$crate::domain::Text<$max> as $crate::domain::Scalar>::from_value(value)
                    .and_then(|text| <Self as $crate::domain::Scalar>::parse(&text.as_str().into()))
            }
        }
    };
}
pub(super) use ruled_text;
