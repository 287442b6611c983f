//! User profiles: sets of privileges for users.

use super::ruled_text::ruled_text;
use super::{Detail, Named};
use crate::domain::{Kind, choice};
use crate::form::{Entries, section};

section! {
    "user_profile", "UserProfileInput";
    /// A user profile: a set of privileges that decides what a user may do.
    pub struct UserProfile {
        /// Whether the profile is for users of the web panel. Off by default.
        pub for_panel: bool,
        /// Marks a profile that belongs to the system and that tenants should not change. Off by default.
        pub reserved: bool,
        /// Whether this is the tenant's default profile; only one can be. Off by default.
        pub is_default: bool,
        /// The privileges that the profile grants, at most 1000.
        pub privileges: Entries<Privilege>,
    }
}

section! {
    "user_profile_privilege", "PrivilegeInput";
    /// One privilege that a user profile grants.
    pub struct Privilege {
        /// The name of the privilege: 1 to 64 of `A-Z a-z 0-9 . _ -`.
        pub privilege: PrivilegeName,
        /// Whether the user may only see, or also change. `READ` by default.
        pub access_level: AccessLevel,
    }
}

choice! {
    /// How much a privilege allows.
    pub enum AccessLevel {
        /// The user may see it.
        Read = "READ",
        /// The user may see and change it.
        Write = "WRITE",
    }
}

ruled_text!(
    /// The name of a privilege.
    PrivilegeName<64>, "must be 1 to 64 letters, digits or . _ -", |text| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    }
);

impl Detail for UserProfile {
    const KIND: Kind = Kind::UserProfile;
    type Common = Named;
    const UNIQUE: &'static [&'static [&'static str]] = &[&["is_default"]];
}
