//! Operations on a whole database or tenant: backup, verify, restore, export, import, the doctor and the demo data;
//! also the server's threads that take backups and check its database file. Only the command line uses this layer.

mod backup;
pub mod demo;
pub mod doctor;
mod file_check;
mod restore;
mod schedule;
pub mod transfer;
mod verify;

pub use backup::{Manifest, backup};
pub use file_check::FileCheck;
pub use restore::{RestoreOutcome, RestoreRequest, restore};
pub use schedule::{BackupSchedule, BackupThread};
pub use verify::{VerifyReport, verify};
