//! Web User Panel: the login of the extension's user.

use super::rules::Rules;
use super::section::section;
use super::{Checked, Facts, Form};
use crate::domain::{
    CidrList, Code, Email, Id, Kind, Password, PhoneNumber, Problem, Sealed, Secret, TotpSeed, WebUser, choice, kind,
};

section! {
    "web_user_panel", "WebUserPanelInput";
    /// How the extension's user logs in to the web panel, and what the user may do there.
    pub struct WebUserPanel {
        /// Whether the user may log in to the web panel. Off by default; needs `webUser`, and `webPassword` unless
        /// `useLdap` is on.
        pub user_panel_enabled: bool,
        /// The login name: 2 to 64 of `A-Z a-z 0-9 . _ @ + -`. It is kept in lower case and unique in the tenant.
        pub web_user: Option<WebUser<64>>,
        /// The password: 10 to 128 characters, at least 4 of them different, and not the number, the name or the login.
        /// Write-only: `webPasswordSet` tells whether there is one.
        pub web_password: Secret<Password>,
        /// Whether an LDAP server checks the password, so that no `webPassword` is needed. Off by default; the tenant
        /// must have an LDAP server.
        pub use_ldap: bool,
        /// The LDAP server that checks the password; null uses the tenant's only or first one.
        pub ldap_server_id: Option<Id<kind::LdapServer>>,
        /// What a login asks for besides the password. `NONE` by default.
        pub two_factor_type: TwoFactorType,
        /// The seed of the one-time passwords, required for `TOTP`: 16 to 128 base32 characters (A to Z, 2 to 7).
        /// Write-only: `twoFactorSecretSet` tells whether there is one.
        pub two_factor_secret: Sealed<TotpSeed>,
        /// The mobile number that gets the login codes, required for `SMS`: 2 to 20 digits with an optional + in front.
        /// Write-only: `twoFactorMobileSet` tells whether there is one.
        pub two_factor_mobile: Sealed<PhoneNumber>,
        /// The address that gets security notices, and the login codes if `twoFactorType` is `EMAIL`, which requires
        /// it.
        pub notification_email: Option<Email>,
        /// The profile that decides what the user may do in the panel; it must have `forPanel` on. Null uses the
        /// tenant's default.
        pub user_profile_id: Option<Id<kind::UserProfile>>,
        /// Whether the user is prevented from changing the password. Off by default.
        pub password_locked: bool,
        /// Whether the password stays valid without a time limit. Off by default.
        pub never_expire: bool,
        /// Whether logins are accepted only from the networks in `ipFilter`. Off by default.
        pub use_ip_filter: bool,
        /// The addresses and networks that logins may come from, such as 192.0.2.0/24. Required while `useIpFilter` is
        /// on.
        pub ip_filter: CidrList,
    }
}

impl Rules for WebUserPanel {
    /// A copy has no login yet, so its panel is off.
    fn copied(self) -> Self {
        let Self { use_ldap, ldap_server_id, user_profile_id, never_expire, use_ip_filter, ip_filter, .. } = self;
        Self { use_ldap, ldap_server_id, user_profile_id, never_expire, use_ip_filter, ip_filter, ..Self::blank() }
    }

    const DEPENDS_ON: &'static [&'static str] = &["information"];

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "webUserPanel";
        let panel = &form.web_user_panel;
        if facts.defaults && panel.web_user.is_some() {
            checked.error(
                section,
                "webUser",
                Problem::new(Code::Contradiction, "cannot have a default, because it must be unique"),
            );
        }
        if let Some(user) = panel.web_user.as_ref().filter(|user| facts.login_taken(user.as_str())) {
            let suggestion =
                form.information.number.as_ref().map(|number| format!("{}-{}", user.as_str(), number.as_str()));
            let problem = Problem { suggestion, ..Problem::new(Code::LoginTaken, "is in use").value(user.as_str()) };
            checked.error(section, "webUser", problem);
        }
        if !facts.defaults {
            let on = panel.user_panel_enabled;
            checked.required_when(on && panel.web_user.is_none(), section, "webUser", "userPanelEnabled is on");
            let locked_out = on && !panel.use_ldap && !panel.web_password.is_set();
            checked.required_when(locked_out, section, "webPassword", "userPanelEnabled is on and useLdap is off");
        }
        if let Some(password) = &facts.new_password {
            let password = password.expose().to_lowercase();
            let number = form.information.number.as_ref().map(|n| n.as_str().to_owned());
            let name = form.information.name.as_str().to_lowercase();
            let user = panel.web_user.as_ref().map(|u| u.as_str().to_lowercase());
            if Some(&password) == number.as_ref() || Some(&password) == user.as_ref() || password == name {
                checked.error(
                    section,
                    "webPassword",
                    Problem::new(Code::WeakPassword, "must not be the number, the name or the login"),
                );
            }
        }
        if panel.use_ldap && !facts.ldap {
            checked.error(
                section,
                "useLdap",
                Problem::new(Code::NoLdapServer, "needs an LDAP server, and the tenant has none"),
            );
        }
        let factor = panel.two_factor_type;
        let no_seed = factor == TwoFactorType::Totp && !panel.two_factor_secret.is_set();
        checked.required_when(no_seed, section, "twoFactorSecret", "twoFactorType is TOTP");
        let no_address = factor == TwoFactorType::Email && panel.notification_email.is_none();
        checked.required_when(no_address, section, "notificationEmail", "twoFactorType is EMAIL");
        let no_mobile = factor == TwoFactorType::Sms && !panel.two_factor_mobile.is_set();
        checked.required_when(no_mobile, section, "twoFactorMobile", "twoFactorType is SMS");
        checked.required_when(
            panel.use_ip_filter && panel.ip_filter.is_empty(),
            section,
            "ipFilter",
            "useIpFilter is on",
        );
        if let Some((id, known)) =
            panel.user_profile_id.and_then(|id| Some((id.object(), facts.referenced.get(&id.object())?)))
            && known.kind == Kind::UserProfile
            && !known.for_panel
        {
            let rule = format!("must be a profile for the web panel; {} is not", known.name);
            let problem = Problem::new(Code::WrongKind, rule).value(id.opaque().as_str()).related(id);
            checked.error(section, "userProfileId", problem);
        }
    }
}

choice! {
    /// What a login asks for besides the password.
    pub enum TwoFactorType {
        /// Nothing: the password is enough.
        None = "NONE",
        /// A time-based one-time password (RFC 6238), made from `twoFactorSecret`.
        Totp = "TOTP",
        /// A code sent to `notificationEmail`.
        Email = "EMAIL",
        /// A code sent to `twoFactorMobile`.
        Sms = "SMS",
    }
}
