//! Spy groups: extensions that supervisors may listen in on.

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
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["engine_name"]];
}

ruled_text!(
    /// The engine's name for a spy group. The engine joins the groups of an extension with `:` and compares the first
    /// 128 of them.
    EngineName<40>, "must be 1 to 40 characters without :", |text| !text.is_empty() && !text.contains(':')
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Scalar};

    #[test]
    fn a_name_has_no_colon() {
        let name = EngineName::parse(&" sales team ".into()).unwrap();
        assert_eq!(name.as_str(), "sales team");
        assert_eq!(EngineName::from_value(name.to_value()).unwrap(), name);
        for bad in ["", " ", "sales:team"] {
            assert_eq!(EngineName::parse(&bad.into()).unwrap_err().code, Code::InvalidFormat, "{bad:?}");
        }
    }
}
