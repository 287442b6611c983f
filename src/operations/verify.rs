//! Verifies a backup: the file is unchanged, SQLite finds it sound, and this program can read every row.

use std::path::Path;
use std::sync::Arc;

use super::backup::{Manifest, hash_file, migration_and_key};
use crate::domain::{Environment, Sealer};
use crate::service::load_key;
use crate::store::{self, Progress, SqliteView};

/// The result of verifying a backup.
#[derive(Clone, Debug, Default)]
pub struct VerifyReport {
    /// The problems, a line each; empty if the file can be used.
    pub problems: Vec<String>,
    /// What could not be checked, and why.
    pub notes: Vec<String>,
    /// The number of rows in all its tables.
    pub rows: u64,
    /// The SHA-256 of the file.
    pub sha256: String,
    /// The id of the key that seals its secrets.
    pub key_id: Option<String>,
}

/// Verifies a file that no program uses, without changing it or its folder. With a key file, also opens sealed secrets.
///
/// # Errors
/// One sentence if the file or key cannot be read, or an error of `progress`. Problems with the backup are in the
/// report.
pub fn verify(
    file: &Path,
    key_file: Option<&Path>,
    environment: &Environment,
    progress: &mut Progress<'_>,
) -> Result<VerifyReport, String> {
    if !file.is_file() {
        return Err(format!("there is no file {}", file.display()));
    }
    let sealer = key_file.map(|path| load_sealer(path, environment)).transpose()?;
    let (sha256, size) = hash_file(file, None, progress)?;
    let mut report = VerifyReport { sha256, ..VerifyReport::default() };
    let manifest = Manifest::read(file).unwrap_or_else(|why| {
        report.problems.push(why);
        None
    });
    match &manifest {
        Some(manifest) => {
            if manifest.size != size {
                report.problems.push(format!("the file has {size} bytes; its manifest says {}", manifest.size));
            }
            if manifest.sha256 != report.sha256 {
                let (is, was) = (&report.sha256, &manifest.sha256);
                report.problems.push(format!("the file's SHA-256 is {is}; its manifest says {was}"));
            }
        }
        None => report.notes.push(format!(
            "there is no readable {}: checksum, size and row counts were not compared",
            Manifest::path(file).display()
        )),
    }
    if sealer.is_none() {
        report.notes.push("there is no key file: sealed secrets were not opened".into());
    }
    match SqliteView::open_at_rest(file) {
        Ok(frozen) => check_contents(frozen, manifest.as_ref(), sealer.as_ref(), &mut report, progress)?,
        Err(why) => report.problems.push(why),
    }
    Ok(report)
}

/// Loads the key of a file into a sealer.
pub(super) fn load_sealer(path: &Path, environment: &Environment) -> Result<Sealer, String> {
    let key = load_key(path, false, &*environment.random)?;
    Ok(Sealer::new(&key, Arc::clone(&environment.random)))
}

/// The id of the key in a file.
///
/// # Errors
/// One sentence if there is no valid key.
pub(super) fn load_key_id(path: &Path, environment: &Environment) -> Result<String, String> {
    Ok(load_sealer(path, environment)?.key_id().to_owned())
}

fn check_contents(
    mut frozen: SqliteView,
    manifest: Option<&Manifest>,
    sealer: Option<&Sealer>,
    report: &mut VerifyReport,
    progress: &mut Progress<'_>,
) -> Result<(), String> {
    progress("checking", 0, 0)?;
    report.problems.extend(frozen.check());
    let tables = match frozen.tables() {
        Ok(tables) => tables,
        Err(why) => {
            report.problems.push(why);
            return Ok(());
        }
    };
    report.rows = tables.values().sum();
    if let Some(manifest) = manifest {
        for table in tables.keys().chain(manifest.rows.keys().filter(|table| !tables.contains_key(*table))) {
            let count = |rows: Option<&u64>| rows.map_or("no such table".into(), |rows| format!("{rows} rows"));
            let (is, was) = (tables.get(table), manifest.rows.get(table));
            if is != was {
                report.problems.push(format!("{table}: {}; the manifest says {}", count(is), count(was)));
            }
        }
    }
    match migration_and_key(frozen.session(), &tables) {
        Ok((_, key_id)) => report.key_id = key_id,
        Err(why) => report.problems.push(why),
    }
    match store::missing_migrations_in_file(frozen.session()) {
        Ok(lacking) if lacking.is_empty() => {
            report.problems.extend(store::verify_rows(frozen.session(), sealer, progress)?);
        }
        Ok(lacking) => report.notes.push(format!(
            "the schema is older than this program (it lacks {}), so its rows were not parsed; a server migrates it when it starts",
            lacking.join(", ")
        )),
        Err(why) => report.problems.push(why),
    }
    Ok(())
}
