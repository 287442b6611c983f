//! Automatic backups: a server takes them at intervals, on a separate thread.
//!
//! The folder is the only state: the next backup is due one interval after the newest backup in it. So a restart
//! neither repeats nor skips a backup.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::backup::{Manifest, NOT_A_FILE, WorkFolder, backup, timestamp};
use crate::domain::Environment;
use crate::store::Database;

/// How often to take backups, how many to keep, and where.
#[derive(Clone, Debug)]
pub struct BackupSchedule {
    /// The interval between backups.
    pub every: Duration,
    /// How many to keep.
    pub keep: NonZeroUsize,
    /// The folder to keep them in.
    pub folder: PathBuf,
}

/// How long to wait after a failed backup before the next attempt, unless the interval is shorter.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// The longest time the thread sleeps, because the clock may be set and the machine suspended.
const MAX_SLEEP: Duration = Duration::from_secs(30);

/// The thread that takes the backups; dropping this value stops it.
#[derive(Debug)]
pub struct BackupThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl BackupSchedule {
    /// Checks whether a database can be backed up on this schedule.
    ///
    /// # Errors
    /// One sentence if the database is not a file or the folder does not exist.
    pub fn check(&self, database: &Database) -> Result<(), String> {
        if database.file().is_none() {
            return Err(format!("--backup-every: {database} {NOT_A_FILE}"));
        }
        match self.folder.is_dir() {
            true => Ok(()),
            false => Err(format!("--backup-dir: there is no folder {}", self.folder.display())),
        }
    }

    /// The backups in the folder, oldest first, each with the time at which it was taken.
    pub(super) fn existing_backups(&self) -> Result<Vec<(i64, PathBuf)>, String> {
        let folder = &self.folder;
        let failed = |e| format!("{} cannot be read: {e}", folder.display());
        let mut backups = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if let Some(at) = entry.file_name().to_str().and_then(time_from_name) {
                backups.push((at, entry.path()));
            }
        }
        backups.sort();
        Ok(backups)
    }

    /// Starts to take backups.
    ///
    /// # Errors
    /// As [`BackupSchedule::check`]; or the thread cannot be started.
    pub fn start(self, database: &Database, environment: &Environment) -> Result<BackupThread, String> {
        self.check(database)?;
        let (stop, stopped) = channel();
        let worker = Worker { schedule: self, database: database.clone(), environment: environment.clone(), stopped };
        let thread = std::thread::Builder::new().name("backups".into()).spawn(move || worker.run());
        let thread = thread.map_err(|e| format!("the backup thread cannot be started: {e}"))?;
        Ok(BackupThread { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for BackupThread {
    /// Cancels a running backup, and waits until its files are deleted.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}

struct Worker {
    schedule: BackupSchedule,
    database: Database,
    environment: Environment,
    stopped: Receiver<()>,
}

impl Worker {
    fn now(&self) -> i64 {
        self.environment.clock.now()
    }

    fn run(self) {
        let mut not_before = i64::MIN;
        loop {
            let due = self.due().max(not_before);
            let wait = u64::try_from(due.saturating_sub(self.now())).unwrap_or_default();
            if wait > 0 {
                match self.stopped.recv_timeout(Duration::from_millis(wait).min(MAX_SLEEP)) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    _ => return,
                }
            }
            match self.take_backup() {
                Ok(()) => not_before = i64::MIN,
                Err(_) if self.is_stopped() => return,
                Err(why) => {
                    let again = RETRY_AFTER.min(self.schedule.every);
                    tracing::error!(again_in_seconds = again.as_secs(), "no backup was taken: {why}");
                    not_before = self.now().saturating_add(millis(again));
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// When the next backup is due. Backups with a time in the future, from before the clock was set, do not count.
    fn due(&self) -> i64 {
        let now = self.now();
        let newest = self.schedule.existing_backups().unwrap_or_default().into_iter().rfind(|(at, _)| *at <= now);
        newest.map_or(now, |(at, _)| at.saturating_add(millis(self.schedule.every)))
    }

    fn take_backup(&self) -> Result<(), String> {
        let BackupSchedule { keep, folder, .. } = &self.schedule;
        WorkFolder::clean(folder).map_err(|e| format!("{} cannot be cleaned up: {e}", folder.display()))?;
        let file = folder.join(backup_name(self.now()));
        let mut go_on =
            |_: &str, _, _| if self.is_stopped() { Err("the server is stopping".to_owned()) } else { Ok(()) };
        let manifest = backup(&self.database, &file, &*self.environment.clock, &mut go_on)?;
        tracing::info!(file = %file.display(), bytes = manifest.size, "a backup was taken");
        let mut old = self.schedule.existing_backups()?;
        old.retain(|(_, path)| *path != file);
        let surplus = (old.len() + 1).saturating_sub(keep.get());
        for (_, path) in old.into_iter().take(surplus) {
            // The file is deleted first, because a file without its manifest would still count as a backup.
            for file in [path.clone(), Manifest::path(&path)] {
                match fs::remove_file(&file) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        tracing::error!("the old backup {} cannot be deleted: {e}", file.display());
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The name of a backup that was taken at a time.
fn backup_name(now: i64) -> String {
    timestamp(now).strftime("vext-%Y%m%dT%H%M%SZ.db").to_string()
}

/// The time at which a backup was taken, from its name; `None` for any other file.
fn time_from_name(file: &str) -> Option<i64> {
    let at = DateTime::strptime("vext-%Y%m%dT%H%M%SZ.db", file).ok()?;
    let at = TimeZone::UTC.to_timestamp(at).ok()?.as_millisecond();
    (backup_name(at) == file).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_backups_have_a_time() {
        let name = backup_name(1_795_424_400_999);
        assert_eq!(name, "vext-20261123T090000Z.db");
        assert_eq!(time_from_name(&name), Some(1_795_424_400_000));
        for other in [
            "vext.db",
            "vext-20261123T090000Z.db.manifest",
            "vext-20261123T090000Z.db-wal",
            "vext-20261123T090000.db",
            "vext-20261323T090000Z.db",
            "vext- 20261123T090000Z.db",
            "vext-20261123T090000Z.db.before-restore-20261123T090000Z",
        ] {
            assert_eq!(time_from_name(other), None, "{other}");
        }
    }
}
