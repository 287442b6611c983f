//! Backups: a checked copy of a SQLite file, which others may be writing to, and a manifest beside it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::domain::{Clock, hex};
use crate::store::{self, Database, Progress, Session, SqliteView};

/// The manifest beside a backup: `FILE.manifest`, as JSON.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manifest {
    /// The version of the manifest's format: 1.
    pub format: u32,
    /// The version of the program that took the backup.
    pub vext: String,
    /// When it was taken, in UTC.
    pub created_at: String,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The size of the file in bytes.
    pub size: u64,
    /// The last migration that was applied.
    pub migration: Option<String>,
    /// The id of the key that seals the secrets. Without that key they are lost; no backup contains the key itself.
    pub key_id: Option<String>,
    /// The number of rows of each table.
    pub rows: BTreeMap<String, u64>,
}

impl Manifest {
    /// The format that this program writes and reads.
    pub const FORMAT: u32 = 1;

    /// The path of a backup's manifest.
    pub fn path(backup: &Path) -> PathBuf {
        store::sidecar_path(backup, ".manifest")
    }

    /// Reads the manifest of a backup; `None` if there is none.
    ///
    /// # Errors
    /// One sentence when it cannot be read, or a newer program wrote it.
    pub fn read(backup: &Path) -> Result<Option<Self>, String> {
        #[derive(Deserialize)]
        struct Versioned {
            format: u32,
        }
        let path = Self::path(backup);
        let shown = path.display();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        let broken = |error| format!("{shown} is not the manifest of a backup: {error}");
        match serde_json::from_slice(&text).map_err(broken)? {
            Versioned { format: Self::FORMAT } => serde_json::from_slice(&text).map(Some).map_err(broken),
            Versioned { format } => Err(format!("{shown} has the format {format}, which this program cannot read")),
        }
    }
}

/// Why a PostgreSQL database cannot be backed up as a file; the end of a sentence.
pub(super) const NOT_A_FILE: &str = "is on a server: back it up with the server's own tools (pg_basebackup, point-in-time recovery), or take a tenant with `vext export`";

/// Takes a backup of a database, even while a server writes to it. The file appears only when it is complete and
/// checked.
///
/// # Errors
/// One sentence on why no backup was taken. Then no file is left behind.
pub fn backup(
    database: &Database,
    to: &Path,
    clock: &dyn Clock,
    progress: &mut Progress<'_>,
) -> Result<Manifest, String> {
    let from = database.file().ok_or_else(|| format!("{database} {NOT_A_FILE}"))?;
    if to.exists() {
        return Err(format!(
            "{} exists, and a backup does not overwrite files; name another file, or delete it first",
            to.display()
        ));
    }
    let work = WorkFolder::beside(to)?;
    let copy = work.path("copy");
    store::copy_database(from, &copy, progress)?;
    let mut frozen =
        SqliteView::open_at_rest(&copy).map_err(|_| format!("{} is not a database of vext", from.display()))?;
    progress("checking", 0, 0)?;
    if let [first, rest @ ..] = frozen.check().as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        return Err(format!("{} is damaged, so there is no backup of it: {first}{more}", from.display()));
    }
    let rows = frozen.tables()?;
    let (migration, key_id) = migration_and_key(frozen.session(), &rows)?;
    drop(frozen);
    fs::set_permissions(&copy, Permissions::from_mode(0o600)).map_err(|e| write_error(&copy, &e))?;
    sync(&copy)?;
    let (sha256, size) = hash_file(&copy, None, progress)?;
    let created_at = timestamp(clock.now()).to_string();
    let vext = env!("CARGO_PKG_VERSION").to_owned();
    let manifest = Manifest { format: Manifest::FORMAT, vext, created_at, sha256, size, migration, key_id, rows };
    // The manifest is published first, so that a backup is never without one.
    let manifest_file = work.path("manifest");
    let text = serde_json::to_string_pretty(&manifest).map_err(|e| e.to_string())? + "\n";
    fs::write(&manifest_file, text).map_err(|e| write_error(&manifest_file, &e))?;
    sync(&manifest_file)?;
    work.publish(&manifest_file, &Manifest::path(to))?;
    work.publish(&copy, to)?;
    Ok(manifest)
}

