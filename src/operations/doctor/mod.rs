//! Examines a deployment, even while its server runs. Nothing is written, created or migrated.
//!
//! To add a check, write a function that returns a [`DoctorCheck`], call it in [`examine`], and add a test to
//! `tests/it/doctor.rs` that breaks exactly what it checks.

mod address;
mod backups;
mod check;
mod content;
mod deployment;
mod disk;
mod files;

use std::net::SocketAddr;

pub use self::check::{DoctorCheck, DoctorVerdict};
pub use self::deployment::{Deployment, OperatorFile};
use crate::store::Progress;

/// The names of the checks of [`examine`], in order.
pub const DATABASE_CHECKS: [&str; 9] =
    ["user", "modes", "database", "key", "schema", "integrity", "clock", "disk", "backups"];

/// Runs all checks of a database and its files. A check that fails stops only those that depend on it.
pub fn examine(deployment: &Deployment, progress: &mut Progress<'_>) -> Vec<DoctorCheck> {
    let mut checks = vec![files::user(deployment), files::modes(deployment)];
    checks.extend(content::examine(deployment, progress));
    checks.push(disk::disk(deployment));
    checks.push(backups::backups(deployment));
    checks
}

/// Checks whether the server can listen, or answers already, at `--listen` and at the address of the metrics.
pub fn address(listen: SocketAddr, metrics: Option<SocketAddr>) -> DoctorCheck {
    address::address(listen, metrics)
}
