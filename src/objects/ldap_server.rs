//! LDAP servers: they check passwords.

use super::ruled_text::ruled_text;
use super::{Detail, Named, Preset};
use crate::domain::{Amount, Kind, Sealed, Seconds, Text, choice};
use crate::form::section;

section! {
    "ldap_server", "LdapServerInput";
    /// An LDAP server that checks passwords.
    pub struct LdapServer {
        /// Its name or address: 1 to 253 letters, digits or `.`, `-`, `:`.
        pub host: HostName,
        /// Its port, 1 to 65535.
        pub port: Preset<Amount<1, 65_535>, 389>,
        /// How the connection is encrypted.
        pub tls_mode: TlsMode,
        /// The entry as which the server is searched, at most 255 characters; empty searches anonymously.
        pub bind_dn: Text<255>,
        /// The password of that entry, at most 255 characters. Write-only; answered as whether it is set.
        pub bind_password: Sealed<Text<255>>,
        /// The entry below which users are searched, at most 255 characters.
        pub base_dn: Text<255>,
        /// The filter that finds a user, such as `(uid={user})`, at most 255 characters.
        pub user_filter: Text<255>,
        /// How long an answer is waited for: 1 to 60 seconds.
        pub timeout_seconds: Preset<Seconds<1, 60>, 5>,
    }
}

choice! {
    /// How a connection is encrypted.
    pub enum TlsMode {
        /// Encrypted after a plain start.
        Starttls = "STARTTLS",
        /// Encrypted from the start.
        Tls = "TLS",
        /// Not at all.
        None = "NONE",
    }
}

ruled_text!(
    /// The name or address of a host.
    HostName<253>, "must be a host name or an IP address", |text| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
    }
);

impl Detail for LdapServer {
    const KIND: Kind = Kind::LdapServer;
    type Head = Named;
}
