//! The type of the checks that the groups list.

use super::client::TestClient;
use super::verdict::CheckResult;

/// A check of the server.
pub(super) struct ServerCheck {
    pub(super) name: &'static str,
    /// The expected result.
    pub(super) expected: &'static str,
    pub(super) run: fn(&TestClient) -> CheckResult,
}
