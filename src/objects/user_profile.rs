//! User profiles: what a user may do.

use super::ruled_text::ruled_text;
use super::{Detail, Named};
use crate::domain::{Kind, choice};
use crate::form::{Entries, section};

section! {
    "user_profile", "UserProfileInput";
    /// A user profile: what a user may do.
    pub struct UserProfile {
        /// Whether it is for users of the web panel.
        pub for_panel: bool,
        /// Whether it belongs to the system and is not to be changed by tenants.
        pub reserved: bool,
        /// Whether this is the tenant's default profile.
        pub is_default: bool,
        /// What is allowed, at most 1000.
        pub privileges: Entries<Privilege>,
    }
}

section! {
    "user_profile_privilege", "PrivilegeInput";
    /// One thing that a user profile allows.
    pub struct Privilege {
        /// What is allowed: 1 to 64 of `A-Z a-z 0-9 . _ -`.
        pub privilege: PrivilegeName,
        /// How much of it.
        pub access_level: AccessLevel,
    }
}

choice! {
    /// How much a privilege allows.
    pub enum AccessLevel {
        /// To see.
        Read = "READ",
        /// To see and to change.
        Write = "WRITE",
    }
}

ruled_text!(
    /// The word for something that may be allowed.
    PrivilegeName<64>, "must be 1 to 64 letters, digits or . _ -", |text| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    }
);

impl Detail for UserProfile {
    const KIND: Kind = Kind::UserProfile;
    type Head = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default"]];
}
