//! Web User Panel: the login of the extension's user.

use super::section::{Initial, section};
use crate::domain::{CidrList, Email, Id, Password, PhoneNumber, Sealed, Secret, TotpSeed, WebUser, choice, kind};

section! {
    "web_user_panel", WebUserPanelInput;
    /// The login of the extension's user to the web panel.
    #[graphql(complex)]
    pub struct WebUserPanel {
        /// Whether the user may log in.
        pub user_panel_enabled: bool,
        /// The login name: 2 to 64 of `A-Z a-z 0-9 . _ @ + -`, unique in the tenant whatever its case.
        pub web_user: Option<WebUser<64>>,
        /// The password: at least 10 characters, other than name and number. Write-only; answered as whether it is set.
        #[graphql(name = "webPasswordSet")]
        pub web_password: Secret<Password>,
        /// Whether the password is checked by an LDAP server.
        pub use_ldap: bool,
        /// The LDAP server; null is the tenant's only or first one.
        pub ldap_server_id: Option<Id<kind::LdapServer>>,
        /// The second factor that a login asks for.
        pub two_factor_type: TwoFactorType,
        /// The seed of the one-time passwords (TOTP): 16 to 128 base32 characters. Write-only; answered as whether it is set.
        #[graphql(name = "twoFactorSecretSet")]
        pub two_factor_secret: Sealed<TotpSeed>,
        /// The mobile number that codes are sent to by SMS. Write-only; answered as whether it is set.
        #[graphql(name = "twoFactorMobileSet")]
        pub two_factor_mobile: Sealed<PhoneNumber>,
        /// The address for security notices, and for codes sent by e-mail.
        pub notification_email: Option<Email>,
        /// What the user may do in the panel; must be a profile for the panel. Null is the tenant's default.
        pub user_profile_id: Option<Id<kind::UserProfile>>,
        /// Whether the user is kept from changing the password.
        pub password_locked: bool,
        /// Whether the password never expires.
        pub never_expire: bool,
        /// Whether logins are only accepted from the networks in `ipFilter`.
        pub use_ip_filter: bool,
        /// The addresses and networks (CIDR) that logins are accepted from.
        pub ip_filter: CidrList,
    }
}

impl Initial for WebUserPanel {}

choice! {
    /// The second factor of a login.
    pub enum TwoFactorType {
        /// The password is enough.
        None = "NONE",
        /// A time-based one-time password (RFC 6238).
        Totp = "TOTP",
        /// A code sent to `notificationEmail`.
        Email = "EMAIL",
        /// A code sent to the mobile number.
        Sms = "SMS",
    }
}
