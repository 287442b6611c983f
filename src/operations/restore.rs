//! Restoring: a verified backup takes the place of a database, which is kept aside.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::backup::{WorkFolder, digest, identity, moment, sync, unwritable};
use super::verify::{Verified, key_id, verify};
use crate::domain::Environment;
use crate::store::{self, Database, ExclusiveFile, Progress, SqliteView};

/// What a restore is asked to do.
#[derive(Clone, Debug)]
pub struct Restore<'a> {
    /// The backup.
    pub file: &'a Path,
    /// The database whose place it takes.
    pub database: &'a Database,
    /// The key file of that database.
    pub key_file: &'a Path,
    /// Whether a database that is there may be replaced.
    pub force: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Restored {
    /// What was found out about the backup; with problems nothing was restored.
    pub verified: Verified,
    /// Where the database is that was there before.
    pub aside: Option<PathBuf>,
    /// Whether the key file is the right one: a sentence either way.
    pub key: Result<String, String>,
}

/// Puts a backup in the place of a database.
///
/// # Errors
/// One sentence on why nothing was restored. What is wrong with the backup is in the value.
pub fn restore(
    restore: &Restore<'_>,
    environment: &Environment,
    progress: &mut Progress<'_>,
) -> Result<Restored, String> {
    let Restore { file, database, key_file, force } = *restore;
    let target = database.file().ok_or_else(|| {
        format!(
            "{database} is a server's: restore it with the server's own tools, or bring tenants in with `vext import`"
        )
    })?;
    if fs::canonicalize(file).ok().is_some_and(|file| fs::canonicalize(target).ok() == Some(file)) {
        return Err(format!("{} cannot be restored over itself", file.display()));
    }
    let work = WorkFolder::beside(target)?;
    let needed = needed_key(file);
    let key = judge(key_id(key_file, environment), key_file, needed.as_deref());
    // With the right key at hand the secrets are tried as well.
    let tried = key.is_ok().then_some(key_file).filter(|_| needed.is_some());
    let verified = verify(file, tried, environment, progress)?;
    if !verified.problems.is_empty() {
        return Ok(Restored { verified, aside: None, key });
    }
    let copy = work.path("copy");
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    let written = written.as_mut().map_err(|e| unwritable(&copy, e))?;
    if digest(file, Some(written), progress)?.0 != verified.sha256 {
        return Err(format!("{} was changed while it was being copied", file.display()));
    }
    let old = Old::find(target);
    let held = match &old {
        Some(_) if !force => {
            return Err(format!("{} exists; with --force it is kept aside under another name", target.display()));
        }
        Some(old) => Some(old.take(target)?),
        None => None,
    };
    like(&copy, target)?;
    sync(&copy)?;
    let aside = match (&old, &held) {
        (Some(old), Some(held)) => Some(old.keep(target, held, environment.clock.now())?),
        _ => None,
    };
    work.publish(&copy, target)?;
    Ok(Restored { verified, aside, key })
}

/// Which key seals the secrets of a backup, if it can be read at all; what is wrong with it is told later.
fn needed_key(file: &Path) -> Option<String> {
    let mut frozen = SqliteView::open_at_rest(file).ok()?;
    let tables = frozen.tables().ok()?;
    identity(frozen.session(), &tables).ok()?.1
}

/// Whether the key file is the one that the backup needs.
fn judge(key: Result<String, String>, path: &Path, needed: Option<&str>) -> Result<String, String> {
    let shown = path.display();
    match (key, needed) {
        (Ok(key), Some(needed)) if key == needed => Ok(format!("the key file {shown} is the right one")),
        (Ok(key), Some(needed)) => Err(format!(
            "the key file {shown} is not the right one: it holds the key {key}, the secrets are sealed with {needed}; put that one there before you serve"
        )),
        (Err(why), Some(needed)) => {
            Err(format!("the secrets are sealed with the key {needed}; put its file there before you serve: {why}"))
        }
        (Ok(_), None) => Ok(format!("nothing is sealed yet; the key file {shown} will be used")),
        (Err(why), None) => Err(why),
    }
}

/// Gives a file the mode and the owner of another one, so that who could use that can use this.
fn like(file: &Path, other: &Path) -> Result<(), String> {
    let Ok(other) = fs::metadata(other) else { return Ok(()) };
    let said = |e| unwritable(file, &e);
    fs::set_permissions(file, Permissions::from_mode(other.mode() & 0o777)).map_err(said)?;
    let own = fs::metadata(file).map_err(said)?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
        chown(file, Some(other.uid()), Some(other.gid())).map_err(said)?;
    }
    Ok(())
}

/// What is in the place of a database.
struct Old {
    /// Whether there is the file itself, and not only what a database has left behind.
    file: bool,
}

/// What may stand beside a database and is a part of it.
const LOGS: [&str; 2] = ["-wal", "-journal"];

impl Old {
    fn find(target: &Path) -> Option<Self> {
        let file = target.exists();
        let left = LOGS.iter().any(|ending| store::sidecar_path(target, ending).exists());
        (file || left).then_some(Self { file })
    }

    /// Makes sure that no program uses it, nor can begin to.
    fn take(&self, target: &Path) -> Result<Option<ExclusiveFile>, String> {
        if !self.file {
            return Ok(None);
        }
        let taken = ExclusiveFile::lock(target)?;
        let live = || format!("{} is in use; stop the server, and whatever else has it open, first", target.display());
        taken.map(Some).ok_or_else(live)
    }

    /// Gives it another name, together with all that belongs to it.
    fn keep(&self, target: &Path, held: &Option<ExclusiveFile>, now: i64) -> Result<PathBuf, String> {
        let stamp = moment(now).strftime("%Y%m%dT%H%M%SZ");
        let aside = (0..)
            .map(|n| if n == 0 { String::new() } else { format!("-{n}") })
            .map(|n| store::sidecar_path(target, &format!(".before-restore-{stamp}{n}")))
            .find(|aside| !aside.exists() && !LOGS.iter().any(|ending| store::sidecar_path(aside, ending).exists()))
            .unwrap_or_default();
        let said = |e| format!("{} cannot be kept as {}: {e}", target.display(), aside.display());
        if self.file {
            // A second name first, so that there is a database under the old one at every moment; a file system that
            // has no second names moves it.
            fs::hard_link(target, &aside).or_else(|_| fs::rename(target, &aside)).map_err(said)?;
        }
        if held.as_ref().is_none_or(|held| !held.is_complete) {
            for ending in LOGS {
                let log = store::sidecar_path(target, ending);
                if log.exists() {
                    fs::rename(log, store::sidecar_path(&aside, ending)).map_err(said)?;
                }
            }
        }
        // Only an index into the log, which is made anew when it is needed.
        match fs::remove_file(store::sidecar_path(target, "-shm")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(said(e)),
            _ => {}
        }
        File::open(&aside)
            .and_then(|file| file.sync_all())
            .or_else(|e| if self.file { Err(e) } else { Ok(()) })
            .map_err(said)?;
        Ok(aside)
    }
}
