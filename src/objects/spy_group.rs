//! Spy groups: who may be monitored.

use super::ruled_text::ruled_text;
use super::{Detail, Named};
use crate::domain::Kind;
use crate::form::section;

section! {
    "spy_group", "SpyGroupInput";
    /// A spy group. Supervisors with access to it may listen in on the calls of its members.
    pub struct SpyGroup {
        /// The engine's name for the group: 1 to 40 characters without `:`, unique among the tenant's spy groups.
        /// Required.
        pub engine_name: EngineName,
    }
}

impl Detail for SpyGroup {
    const KIND: Kind = Kind::SpyGroup;
    type Head = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["engine_name"]];
}

ruled_text!(
    /// The name under which the engine knows a spy group. It joins an extension's groups with `:` into one text, of
    /// which it compares the first 128.
    EngineName<40>, "must be 1 to 40 characters without :", |text| !text.is_empty() && !text.contains(':')
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Scalar};

    #[test]
    fn a_name_keeps_together() {
        let name = EngineName::parse(&" sales team ".into()).unwrap();
        assert_eq!(name.as_str(), "sales team");
        assert_eq!(EngineName::from_value(name.to_value()).unwrap(), name);
        for bad in ["", " ", "sales:team"] {
            assert_eq!(EngineName::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat, "{bad:?}");
        }
    }
}
