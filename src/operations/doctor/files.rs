//! Who may read and write the files. Judged by owner and mode, and not by trying: root may do anything.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use super::disk::folder_of;
use crate::operations::backup::Manifest;
use crate::store::{Database, sidecar_path};

/// The user whose files these are, as whom the server runs.
fn owner(deployment: &Deployment) -> Option<u32> {
    let file = deployment.database.file().unwrap_or(&deployment.key_file);
    Some(file.metadata().ok()?.uid())
}

pub(super) fn user(deployment: &Deployment) -> DoctorCheck {
    let (mut check, me) = (DoctorCheck::new("user"), rustix::process::geteuid().as_raw());
    let what = match deployment.database {
        Database::Sqlite(_) => "database",
        Database::Postgres(_) => "key file",
    };
    match owner(deployment) {
        None => DoctorCheck::skipped("user", format!("There is no {what} whose owner could be asked for.")),
        Some(owner) => {
            if owner != me {
                check.warn(format!(
                    "This is user {me}, and the {what} belongs to user {owner}: run `vext doctor` as the user of the server, to see what that user sees."
                ));
            }
            check.or(format!("This is user {me}, to whom the {what} belongs."))
        }
    }
}

pub(super) fn modes(deployment: &Deployment) -> DoctorCheck {
    let mut modes = Modes { check: DoctorCheck::new("modes"), owner: owner(deployment), seen: 0 };
    if let Some(database) = deployment.database.file() {
        for ending in ["", "-wal", "-shm"] {
            modes.data(&sidecar_path(database, ending));
        }
        modes.folder(&folder_of(database));
    }
    // Who else may read it, says the check of the key itself.
    modes.belongs(&deployment.key_file);
    for file in &deployment.files {
        modes.own(&file.path, file.is_secret);
    }
    if let Ok(Some(schedule)) = &deployment.schedule {
        modes.folder(&schedule.folder);
        for (_, backup) in schedule.taken().unwrap_or_default() {
            modes.data(&backup);
            modes.own(&Manifest::path(&backup), false);
        }
    }
    let seen = modes.seen;
    modes.check.or(format!("Nobody else may read or write the {seen} files and folders that are not for others."))
}

/// A look at many files. What does not exist is another check's matter.
struct Modes {
    check: DoctorCheck,
    owner: Option<u32>,
    seen: usize,
}

impl Modes {
    fn metadata(&mut self, path: &Path) -> Option<(Metadata, u32)> {
        let metadata = path.metadata().ok()?;
        self.seen += 1;
        let mode = metadata.mode();
        Some((metadata, mode))
    }

    /// The server must be able to use it.
    fn belongs(&mut self, path: &Path) -> Option<u32> {
        let (metadata, mode) = self.metadata(path)?;
        if let Some(owner) = self.owner.filter(|owner| metadata.uid() != *owner) {
            let (shown, uid) = (path.display(), metadata.uid());
            self.check.fail(format!(
                "{shown} belongs to user {uid}, and not to user {owner} as the database does: run chown {owner} on it."
            ));
        }
        Some(mode)
    }

    /// The database, a part of it, or a copy: personal data, but no secret that opens another door.
    fn data(&mut self, path: &Path) {
        let Some(mode) = self.belongs(path) else { return };
        let shown = path.display();
        if mode & 0o600 != 0o600 {
            self.check
                .fail(format!("{shown} may not be written by its owner (mode {}): run chmod 600 on it.", octal(mode)));
        }
        self.written_by_others(path, mode);
        if mode & 0o004 != 0 && is_reachable(path) {
            self.check.warn(format!("{shown} can be read by everybody (mode {}): run chmod 600 on it.", octal(mode)));
        }
    }

    /// What the operator has written, and the server only reads.
    fn own(&mut self, path: &Path, is_secret: bool) {
        let Some((_, mode)) = self.metadata(path) else { return };
        self.written_by_others(path, mode);
        if is_secret && mode & 0o004 != 0 && is_reachable(path) {
            let (shown, mode) = (path.display(), octal(mode));
            self.check.fail(format!(
                "{shown} holds a secret, and can be read by everybody (mode {mode}): run chmod 640 on it."
            ));
        }
    }

    fn written_by_others(&mut self, path: &Path, mode: u32) {
        if mode & 0o002 != 0 {
            let (shown, mode) = (path.display(), octal(mode));
            self.check.fail(format!("{shown} can be written by everybody (mode {mode}): run chmod o-w on it."));
        }
    }

    /// A folder in which the server makes files. Where others may make files too, they can put their own log beside the
    /// database, and their own backup among the backups.
    fn folder(&mut self, path: &Path) {
        let Some((metadata, mode)) = self.metadata(path) else { return };
        self.written_by_others(path, mode);
        let Some(owner) = self.owner else { return };
        let bits = if metadata.uid() == owner { mode >> 6 } else { mode >> 3 };
        if bits & 0o3 != 0o3 {
            let (shown, uid, mode) = (path.display(), metadata.uid(), octal(mode));
            self.check.fail(format!(
                "User {owner} may make no files in {shown} (of user {uid}, mode {mode}): run chown {owner} and chmod 700 on it."
            ));
        }
    }
}

/// Whether everybody gets as far as to the file: a folder above it that is closed keeps it.
fn is_reachable(path: &Path) -> bool {
    let Ok(path) = path.canonicalize() else { return false };
    path.ancestors().skip(1).all(|folder| folder.metadata().is_ok_and(|folder| folder.mode() & 0o001 != 0))
}

fn octal(mode: u32) -> String {
    format!("{:03o}", mode & 0o7777)
}
