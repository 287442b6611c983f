//! Checks who can read and write the files, by owner and mode. Trying would prove nothing, because root can do
//! anything.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use super::disk::folder_of;
use crate::operations::backup::Manifest;
use crate::store::{Database, sidecar_path};

/// The owner of the files, which is the user that runs the server.
fn owner(deployment: &Deployment) -> Option<u32> {
    let file = deployment.database.file().unwrap_or(&deployment.key_file);
    Some(file.metadata().ok()?.uid())
}

pub(super) fn user(deployment: &Deployment) -> DoctorCheck {
    let (mut check, me) = (DoctorCheck::new("user"), rustix::process::geteuid().as_raw());
    let file_type = match deployment.database {
        Database::Sqlite(_) => "database",
        Database::Postgres(_) => "key file",
    };
    match owner(deployment) {
        None => DoctorCheck::skipped("user", format!("There is no {file_type} to take the owner from.")),
        Some(owner) => {
            if owner != me {
                check.warn(format!(
                    "This is user {me}, but the {file_type} belongs to user {owner}: run `vext doctor` as the server's user, to check what that user can access."
                ));
            }
            check.or_ok(format!("This is user {me}, who owns the {file_type}."))
        }
    }
}

pub(super) fn modes(deployment: &Deployment) -> DoctorCheck {
    let mut modes = ModeCheck { check: DoctorCheck::new("modes"), owner: owner(deployment), count: 0 };
    if let Some(database) = deployment.database.file() {
        for ending in ["", "-wal", "-shm"] {
            modes.check_data(&sidecar_path(database, ending));
        }
        modes.check_folder(&folder_of(database));
    }
    // Whether others can read the key is checked with the key itself.
    modes.check_owner(&deployment.key_file);
    for file in &deployment.files {
        modes.check_operator_file(&file.path, file.is_secret);
    }
    if let Ok(Some(schedule)) = &deployment.schedule {
        modes.check_folder(&schedule.folder);
        for (_, backup) in schedule.existing_backups().unwrap_or_default() {
            modes.check_data(&backup);
            modes.check_operator_file(&Manifest::path(&backup), false);
        }
    }
    let count = modes.count;
    modes.check.or_ok(format!("None of the {count} files and folders is too open to other users."))
}

/// The check of many files. Files that do not exist are reported by other checks.
struct ModeCheck {
    check: DoctorCheck,
    owner: Option<u32>,
    count: usize,
}

impl ModeCheck {
    fn metadata(&mut self, path: &Path) -> Option<(Metadata, u32)> {
        let metadata = path.metadata().ok()?;
        self.count += 1;
        let mode = metadata.mode();
        Some((metadata, mode))
    }

    /// Checks that a file belongs to the server's user; returns its mode.
    fn check_owner(&mut self, path: &Path) -> Option<u32> {
        let (metadata, mode) = self.metadata(path)?;
        if let Some(owner) = self.owner.filter(|owner| metadata.uid() != *owner) {
            let (shown, uid) = (path.display(), metadata.uid());
            self.check.fail(format!(
                "{shown} belongs to user {uid}, not to user {owner}, who owns the database: run chown {owner} on it."
            ));
        }
        Some(mode)
    }

    /// Checks the database, a part of it, or a copy. It has personal data, but no secret that gives access elsewhere.
    fn check_data(&mut self, path: &Path) {
        let Some(mode) = self.check_owner(path) else { return };
        let shown = path.display();
        if mode & 0o600 != 0o600 {
            self.check
                .fail(format!("{shown} cannot be written by its owner (mode {}): run chmod 600 on it.", octal(mode)));
        }
        self.check_world_writable(path, mode);
        if mode & 0o004 != 0 && is_reachable(path) {
            self.check.warn(format!("{shown} can be read by everybody (mode {}): run chmod 600 on it.", octal(mode)));
        }
    }

    /// Checks a file that the operator writes and the server only reads.
    fn check_operator_file(&mut self, path: &Path, is_secret: bool) {
        let Some((_, mode)) = self.metadata(path) else { return };
        self.check_world_writable(path, mode);
        if is_secret && mode & 0o004 != 0 && is_reachable(path) {
            let (shown, mode) = (path.display(), octal(mode));
            self.check.fail(format!(
                "{shown} contains a secret and can be read by everybody (mode {mode}): run chmod 640 on it."
            ));
        }
    }

    fn check_world_writable(&mut self, path: &Path, mode: u32) {
        if mode & 0o002 != 0 {
            let (shown, mode) = (path.display(), octal(mode));
            self.check.fail(format!("{shown} can be written by everybody (mode {mode}): run chmod o-w on it."));
        }
    }

    /// Checks a folder in which the server creates files. If others can create files there too, they can put their own
    /// log beside the database, or their own backup among the backups.
    fn check_folder(&mut self, path: &Path) {
        let Some((metadata, mode)) = self.metadata(path) else { return };
        self.check_world_writable(path, mode);
        let Some(owner) = self.owner else { return };
        let bits = if metadata.uid() == owner { mode >> 6 } else { mode >> 3 };
        if bits & 0o3 != 0o3 {
            let (shown, uid, mode) = (path.display(), metadata.uid(), octal(mode));
            self.check.fail(format!(
                "User {owner} cannot create files in {shown} (owned by user {uid}, mode {mode}): run chown {owner} and chmod 700 on it."
            ));
        }
    }
}

/// Whether everybody can reach the file: no folder above it is closed to others.
fn is_reachable(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    path.ancestors().skip(1).all(|folder| folder.metadata().is_ok_and(|folder| folder.mode() & 0o001 != 0))
}

fn octal(mode: u32) -> String {
    format!("{:03o}", mode & 0o7777)
}
