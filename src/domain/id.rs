//! Ids: integers that a tenant's row hands out, opaque outside.

use std::fmt;
use std::marker::PhantomData;

use super::Target;
use super::opaque;
use super::{Code, Problem, Scalar, Sent, Shape, Value};

/// A tenant's key: the first column of every key in the database.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TenantId(pub i64);

impl TenantId {
    /// The opaque form that clients see.
    pub fn opaque(self) -> String {
        opaque::write(self.0.to_string())
    }

    /// The tenant behind an opaque id; `None` for everything else.
    pub fn of_opaque(id: &str) -> Option<Self> {
        let plain = opaque::read(id)?;
        canonical(&plain).map(TenantId)
    }
}

/// An object of any kind: its tenant and its number within the tenant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId {
    /// The tenant that owns the object.
    pub tenant: TenantId,
    /// The object's key within the tenant; not the number that is dialled.
    pub local: i64,
}

impl ObjectId {
    /// The opaque form that clients see: base64url of `tenant.object`.
    pub fn opaque(self) -> String {
        opaque::write(format!("{}.{}", self.tenant.0, self.local))
    }

    /// Writes the opaque form as JSON.
    pub fn write(self, json: &mut Vec<u8>) {
        opaque::write_json(format_args!("{}.{}", self.tenant.0, self.local), json);
    }

    /// The object behind an opaque id; `None` for everything that [`ObjectId::opaque`] did not make.
    pub fn of_opaque(id: &str) -> Option<Self> {
        let plain = opaque::read(id)?;
        let (tenant, local) = plain.split_once('.')?;
        Some(Self { tenant: TenantId(canonical(tenant)?), local: canonical(local)? })
    }
}

/// A positive integer in the one way that `to_string` writes it, so that an object has exactly one opaque id.
fn canonical(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

/// A reference to an object of one kind. That the object exists and is of that kind is checked when a form is saved,
/// and again by the database's foreign key.
pub struct Id<K> {
    object: ObjectId,
    kind: PhantomData<fn() -> K>,
}

impl<K> Id<K> {
    /// A reference to this object.
    pub fn new(object: ObjectId) -> Self {
        Self { object, kind: PhantomData }
    }

    /// The object that is referred to.
    pub fn object(self) -> ObjectId {
        self.object
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.object.tenant.0, self.object.local)
    }
}

impl<K: Target> Id<K> {
    /// The reference that a client sent.
    ///
    /// # Errors
    /// NOT_FOUND for what no server ever handed out: the same answer as for an id that does not exist.
    pub fn parse(sent: &str) -> Result<Self, Problem> {
        ObjectId::of_opaque(sent).map(Self::new).ok_or_else(|| Problem::not_found(K::KINDS, sent))
    }
}

/// A tenant's code: how people and configuration name it.
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
        value.text().map(|s| Self(s.to_owned())).ok_or_else(|| super::scalar::corrupt("a tenant code"))
    }

    fn admit(value: Value) -> Result<Self, Problem> {
        Self::from_value(value).and_then(|code| Self::read(&code.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_opaque_id_leads_back(tenant in 1..i64::MAX, local in 1..i64::MAX) {
            let id = ObjectId { tenant: TenantId(tenant), local };
            prop_assert_eq!(ObjectId::of_opaque(&id.opaque()), Some(id));
            prop_assert_eq!(TenantId::of_opaque(&id.tenant.opaque()), Some(id.tenant));
            prop_assert_eq!(ObjectId::of_opaque(&id.tenant.opaque()), None);
        }

        #[test]
        fn nothing_else_is_an_id(text in ".*") {
            if let Some(id) = ObjectId::of_opaque(&text) {
                prop_assert_eq!(id.opaque(), text);
            }
        }
    }

    #[test]
    fn a_tenant_code_is_upper_case() {
        assert!(TenantCode::parse(&"CANISTRACCI".into()).is_ok());
        for wrong in ["", "A", "canistracci", "1A", "A B", "É1"] {
            assert_eq!(TenantCode::parse(&wrong.into()).unwrap_err().code, Code::InvalidFormat, "{wrong}");
        }
    }
}
