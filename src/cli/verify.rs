//! `vext verify`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::output::{CommandResult, print};
use super::progress::Bar;
use crate::config::default_key_path;
use crate::domain::Environment;
use crate::operations::{self, VerifyReport};
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
        let default = || Some(default_key_path(&Database::Sqlite(self.file.clone()))).filter(|key| key.exists());
        let key = self.key_file.clone().or_else(default);
        let bar = Bar::new();
        let mut progress = |stage, done, total| {
            bar.update(stage, done, total);
            Ok(())
        };
        let report = operations::verify(&self.file, key.as_deref(), &Environment::system(), &mut progress)?;
        drop(bar);
        let (text, code) = render(&self.file, &report);
        print(&text)?;
        Ok(code)
    }
}

/// The text of a report, and the exit code for it.
pub(super) fn render(file: &Path, report: &VerifyReport) -> (String, ExitCode) {
    let mut text = String::new();
    for note in &report.notes {
        _ = writeln!(text, "Note: {note}.");
    }
    for problem in &report.problems {
        _ = writeln!(text, "Problem: {}.", problem.trim_end_matches('.'));
    }
    let (file, count) = (file.display(), report.problems.len());
    if count == 0 {
        _ = writeln!(text, "{file} is in order: {} rows.", report.rows);
        return (text, ExitCode::SUCCESS);
    }
    _ = writeln!(text, "{file} is not in order: {count} {}.", if count == 1 { "problem" } else { "problems" });
    (text, ExitCode::FAILURE)
}
