//! Whether saves reach the disk, as far as the last ones tell, and whether the file is still the one that was opened.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::engine::Database;
use super::error::{Result, StoreError};
use crate::domain::Stopwatch;

/// What the writers know of their database.
pub(super) struct WriteHealth {
    /// The file with its device and inode; `None` where a server has the data.
    file: Option<(PathBuf, Option<(u64, u64)>)>,
    /// Since when the last commit has failed, for a reason that the next one will probably meet, too.
    failed: Mutex<Option<Stopwatch>>,
}

/// How long after a failure nothing is tried: a disk that is full often has space for one page more.
const PAUSE: Duration = Duration::from_secs(10);

fn identity(file: &Path) -> Option<(u64, u64)> {
    fs::metadata(file).ok().map(|file| (file.dev(), file.ino()))
}

impl WriteHealth {
    /// Of a database that is open.
    pub(super) fn new(database: &Database) -> Self {
        let file = database.file().map(|file| (file.to_owned(), identity(file)));
        Self { file, failed: Mutex::default() }
    }

    /// Checks that the file is still the one that was opened: what is written to a file without a name is lost, and SQLite
    /// does not notice.
    ///
    /// # Errors
    /// It was deleted or replaced.
    pub(super) fn check_file(&self) -> Result<()> {
        match &self.file {
            Some((file, opened)) if identity(file) != *opened => Err(StoreError::Unavailable(format!(
                "{} was deleted or replaced while the server runs; restart it once the right file is there",
                file.display()
            ))),
            _ => Ok(()),
        }
    }

    /// Remembers how a group of saves ended.
    pub(super) fn ended(&self, commit: &Result<bool>) {
        match commit {
            Ok(true) => self.set(None),
            Err(StoreError::Unavailable(_) | StoreError::Unknown(_) | StoreError::Corrupt(_)) => {
                self.set(Some(Stopwatch::start()));
            }
            // Nothing was committed, or another program was in the way for a while.
            Ok(false) | Err(_) => {}
        }
    }

    fn set(&self, failed: Option<Stopwatch>) {
        // A poisoned lock only means that another thread panicked; the value is whole.
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
    }

    /// How long ago the last commit failed, unless one has succeeded since.
    fn failed(&self) -> Option<Duration> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).map(|failed| failed.elapsed())
    }

    /// Whether the last commit failed and none has succeeded since.
    pub(super) fn has_failed(&self) -> bool {
        self.failed().is_some()
    }

    /// Whether it is time to find out whether saving works again.
    pub(super) fn may_be_well_again(&self) -> bool {
        self.failed().is_some_and(|failed| failed >= PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_fails_counts_until_one_succeeds() {
        let health = WriteHealth::new(&Database::Sqlite("/nowhere/vext.db".into()));
        let unavailable = || Err(StoreError::Unavailable("the disk is full".into()));
        for (commit, failed) in [
            (Ok(true), false),
            (Err(StoreError::Busy("locked".into())), false),
            (unavailable(), true),
            (Ok(false), true),
            (Ok(true), false),
            (Err(StoreError::Corrupt("a page".into())), true),
        ] {
            health.ended(&commit);
            assert_eq!(health.has_failed(), failed, "{commit:?}");
            assert!(!health.may_be_well_again(), "not at once");
        }
    }

    #[test]
    fn a_file_that_was_replaced_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("vext.db"), folder.path().join("other.db"));
        fs::write(&file, "one").unwrap();
        fs::write(&other, "one").unwrap();
        let health = WriteHealth::new(&Database::Sqlite(file.clone()));
        assert_eq!(health.check_file(), Ok(()));
        fs::write(&file, "written to").unwrap();
        assert_eq!(health.check_file(), Ok(()));
        fs::rename(&other, &file).unwrap();
        assert!(health.check_file().unwrap_err().to_string().contains("deleted or replaced"));
        fs::remove_file(&file).unwrap();
        assert!(health.check_file().is_err());
    }
}
