//! Checks the free space on disk.

use std::path::{Path, PathBuf};

use indicatif::HumanBytes;
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::store::{LOG_THRESHOLD, sidecar_path};

/// The minimum number of files that can still be created, by vext and by other programs meanwhile.
const MIN_FREE_FILES: u64 = 32;

pub(super) fn disk(deployment: &Deployment) -> DoctorCheck {
    let mut check = DoctorCheck::new("disk");
    let Some(database) = deployment.database.file() else {
        return check.or_ok("The database is on a server, whose disk is not checked here.");
    };
    let part = |ending| sidecar_path(database, ending).metadata().map_or(0, |file| file.len());
    // A backup or a restore makes a copy of the database, and meanwhile the log grows.
    let needed = part("") + part("-wal") + LOG_THRESHOLD;
    let mut places = vec![folder_of(database)];
    if let Ok(Some(schedule)) = &deployment.schedule {
        places.push(schedule.folder.clone());
    }
    let ok: Vec<_> = places.iter().filter_map(|place| check_space(place, needed, &mut check)).collect();
    check.or_ok(format!("{}.", ok.join("; ")))
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> PathBuf {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

/// Checks a folder that needs `needed` bytes, and describes its free space; `None` if its disk cannot be used.
fn check_space(place: &Path, needed: u64, check: &mut DoctorCheck) -> Option<String> {
    let shown = place.display();
    let disk = match statvfs(place) {
        Ok(disk) => disk,
        Err(error) => {
            check.fail(format!("The disk of {shown} cannot be checked: {error}."));
            return None;
        }
    };
    if disk.f_flag.contains(StatVfsMountFlags::RDONLY) {
        check.fail(format!("The disk of {shown} is mounted read-only: mount it for writing."));
        return None;
    }
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (has, needs) = (HumanBytes(free), HumanBytes(needed));
    let why = "a copy of the database and 64 MiB for its log";
    if free < needed {
        check.fail(format!("{shown} has {has} free but needs {needs}, {why}: free up space."));
    } else if free / 2 < needed {
        check.warn(format!("{shown} has {has} free, less than twice the {needs} it needs, {why}: free up space."));
    }
    // A file system that reports 0 creates inodes as needed.
    if disk.f_files > 0 && disk.f_favail < MIN_FREE_FILES {
        check.fail(format!("{shown} has room for only {} more files (inodes): delete some.", disk.f_favail));
    }
    Some(format!("{shown} has {has} free and needs {needs}"))
}
