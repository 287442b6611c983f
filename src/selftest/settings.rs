//! The settings of `vext selftest`.

use std::path::PathBuf;
use std::time::Duration;

use super::server_url::ServerUrl;

/// Which server to test, and with which token.
pub struct SelftestSettings {
    /// The server.
    pub target: ServerUrl,
    /// A token for the server. Without one, checks that need it are skipped.
    pub token: Option<String>,
    /// The code of the tenant to select, for a token that is valid for several.
    pub tenant: Option<String>,
    /// PEM file of the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one answer may take.
    pub timeout: Duration,
}
