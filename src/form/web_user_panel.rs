//! Web User Panel: the login of the extension's user.

use super::rules::Rules;
use super::section::section;
use super::{Checked, Facts, Form};
use crate::domain::{
    CidrList, Code, Email, Id, Kind, Password, PhoneNumber, Problem, Sealed, Secret, TotpSeed, WebUser, choice, kind,
};

section! {
    "web_user_panel", "WebUserPanelInput";
    /// The login of the extension's user to the web panel.
    pub struct WebUserPanel {
        /// Whether the user may log in.
        pub user_panel_enabled: bool,
        /// The login name: 2 to 64 of `A-Z a-z 0-9 . _ @ + -`, unique in the tenant whatever its case.
        pub web_user: Option<WebUser<64>>,
        /// The password: at least 10 characters, other than name and number. Write-only; answered as whether it is set.
        pub web_password: Secret<Password>,
        /// Whether the password is checked by an LDAP server.
        pub use_ldap: bool,
        /// The LDAP server; null is the tenant's only or first one.
        pub ldap_server_id: Option<Id<kind::LdapServer>>,
        /// The second factor that a login asks for.
        pub two_factor_type: TwoFactorType,
        /// The seed of the one-time passwords (TOTP): 16 to 128 base32 characters. Write-only; answered as whether it is set.
        pub two_factor_secret: Sealed<TotpSeed>,
        /// The mobile number that codes are sent to by SMS. Write-only; answered as whether it is set.
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

impl Rules for WebUserPanel {
    /// The copy has no login yet, so the panel is off.
    fn copied(self) -> Self {
        let Self { use_ldap, ldap_server_id, user_profile_id, never_expire, use_ip_filter, ip_filter, .. } = self;
        Self { use_ldap, ldap_server_id, user_profile_id, never_expire, use_ip_filter, ip_filter, ..Self::blank() }
    }

    const LOOKS_AT: &'static [&'static str] = &["information"];

    fn check(form: &Form, facts: &Facts, checked: &mut Checked) {
        let section = "webUserPanel";
        let panel = &form.web_user_panel;
        if facts.defaults && panel.web_user.is_some() {
            checked.error(section, "webUser", Problem::new(Code::Contradiction, "cannot be a default, it is unique"));
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
        let seedless = factor == TwoFactorType::Totp && !panel.two_factor_secret.is_set();
        checked.required_when(seedless, section, "twoFactorSecret", "twoFactorType is TOTP");
        let addressless = factor == TwoFactorType::Email && panel.notification_email.is_none();
        checked.required_when(addressless, section, "notificationEmail", "twoFactorType is EMAIL");
        let phoneless = factor == TwoFactorType::Sms && !panel.two_factor_mobile.is_set();
        checked.required_when(phoneless, section, "twoFactorMobile", "twoFactorType is SMS");
        checked.required_when(
            panel.use_ip_filter && panel.ip_filter.is_empty(),
            section,
            "ipFilter",
            "useIpFilter is on",
        );
        if let Some((id, known)) =
            panel.user_profile_id.and_then(|id| Some((id.object(), facts.known.get(&id.object())?)))
            && known.kind == Kind::UserProfile
            && !known.for_panel
        {
            let rule = format!("must be a profile for the panel; {} is not", known.name);
            let problem = Problem::new(Code::WrongKind, rule).value(id.opaque().as_str()).related(id);
            checked.error(section, "userProfileId", problem);
        }
    }
}

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
