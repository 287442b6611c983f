//! What an operator does with a whole database or tenant: back it up, verify and restore it, export and import it, examine
//! a deployment, fill the demo; and the threads of a server that take backups and read its file. Only the command line
//! uses this layer.

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
pub use restore::{Restore, Restored, restore};
pub use schedule::{Schedule, Scheduled};
pub use verify::{Verified, verify};
