//! What `vext selftest` is asked for.

use std::path::PathBuf;
use std::time::Duration;

use super::target::ServerUrl;

/// What is tried, and as whom.
pub struct Settings {
    /// The server.
    pub target: ServerUrl,
    /// A token of it. Without one, what needs one is skipped.
    pub token: Option<String>,
    /// The code of the tenant to select, for a token that is for several.
    pub tenant: Option<String>,
    /// PEM file of the authorities to trust instead of the system's.
    pub authorities: Option<PathBuf>,
    /// How long one answer may take.
    pub patience: Duration,
}
