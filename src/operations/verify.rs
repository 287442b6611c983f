//! Verifying a backup: that it is the file that was taken, that SQLite finds it sound, and that this program can read
//! every row of it.

use std::path::Path;
use std::sync::Arc;

use super::backup::{Manifest, digest, identity};
use crate::domain::{Environment, Sealer};
use crate::service::load_key;
use crate::store::{self, Progress, SqliteView};

/// What was found out about a backup.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// What is wrong, a line each; nothing when the file can be used.
    pub problems: Vec<String>,
    /// What could not be checked, and why.
    pub notes: Vec<String>,
    /// How many rows it has in all its tables.
    pub rows: u64,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// Which key seals its secrets.
    pub key_id: Option<String>,
}

/// Looks at a file that nobody uses; it and its folder stay as they are. With a key file, sealed secrets are opened.
///
/// # Errors
/// One sentence when the file cannot be looked at, or what `progress` answers. What is wrong with it is the value.
pub fn verify(
    file: &Path,
    key_file: Option<&Path>,
    environment: &Environment,
    progress: &mut Progress<'_>,
) -> Result<Verified, String> {
    if !file.is_file() {
        return Err(format!("there is no file {}", file.display()));
    }
    let sealer = key_file.map(|path| sealer(path, environment)).transpose()?;
    let (sha256, size) = digest(file, None, progress)?;
    let mut verified = Verified { sha256, ..Verified::default() };
    let manifest = Manifest::read(file).unwrap_or_else(|why| {
        verified.problems.push(why);
        None
    });
    match &manifest {
        Some(manifest) => {
            if manifest.size != size {
                verified.problems.push(format!("the file has {size} bytes; its manifest says {}", manifest.size));
            }
            if manifest.sha256 != verified.sha256 {
                let (is, was) = (&verified.sha256, &manifest.sha256);
                verified.problems.push(format!("the file's SHA-256 is {is}; its manifest says {was}"));
            }
        }
        None => verified.notes.push(format!(
            "there is no {} that can be read: checksum, size and row counts were not compared",
            Manifest::path(file).display()
        )),
    }
    if sealer.is_none() {
        verified.notes.push("there is no key file: sealed secrets were not opened".into());
    }
    match SqliteView::open_at_rest(file) {
        Ok(frozen) => contents(frozen, manifest.as_ref(), sealer.as_ref(), &mut verified, progress)?,
        Err(why) => verified.problems.push(why),
    }
    Ok(verified)
}

/// The sealer with the key of a file.
pub(super) fn sealer(path: &Path, environment: &Environment) -> Result<Sealer, String> {
    let key = load_key(path, false, &*environment.random)?;
    Ok(Sealer::new(&key, Arc::clone(&environment.random)))
}

/// Which key a file holds.
///
/// # Errors
/// One sentence when it holds none.
pub(super) fn key_id(path: &Path, environment: &Environment) -> Result<String, String> {
    Ok(sealer(path, environment)?.key_id().to_owned())
}

fn contents(
    mut frozen: SqliteView,
    manifest: Option<&Manifest>,
    sealer: Option<&Sealer>,
    verified: &mut Verified,
    progress: &mut Progress<'_>,
) -> Result<(), String> {
    progress("checking", 0, 0)?;
    verified.problems.extend(frozen.check());
    let tables = match frozen.tables() {
        Ok(tables) => tables,
        Err(why) => {
            verified.problems.push(why);
            return Ok(());
        }
    };
    verified.rows = tables.values().sum();
    if let Some(manifest) = manifest {
        for table in tables.keys().chain(manifest.rows.keys().filter(|table| !tables.contains_key(*table))) {
            let count = |rows: Option<&u64>| rows.map_or("no such table".into(), |rows| format!("{rows} rows"));
            let (is, was) = (tables.get(table), manifest.rows.get(table));
            if is != was {
                verified.problems.push(format!("{table}: {}; the manifest says {}", count(is), count(was)));
            }
        }
    }
    match identity(frozen.session(), &tables) {
        Ok((_, key_id)) => verified.key_id = key_id,
        Err(why) => verified.problems.push(why),
    }
    match store::missing_migrations_in_file(frozen.session()) {
        Ok(lacking) if lacking.is_empty() => {
            verified.problems.extend(store::verify_rows(frozen.session(), sealer, progress)?);
        }
        Ok(lacking) => verified.notes.push(format!(
            "the schema is older than this program (it lacks {}), so that its rows were not parsed; a server migrates it when it starts",
            lacking.join(", ")
        )),
        Err(why) => verified.problems.push(why),
    }
    Ok(())
}