/// The last migration, and the id of the key that seals the secrets.
pub(super) fn migration_and_key(
    session: &mut dyn Session,
    tables: &BTreeMap<String, u64>,
) -> Result<(Option<String>, Option<String>), String> {
    let mut text = |table: &str, sql: &'static str| {
        if !tables.contains_key(table) {
            return Ok(None);
        }
        let row = session.first(sql, &[]).map_err(|error| format!("{table}: {error}"))?;
        Ok::<_, String>(row.and_then(|row| row.first()?.text().map(str::to_owned)))
    };
    let migration = text("migration", "SELECT name FROM migration ORDER BY number DESC LIMIT 1")?;
    Ok((migration, text("sealing_key", "SELECT key_id FROM sealing_key")?))
}

/// A time in milliseconds as a timestamp, rounded down to the second.
pub(super) fn timestamp(now: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(now.div_euclid(1000)).unwrap_or_default()
}

/// The SHA-256 and the size of a file. Also writes its bytes to `copy`, if given.
pub(super) fn hash_file(
    path: &Path,
    mut copy: Option<&mut File>,
    progress: &mut Progress<'_>,
) -> Result<(String, u64), String> {
    let read_error = |e: std::io::Error| format!("{} cannot be read: {e}", path.display());
    let mut file = File::open(path).map_err(read_error)?;
    let total = file.metadata().map_err(read_error)?.len();
    let (mut digest, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).map_err(read_error)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        digest.update(part);
        if let Some(copy) = &mut copy {
            copy.write_all(part).map_err(|e| format!("the copy of {} cannot be written: {e}", path.display()))?;
        }
        size += read as u64;
        progress(if copy.is_some() { "copying" } else { "computing the checksum" }, size, total)?;
    }
    Ok((hex(&digest.finalize()), size))
}

/// Flushes a file, or a folder's entries, to disk.
pub(super) fn sync(path: &Path) -> Result<(), String> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|e| write_error(path, &e))
}

pub(super) fn write_error(path: &Path, error: &std::io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

/// A folder for unfinished files, beside the final file: on the same file system, so that the final file can be renamed
/// into place. It is locked, and deleted however the work ends.
pub(super) struct WorkFolder {
    folder: tempfile::TempDir,
    target: PathBuf,
    /// Dropped last: while the folder is locked, it is in use.
    _lock: File,
}

impl WorkFolder {
    const PREFIX: &str = ".vext-unfinished-";

    pub(super) fn beside(file: &Path) -> Result<Self, String> {
        let target = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        if !target.is_dir() {
            return Err(format!("the folder {} does not exist", target.display()));
        }
        let folder = tempfile::Builder::new().prefix(Self::PREFIX).tempdir_in(&target);
        let folder = folder.map_err(|e| write_error(&target, &e))?;
        let lock = File::open(folder.path()).and_then(|lock| lock.lock().map(|()| lock));
        let lock = lock.map_err(|e| write_error(folder.path(), &e))?;
        Ok(Self { folder, target, _lock: lock })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Moves a finished file to its final place.
    pub(super) fn publish(&self, finished: &Path, file: &Path) -> Result<(), String> {
        fs::rename(finished, file).map_err(|e| write_error(file, &e))?;
        sync(&self.target)
    }

    /// Deletes the work folders that killed programs left in a folder.
    pub(super) fn clean(folder: &Path) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let ours = entry.file_name().as_encoded_bytes().starts_with(OsStr::new(Self::PREFIX).as_encoded_bytes());
            if ours && entry.file_type()?.is_dir() && File::open(entry.path())?.try_lock().is_ok() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_abandoned_work_folders_are_deleted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".vext-unfinished-old")).unwrap();
        fs::write(folder.path().join(".vext-unfinished-file"), "").unwrap();
        let work = WorkFolder::beside(&folder.path().join("b.db")).unwrap();
        WorkFolder::clean(folder.path()).unwrap();
        assert!(!folder.path().join(".vext-unfinished-old").exists());
        assert!(work.path("").exists() && folder.path().join(".vext-unfinished-file").exists());
        drop(work);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
