//! `vext verify`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output::{CommandResult, print};
use super::progress::Bar;
use crate::config::key_beside;
use crate::domain::Environment;
use crate::operations::{self, Verified};
use crate::store::Database;

/// Check a backup: the file, its rows and, with the key, its secrets.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext verify /var/backups/vext/monday.db --key-file /var/lib/vext/vext.db.key

Changes nothing, and exits with 1 if anything is wrong.")]
pub struct Verify {
    /// Backup to check.
    file: PathBuf,

    /// Key file, to check that it opens the sealed secrets [default: FILE.key, if there is one]
    #[arg(long, env = "VEXT_VERIFY_KEY_FILE", value_name = "FILE", help_heading = "Backup")]
    key_file: Option<PathBuf>,
}

impl Verify {
    pub(super) fn run(self) -> CommandResult {
        let beside = || Some(key_beside(&Database::Sqlite(self.file.clone()))).filter(|key| key.exists());
        let key = self.key_file.clone().or_else(beside);
        let bar = Bar::new();
        let mut progress = |what, done, total| {
            bar.at(what, done, total);
            Ok(())
        };
        let verified = operations::verify(&self.file, key.as_deref(), &Environment::system(), &mut progress)?;
        drop(bar);
        let (text, code) = told(&self.file, &verified);
        print(&text)?;
        Ok(code)
    }
}

/// What was found out, and the exit code for it.
pub(super) fn told(file: &Path, verified: &Verified) -> (String, ExitCode) {
    let mut text = String::new();
    for note in &verified.notes {
        _ = writeln!(text, "Note: {note}.");
    }
    for problem in &verified.problems {
        _ = writeln!(text, "Wrong: {}.", problem.trim_end_matches('.'));
    }
    let (file, count) = (file.display(), verified.problems.len());
    if count == 0 {
        _ = writeln!(text, "{file} is in order: {} rows.", verified.rows);
        return (text, ExitCode::SUCCESS);
    }
    _ = writeln!(text, "{file} is not in order: {count} {}.", if count == 1 { "problem" } else { "problems" });
    (text, ExitCode::FAILURE)
}
