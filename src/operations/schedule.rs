//! Automatic backups: a server takes them at intervals, on a separate thread.
//!
//! The only state is the folder: the next backup is due one interval after the newest one in it, so a restart neither
//! repeats nor skips one.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::backup::{Manifest, NOT_A_FILE, WorkFolder, backup, moment};
use crate::domain::Environment;
use crate::store::Database;

/// How often, how many and where.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The interval between backups.
    pub every: Duration,
    /// How many to keep.
    pub keep: NonZeroUsize,
    /// The folder to keep them in.
    pub folder: PathBuf,
}

/// How long a backup that failed waits for the next try, unless the next one is due before.
const AGAIN: Duration = Duration::from_secs(60);
/// How long the thread sleeps at most: clocks are set, and machines sleep.
const NAP: Duration = Duration::from_secs(30);

/// The thread that takes the backups; it ends with this value.
#[derive(Debug)]
pub struct Scheduled {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Schedule {
    /// Checks whether a database can be backed up on this schedule.
    ///
    /// # Errors
    /// One sentence when there is nothing to back up or no place for it.
    pub fn check(&self, database: &Database) -> Result<(), String> {
        if database.file().is_none() {
            return Err(format!("--backup-every: {database} {NOT_A_FILE}"));
        }
        match self.folder.is_dir() {
            true => Ok(()),
            false => Err(format!("--backup-dir: there is no folder {}", self.folder.display())),
        }
    }

    /// The backups that are there, the oldest first, each with the moment at which it was taken.
    pub(super) fn taken(&self) -> Result<Vec<(i64, PathBuf)>, String> {
        let folder = &self.folder;
        let said = |e| format!("{} cannot be read: {e}", folder.display());
        let mut taken = Vec::new();
        for entry in fs::read_dir(folder).map_err(said)? {
            let entry = entry.map_err(said)?;
            if let Some(at) = entry.file_name().to_str().and_then(taken_at) {
                taken.push((at, entry.path()));
            }
        }
        taken.sort();
        Ok(taken)
    }

    /// Begins to take backups.
    ///
    /// # Errors
    /// One sentence when there is nothing to back up or no place for it.
    pub fn start(self, database: &Database, environment: &Environment) -> Result<Scheduled, String> {
        self.check(database)?;
        let (stop, stopped) = channel();
        let worker = Worker { schedule: self, database: database.clone(), environment: environment.clone(), stopped };
        let thread = std::thread::Builder::new().name("backups".into()).spawn(move || worker.run());
        let thread = thread.map_err(|e| format!("no thread for the backups can be started: {e}"))?;
        Ok(Scheduled { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Scheduled {
    /// Gives up the backup that is being taken, and waits until nothing is left of it.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
    }
}

struct Worker {
    schedule: Schedule,
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
                match self.stopped.recv_timeout(Duration::from_millis(wait).min(NAP)) {
                    Err(RecvTimeoutError::Timeout) => continue,
                    _ => return,
                }
            }
            match self.take() {
                Ok(()) => not_before = i64::MIN,
                Err(_) if self.is_stopped() => return,
                Err(why) => {
                    let again = AGAIN.min(self.schedule.every);
                    tracing::error!(again_in_seconds = again.as_secs(), "no backup was taken: {why}");
                    not_before = self.now().saturating_add(millis(again));
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// When the next one is due; what the clock had not reached yet, before it was set, does not count.
    fn due(&self) -> i64 {
        let now = self.now();
        let newest = self.schedule.taken().unwrap_or_default().into_iter().rfind(|(at, _)| *at <= now);
        newest.map_or(now, |(at, _)| at.saturating_add(millis(self.schedule.every)))
    }

    fn take(&self) -> Result<(), String> {
        let Schedule { keep, folder, .. } = &self.schedule;
        WorkFolder::clean(folder).map_err(|e| format!("{} cannot be tidied: {e}", folder.display()))?;
        let file = folder.join(name(self.now()));
        let mut go_on = |_: &str, _, _| if self.is_stopped() { Err("the server stops".to_owned()) } else { Ok(()) };
        let manifest = backup(&self.database, &file, &*self.environment.clock, &mut go_on)?;
        tracing::info!(file = %file.display(), bytes = manifest.size, "a backup was taken");
        let mut old = self.schedule.taken()?;
        old.retain(|(_, path)| *path != file);
        let surplus = (old.len() + 1).saturating_sub(keep.get());
        for (_, path) in old.into_iter().take(surplus) {
            // The file first: what is left without its page would still count as a backup.
            for gone in [path.clone(), Manifest::path(&path)] {
                match fs::remove_file(&gone) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                        tracing::error!("the old backup {} cannot be deleted: {e}", gone.display());
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

/// The name of a backup that was taken at a moment.
fn name(now: i64) -> String {
    moment(now).strftime("vext-%Y%m%dT%H%M%SZ.db").to_string()
}

/// When a backup was taken, by its name; `None` for every other file.
fn taken_at(file: &str) -> Option<i64> {
    let at = DateTime::strptime("vext-%Y%m%dT%H%M%SZ.db", file).ok()?;
    let at = TimeZone::UTC.to_timestamp(at).ok()?.as_millisecond();
    (name(at) == file).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_moment_and_other_names_tell_nothing() {
        let name = name(1_795_424_400_999);
        assert_eq!(name, "vext-20261123T090000Z.db");
        assert_eq!(taken_at(&name), Some(1_795_424_400_000));
        for other in [
            "vext.db",
            "vext-20261123T090000Z.db.manifest",
            "vext-20261123T090000Z.db-wal",
            "vext-20261123T090000.db",
            "vext-20261323T090000Z.db",
            "vext- 20261123T090000Z.db",
            "vext-20261123T090000Z.db.before-restore-20261123T090000Z",
        ] {
            assert_eq!(taken_at(other), None, "{other}");
        }
    }
}
