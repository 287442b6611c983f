//! The codes of tenants.

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value};

/// The code by which people and configuration refer to a tenant.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TenantCode(String);

impl TenantCode {
    /// The code itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let fits = (2..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && text.as_bytes()[0].is_ascii_uppercase();
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::new(Code::InvalidFormat, "must be 2 to 32 capital letters, digits or _, a letter first")
                .value(text))
        }
    }
}

impl Scalar for TenantCode {
    const TAKES: Shape = Shape::String;

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        value.text().map(|s| Self(s.to_owned())).ok_or_else(|| corrupt("a tenant code"))
    }

    fn load_untrusted(value: Value) -> Result<Self, Problem> {
        Self::from_value(value).and_then(|code| Self::read(&code.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_code_is_upper_case() {
        assert!(TenantCode::parse(&"CANISTRACCI".into()).is_ok());
        for wrong in ["", "A", "canistracci", "1A", "A B", "É1"] {
            assert_eq!(TenantCode::parse(&wrong.into()).unwrap_err().code, Code::InvalidFormat, "{wrong}");
        }
    }
}
