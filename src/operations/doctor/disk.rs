//! Whether there is space.

use std::path::{Path, PathBuf};

use indicatif::HumanBytes;
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::store::{LOG_THRESHOLD, sidecar_path};

/// Files that can still be made: too few for what vext makes and what others make meanwhile.
const FILES: u64 = 32;

pub(super) fn disk(deployment: &Deployment) -> DoctorCheck {
    let mut check = DoctorCheck::new("disk");
    let Some(database) = deployment.database.file() else {
        return check.or("The database is its server's, whose disk is not looked at here.");
    };
    let part = |ending| sidecar_path(database, ending).metadata().map_or(0, |file| file.len());
    // A backup and a restore are copies; while one is made the log grows.
    let needed = part("") + part("-wal") + LOG_THRESHOLD;
    let mut places = vec![folder_of(database)];
    if let Ok(Some(schedule)) = &deployment.schedule {
        places.push(schedule.folder.clone());
    }
    let well: Vec<_> = places.iter().filter_map(|place| space(place, needed, &mut check)).collect();
    check.or(format!("{}.", well.join("; ")))
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// What there is in a place where `needed` bytes are needed; `None` where that is too little.
fn space(place: &Path, needed: u64, check: &mut DoctorCheck) -> Option<String> {
    let shown = place.display();
    let there = match statvfs(place) {
        Ok(there) => there,
        Err(error) => {
            check.fail(format!("The disk of {shown} cannot be looked at: {error}."));
            return None;
        }
    };
    if there.f_flag.contains(StatVfsMountFlags::RDONLY) {
        check.fail(format!("The disk of {shown} is mounted read-only: mount it for writing."));
        return None;
    }
    let free = there.f_bavail.saturating_mul(there.f_frsize);
    let (has, needs) = (HumanBytes(free), HumanBytes(needed));
    let why = "a copy of the database and 64 MiB for its log";
    if free < needed {
        check.fail(format!("{shown} has {has} free and needs {needs}, {why}: make space."));
    } else if free / 2 < needed {
        check.warn(format!("{shown} has {has} free, less than twice the {needs} that it needs, {why}: make space."));
    }
    // A file system that says 0 makes them as they are needed.
    if there.f_files > 0 && there.f_favail < FILES {
        check.fail(format!("{shown} can take only {} more files (inodes): delete some.", there.f_favail));
    }
    Some(format!("{shown} has {has} free, and needs {needs}"))
}
