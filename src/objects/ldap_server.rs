//! LDAP servers: they check passwords.

use super::ruled_text::ruled_text;
use super::{Detail, Named, WithDefault};
use crate::domain::{Amount, Kind, Sealed, Seconds, Text, choice};
use crate::form::section;

section! {
    "ldap_server", "LdapServerInput";
    /// An LDAP server that checks passwords.
    pub struct LdapServer {
        /// The host name or IP address of the server: 1 to 253 letters, digits or `.`, `-`, `:`. Required.
        pub host: HostName,
        /// The port of the server: 1 to 65535, 389 by default.
        pub port: WithDefault<Amount<1, 65_535>, 389>,
        /// How the connection is encrypted. `STARTTLS` by default.
        pub tls_mode: TlsMode,
        /// The distinguished name that searches log in with, at most 255 characters; empty, the default, searches
        /// anonymously.
        pub bind_dn: Text<255>,
        /// The password for `bindDn`, at most 255 characters. Write-only: `bindPasswordSet` tells whether there is one.
        pub bind_password: Sealed<Text<255>>,
        /// The distinguished name below which users are searched, at most 255 characters.
        pub base_dn: Text<255>,
        /// The filter that finds a user, such as `(uid={user})`: at most 255 characters.
        pub user_filter: Text<255>,
        /// How long to wait for an answer of the server: 1 to 60 seconds, 5 by default.
        pub timeout_seconds: WithDefault<Seconds<1, 60>, 5>,
    }
}

choice! {
    /// How a connection is encrypted.
    pub enum TlsMode {
        /// It starts unencrypted and switches to TLS (STARTTLS).
        Starttls = "STARTTLS",
        /// It uses TLS from the start.
        Tls = "TLS",
        /// It is not encrypted.
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
    type Common = Named;
}
