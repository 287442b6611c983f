//! Restore: a verified backup replaces a database, which is kept under another name.

use std::fs::{self, File, OpenOptions, Permissions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use super::backup::{WorkFolder, hash_file, migration_and_key, sync, timestamp, write_error};
use super::verify::{VerifyReport, load_key_id, verify};
use crate::domain::Environment;
use crate::store::{self, Database, ExclusiveFile, Progress, SqliteView};

/// What to restore, and where.
#[derive(Clone, Debug)]
pub struct RestoreRequest<'a> {
    /// The backup.
    pub file: &'a Path,
    /// The database that it replaces.
    pub database: &'a Database,
    /// The key file of that database.
    pub key_file: &'a Path,
    /// Whether an existing database may be replaced.
    pub force: bool,
}

/// The result of a restore.
#[derive(Clone, Debug)]
pub struct RestoreOutcome {
    /// The report on the backup. If it has problems, nothing was restored.
    pub report: VerifyReport,
    /// The new path of the previous database.
    pub aside: Option<PathBuf>,
    /// Whether the key file is the right one, as a sentence.
    pub key: Result<String, String>,
}

/// Replaces a database by a backup.
///
/// # Errors
/// One sentence on why nothing was restored. Problems with the backup itself are in the result.
pub fn restore(
    restore: &RestoreRequest<'_>,
    environment: &Environment,
    progress: &mut Progress<'_>,
) -> Result<RestoreOutcome, String> {
    let RestoreRequest { file, database, key_file, force } = *restore;
    let target = database.file().ok_or_else(|| {
        format!(
            "{database} is on a server: restore it with the server's own tools, or import tenants with `vext import`"
        )
    })?;
    if fs::canonicalize(file).ok().is_some_and(|file| fs::canonicalize(target).ok() == Some(file)) {
        return Err(format!("{} cannot be restored over itself", file.display()));
    }
    let work = WorkFolder::beside(target)?;
    let required = required_key(file);
    let key = check_key(load_key_id(key_file, environment), key_file, required.as_deref());
    // With the right key, the secrets are verified too.
    let usable_key = key.is_ok().then_some(key_file).filter(|_| required.is_some());
    let report = verify(file, usable_key, environment, progress)?;
    if !report.problems.is_empty() {
        return Ok(RestoreOutcome { report, aside: None, key });
    }
    let copy = work.path("copy");
    let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy);
    let written = written.as_mut().map_err(|e| write_error(&copy, e))?;
    if hash_file(file, Some(written), progress)?.0 != report.sha256 {
        return Err(format!("{} changed while it was being copied", file.display()));
    }
    let old = ExistingDatabase::find(target);
    let lock = match &old {
        Some(_) if !force => {
            return Err(format!("{} exists; --force replaces it and keeps it under another name", target.display()));
        }
        Some(old) => Some(old.lock(target)?),
        None => None,
    };
    copy_mode_and_owner(&copy, target)?;
    sync(&copy)?;
    let aside = match (&old, &lock) {
        (Some(old), Some(lock)) => Some(old.move_aside(target, lock, environment.clock.now())?),
        _ => None,
    };
    work.publish(&copy, target)?;
    Ok(RestoreOutcome { report, aside, key })
}

/// The id of the key that seals the secrets of a backup, if it can be read. Problems with the file are reported later.
fn required_key(file: &Path) -> Option<String> {
    let mut frozen = SqliteView::open_at_rest(file).ok()?;
    let tables = frozen.tables().ok()?;
    migration_and_key(frozen.session(), &tables).ok()?.1
}

/// Whether the key file is the one that the backup needs.
fn check_key(key: Result<String, String>, path: &Path, required: Option<&str>) -> Result<String, String> {
    let shown = path.display();
    match (key, required) {
        (Ok(key), Some(required)) if key == required => Ok(format!("the key file {shown} is the right one")),
        (Ok(key), Some(required)) => Err(format!(
            "the key file {shown} is not the right one: it holds the key {key}, but the secrets are sealed with {required}; put that key there before you serve"
        )),
        (Err(why), Some(required)) => {
            Err(format!("the secrets are sealed with the key {required}; put its file there before you serve: {why}"))
        }
        (Ok(_), None) => Ok(format!("nothing is sealed yet; the key file {shown} will be used")),
        (Err(why), None) => Err(why),
    }
}

/// Gives a file the mode and the owner of another, so that the same users can access it.
fn copy_mode_and_owner(file: &Path, other: &Path) -> Result<(), String> {
    let Ok(other) = fs::metadata(other) else { return Ok(()) };
    let failed = |e| write_error(file, &e);
    fs::set_permissions(file, Permissions::from_mode(other.mode() & 0o777)).map_err(failed)?;
    let own = fs::metadata(file).map_err(failed)?;
    if (own.uid(), own.gid()) != (other.uid(), other.gid()) {
        chown(file, Some(other.uid()), Some(other.gid())).map_err(failed)?;
    }
    Ok(())
}

/// The database at the target of a restore.
struct ExistingDatabase {
    /// Whether the file itself exists, and not only logs that a database has left behind.
    file: bool,
}

/// The suffixes of logs beside a database that are a part of it.
const LOG_SUFFIXES: [&str; 2] = ["-wal", "-journal"];

impl ExistingDatabase {
    fn find(target: &Path) -> Option<Self> {
        let file = target.exists();
        let left = LOG_SUFFIXES.iter().any(|ending| store::sidecar_path(target, ending).exists());
        (file || left).then_some(Self { file })
    }

    /// Makes sure that no program uses it or can start to use it.
    fn lock(&self, target: &Path) -> Result<Option<ExclusiveFile>, String> {
        if !self.file {
            return Ok(None);
        }
        let lock = ExclusiveFile::lock(target)?;
        let in_use =
            || format!("{} is in use; first stop the server and any other program that has it open", target.display());
        lock.map(Some).ok_or_else(in_use)
    }

    /// Renames it, together with its logs.
    fn move_aside(&self, target: &Path, lock: &Option<ExclusiveFile>, now: i64) -> Result<PathBuf, String> {
        let stamp = timestamp(now).strftime("%Y%m%dT%H%M%SZ");
        let aside = (0..)
            .map(|n| if n == 0 { String::new() } else { format!("-{n}") })
            .map(|n| store::sidecar_path(target, &format!(".before-restore-{stamp}{n}")))
            .find(|aside| {
                !aside.exists() && !LOG_SUFFIXES.iter().any(|ending| store::sidecar_path(aside, ending).exists())
            })
            .unwrap_or_default();
        let failed = |e| format!("{} cannot be renamed to {}: {e}", target.display(), aside.display());
        if self.file {
            // A hard link first, so that there is a database at the old path at every moment. On a file system without
            // hard links, the file is moved.
            fs::hard_link(target, &aside).or_else(|_| fs::rename(target, &aside)).map_err(failed)?;
        }
        if lock.as_ref().is_none_or(|lock| !lock.is_complete) {
            for ending in LOG_SUFFIXES {
                let log = store::sidecar_path(target, ending);
                if log.exists() {
                    fs::rename(log, store::sidecar_path(&aside, ending)).map_err(failed)?;
                }
            }
        }
        // Only an index into the log; SQLite creates it again when needed.
        match fs::remove_file(store::sidecar_path(target, "-shm")) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        File::open(&aside)
            .and_then(|file| file.sync_all())
            .or_else(|e| if self.file { Err(e) } else { Ok(()) })
            .map_err(failed)?;
        Ok(aside)
    }
}
