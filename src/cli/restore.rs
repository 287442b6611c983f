//! `vext restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::output::{CommandResult, print};
use super::progress::Bar;
use super::verify::render;
use crate::config::DatabaseSettings;
use crate::domain::Environment;
use crate::operations;

/// Restore a SQLite database from a backup.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext restore /var/backups/vext/monday.db --database /var/lib/vext/vext.db --force

The backup is verified first. A database that a server has open is never replaced: stop the server first.")]
pub struct RestoreCommand {
    /// Backup to restore.
    file: PathBuf,

    /// Replace an existing database; the old one is kept as DATABASE.before-restore-TIME.
    #[arg(long, env = "VEXT_RESTORE_FORCE", value_parser = BoolishValueParser::new(), help_heading = "Backup")]
    force: bool,

    /// Where the data goes.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl RestoreCommand {
    pub(super) fn run(self) -> CommandResult {
        let (database, key_file) = (self.database.database()?, self.database.key_path()?);
        let bar = Bar::new();
        let mut progress = |stage, done, total| {
            bar.update(stage, done, total);
            Ok(())
        };
        let request = operations::RestoreRequest {
            file: &self.file,
            database: &database,
            key_file: &key_file,
            force: self.force,
        };
        let restored = operations::restore(&request, &Environment::system(), &mut progress)?;
        drop(bar);
        if !restored.report.problems.is_empty() {
            let (text, code) = render(&self.file, &restored.report);
            print(&format!("{text}Nothing was restored.\n"))?;
            return Ok(code);
        }
        let aside = restored
            .aside
            .map_or(String::new(), |aside| format!("The previous database is now {}.\n", aside.display()));
        let key = match restored.key {
            Ok(note) => format!("Key: {note}.\n"),
            Err(problem) => format!("Key, before you serve: {problem}.\n"),
        };
        print(&format!("Restored {} from {}.\n{aside}{key}", database, self.file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
