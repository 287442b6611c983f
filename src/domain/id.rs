//! Ids: integers inside the program, opaque text for clients.

use super::opaque;

/// A tenant's key: the first column of every key in the database.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TenantId(pub i64);

impl TenantId {
    /// The opaque form that clients see.
    pub fn opaque(self) -> String {
        opaque::write(self.0.to_string())
    }

    /// The tenant with an opaque id; `None` if the text is not one.
    pub fn from_opaque(id: &str) -> Option<Self> {
        let plain = opaque::read(id)?;
        canonical(&plain).map(TenantId)
    }
}

/// An object of any kind: its tenant and its number within the tenant.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ObjectId {
    /// The tenant that owns the object.
    pub tenant: TenantId,
    /// The key of the object within the tenant. This is not the number that is dialled.
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

    /// The object with an opaque id; `None` for any text that [`ObjectId::opaque`] did not make.
    pub fn from_opaque(id: &str) -> Option<Self> {
        let plain = opaque::read(id)?;
        let (tenant, local) = plain.split_once('.')?;
        Some(Self { tenant: TenantId(canonical(tenant)?), local: canonical(local)? })
    }
}

/// Parses a positive integer only in the form that `to_string` writes, so that an object has exactly one opaque id.
fn canonical(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number > 0 && number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_opaque_id_leads_back(tenant in 1..i64::MAX, local in 1..i64::MAX) {
            let id = ObjectId { tenant: TenantId(tenant), local };
            prop_assert_eq!(ObjectId::from_opaque(&id.opaque()), Some(id));
            prop_assert_eq!(TenantId::from_opaque(&id.tenant.opaque()), Some(id.tenant));
            prop_assert_eq!(ObjectId::from_opaque(&id.tenant.opaque()), None);
        }

        #[test]
        fn nothing_else_is_an_id(text in ".*") {
            if let Some(id) = ObjectId::from_opaque(&text) {
                prop_assert_eq!(id.opaque(), text);
            }
        }
    }
}
