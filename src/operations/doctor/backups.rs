//! Checks whether there are recent backups.

use jiff::SignedDuration;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::operations::backup::Manifest;
use crate::operations::schedule::{BackupSchedule, millis};
use crate::store::Database;

/// How many intervals old the newest backup may be: a backup takes time, and a failed one is repeated.
const OVERDUE_FACTOR: i64 = 2;

pub(super) fn backups(deployment: &Deployment) -> DoctorCheck {
    const NAME: &str = "backups";
    match (&deployment.schedule, &deployment.database) {
        (Err(_), _) => DoctorCheck::skipped(NAME, "The options do not give a valid schedule."),
        (Ok(Some(schedule)), database) => match schedule.check(database) {
            Ok(()) => scheduled(schedule, deployment.environment.clock.now()),
            Err(why) => DoctorCheck::failed(NAME, format!("{why}.")),
        },
        (Ok(None), Database::Postgres(_)) => {
            DoctorCheck::new(NAME).or_ok("They are taken with PostgreSQL's own tools and are not checked here.")
        }
        (Ok(None), Database::Sqlite(path)) => {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push("-litestream");
            let mut check = DoctorCheck::new(NAME);
            if !path.with_file_name(name).is_dir() {
                check.warn("The server takes none by itself: set --backup-every, --backup-keep and --backup-dir, unless something else runs `vext backup`.");
            }
            check.or_ok("Litestream replicates the database; its replica is not checked here.")
        }
    }
}

fn scheduled(schedule: &BackupSchedule, now: i64) -> DoctorCheck {
    let mut check = DoctorCheck::new("backups");
    let folder = schedule.folder.display();
    let taken = match schedule.existing_backups() {
        Ok(taken) => taken,
        Err(why) => {
            check.fail(format!("{why}."));
            return check;
        }
    };
    // Backups with a time in the future do not count, as for the server itself.
    let Some((at, newest)) = taken.iter().rfind(|(at, _)| *at <= now) else {
        check.warn(format!("There is none in {folder} yet: the server takes the first when it starts."));
        return check;
    };
    let (age, shown) = (now - at, newest.display());
    if age > millis(schedule.every).saturating_mul(OVERDUE_FACTOR) {
        let every = SignedDuration::try_from(schedule.every).unwrap_or(SignedDuration::MAX);
        check.fail(format!(
            "The newest, {shown}, is {:#} old, but one is due every {every:#}: see the server's log for \"no backup was taken\".",
            whole_seconds(age)
        ));
    }
    let size = newest.metadata().map(|file| file.len());
    match (Manifest::read(newest), size) {
        (Ok(Some(manifest)), Ok(size)) if manifest.size == size => {}
        (Ok(Some(manifest)), Ok(size)) => check.fail(format!(
            "{shown} has {size} bytes, but its manifest says {}: check it with `vext verify`.",
            manifest.size
        )),
        (Ok(None), _) => check.fail(format!("{shown} has no manifest: check it with `vext verify`.")),
        (Err(why), _) => check.fail(format!("{why}.")),
        (_, Err(why)) => check.fail(format!("{shown} cannot be checked: {why}.")),
    }
    let count = taken.len();
    check
        .or_ok(format!("{count} in {folder}, the newest {:#} old; `vext verify` reads it in full.", whole_seconds(age)))
}

fn whole_seconds(millis: i64) -> SignedDuration {
    SignedDuration::from_secs(millis / 1000)
}
