//! Looks at a file before anything is written to it.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::super::engine::Found;
use super::{APPLICATION_ID, BUSY_TIMEOUT};

/// Looks whether a file is ours and sound.
///
/// # Errors
/// One sentence on why it cannot be used.
#[expect(clippy::disallowed_methods, reason = "looks at a file before it is opened for good")]
pub fn inspect(path: &Path) -> Result<Found, String> {
    let shown = path.display();
    if path.is_dir() {
        return Err(format!("{shown} is a directory, not a database file"));
    }
    let plain = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, error),
        _ => refusal(path, &error),
    };
    if !path.exists() {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return if folder.is_dir() {
            Ok(Found::Nothing)
        } else {
            Err(format!("the folder {} does not exist", folder.display()))
        };
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(plain)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(plain)?;
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(plain);
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let id = number("SELECT application_id FROM pragma_application_id")?;
    if connection.is_readonly("main").map_err(plain)? {
        return Err(format!("{shown} is not writable"));
    }
    match (tables, id) {
        (0, _) => return Ok(Found::Nothing),
        (_, APPLICATION_ID) => {}
        _ => return Err(format!("{shown} is a SQLite database, but not one of vext")),
    }
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(plain)?;
    // The verdict begins with a line that only names the database.
    let verdict = verdict.lines().last().unwrap_or_default();
    if verdict == "ok" {
        Ok(Found::Ours)
    } else {
        // Closing would write what stands in the log into a file that is damaged; it stays as it was found.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(plain)?;
        Err(damaged(path, verdict))
    }
}

/// Why a file cannot be used, in one sentence.
pub(super) fn refusal(path: &Path, error: &rusqlite::Error) -> String {
    let shown = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!("{shown} is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => format!("{shown} is damaged ({error})"),
        Some(ErrorCode::ReadOnly) => format!("{shown} is not writable"),
        Some(ErrorCode::DatabaseBusy) => format!("{shown} is locked by another program"),
        _ => format!("{shown} cannot be opened: {error}"),
    }
}

/// The same for a database that was meant to be served.
fn damaged(path: &Path, why: impl std::fmt::Display) -> String {
    format!("{} is damaged ({why}); bring it back from a backup with `vext restore FILE --force`", path.display())
}
