//! Whether there are backups, and young ones.

use jiff::SignedDuration;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::operations::backup::Manifest;
use crate::operations::schedule::{Schedule, millis};
use crate::store::Database;

/// How much older than the time from one to the next the newest may be: the next one takes its time, and is tried again.
const LATE: i64 = 2;

pub(super) fn backups(deployment: &Deployment) -> DoctorCheck {
    const NAME: &str = "backups";
    match (&deployment.schedule, &deployment.database) {
        (Err(_), _) => DoctorCheck::skipped(NAME, "The options say no schedule that makes sense."),
        (Ok(Some(schedule)), database) => match schedule.check(database) {
            Ok(()) => scheduled(schedule, deployment.environment.clock.now()),
            Err(why) => DoctorCheck::failed(NAME, format!("{why}.")),
        },
        (Ok(None), Database::Postgres(_)) => {
            DoctorCheck::new(NAME).or("They are made with PostgreSQL's own tools, and not looked at here.")
        }
        (Ok(None), Database::Sqlite(path)) => {
            let mut name = std::ffi::OsString::from(".");
            name.push(path.file_name().unwrap_or_default());
            name.push("-litestream");
            let mut check = DoctorCheck::new(NAME);
            if !path.with_file_name(name).is_dir() {
                check.warn("The server takes none by itself: give it --backup-every, --backup-keep and --backup-dir, unless something else runs `vext backup`.");
            }
            check.or("Litestream replicates the database; its replica is not looked at.")
        }
    }
}

fn scheduled(schedule: &Schedule, now: i64) -> DoctorCheck {
    let mut check = DoctorCheck::new("backups");
    let folder = schedule.folder.display();
    let taken = match schedule.taken() {
        Ok(taken) => taken,
        Err(why) => {
            check.fail(format!("{why}."));
            return check;
        }
    };
    // What the clock has not reached yet does not count, as for the server itself.
    let Some((at, newest)) = taken.iter().rfind(|(at, _)| *at <= now) else {
        check.warn(format!("There is none in {folder} yet: the server takes the first when it starts."));
        return check;
    };
    let (age, shown) = (now - at, newest.display());
    if age > millis(schedule.every).saturating_mul(LATE) {
        let every = SignedDuration::try_from(schedule.every).unwrap_or(SignedDuration::MAX);
        check.fail(format!(
            "The newest, {shown}, is {:#} old, and one is due every {every:#}: see the server's log for \"no backup was taken\".",
            whole_seconds(age)
        ));
    }
    let size = newest.metadata().map(|file| file.len());
    match (Manifest::read(newest), size) {
        (Ok(Some(manifest)), Ok(size)) if manifest.size == size => {}
        (Ok(Some(manifest)), Ok(size)) => check.fail(format!(
            "{shown} has {size} bytes, and its manifest says {}: look at it with `vext verify`.",
            manifest.size
        )),
        (Ok(None), _) => check.fail(format!("{shown} has no manifest beside it: look at it with `vext verify`.")),
        (Err(why), _) => check.fail(format!("{why}.")),
        (_, Err(why)) => check.fail(format!("{shown} cannot be looked at: {why}.")),
    }
    let count = taken.len();
    check.or(format!("{count} in {folder}, the newest {:#} old; `vext verify` reads it through.", whole_seconds(age)))
}

fn whole_seconds(millis: i64) -> SignedDuration {
    SignedDuration::from_secs(millis / 1000)
}
