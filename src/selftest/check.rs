//! Checks, as their groups list them.

use super::client::TestClient;
use super::verdict::Judged;

/// Something to try.
pub(super) struct DoorCheck {
    pub(super) name: &'static str,
    /// What should come of it.
    pub(super) expected: &'static str,
    pub(super) run: fn(&TestClient) -> Judged,
}
