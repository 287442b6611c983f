//! Looks a deployment over, also while its server runs: nothing is written, made or migrated.
//!
//! How to add a check: a function that gives a [`DoctorCheck`], called in [`examine`], and a test in `tests/it/doctor.rs`
//! that breaks just what it looks at.

mod address;
mod backups;
mod check;
mod content;
mod deployment;
mod disk;
mod files;

use std::net::SocketAddr;

pub use self::check::{DoctorCheck, DoctorVerdict};
pub use self::deployment::{Deployment, OwnFile};
use crate::store::Progress;

/// What [`examine`] looks at, in its order.
pub const NAMES: [&str; 9] = ["user", "modes", "database", "key", "schema", "integrity", "clock", "disk", "backups"];

/// Looks at everything that belongs to a database. A check that fails keeps no other from being made, but those that
/// need what it has not found.
pub fn examine(deployment: &Deployment, progress: &mut Progress<'_>) -> Vec<DoctorCheck> {
    let mut checks = vec![files::user(deployment), files::modes(deployment)];
    checks.extend(content::examine(deployment, progress));
    checks.push(disk::disk(deployment));
    checks.push(backups::backups(deployment));
    checks
}

/// Looks whether the server can listen, or answers already, at the address of `--listen` and at that of the metrics.
pub fn address(listen: SocketAddr, metrics: Option<SocketAddr>) -> DoctorCheck {
    address::address(listen, metrics)
}
