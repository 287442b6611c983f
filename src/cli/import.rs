//! `vext import`.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::BoolishValueParser;
use tokio::runtime::Runtime;

use super::output::{CommandResult, Failure, print};
use super::progress::Bar;
use crate::config::DatabaseSettings;
use crate::operations::transfer::{ImportOptions, Imported, LineProblem, TransferError};

/// The maximum number of problems that are printed.
const MAX_SHOWN: usize = 20;

/// Create a tenant from a file written by `vext export`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext import acme.jsonl --dry-run                  report everything wrong with the file, import nothing
  vext import acme.jsonl --from-key old/vext.db.key
  vext export --database vext.db --tenant ACME | vext import --database postgres://vext@db/vext

The tenant must not exist. If anything in the file is wrong, nothing is imported. An interrupted import
continues where it stopped when it is started again with the same file; until it is done, nobody sees the
tenant.")]
#[command(next_help_heading = "Import")]
pub struct Import {
    /// File to read [default: stdin]
    file: Option<PathBuf>,

    /// Only check the file and report what would be imported.
    #[arg(long, env = "VEXT_IMPORT_DRY_RUN", value_parser = BoolishValueParser::new())]
    dry_run: bool,

    /// Key file of the database that the file was exported from, if it is not this database's own.
    #[arg(long, env = "VEXT_IMPORT_FROM_KEY", value_name = "FILE")]
    from_key: Option<PathBuf>,

    /// Where the data goes.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl Import {
    pub(super) fn run(self) -> CommandResult {
        let mut file = seekable(self.file.as_deref())?;
        let app = self.database.open()?;
        let options = ImportOptions { dry_run: self.dry_run, from_key: self.from_key };
        let (runtime, bar, stage) = (Runtime::new()?, Bar::new(), if self.dry_run { "checking" } else { "importing" });
        let imported =
            runtime.block_on(app.import(&mut file, &options, &mut |done, total| bar.update(stage, done, total)));
        drop(bar);
        match imported {
            Ok(imported) => print(&summary(&imported, self.dry_run)),
            Err(failure) => {
                if let TransferError::Problems { found, .. } = &failure {
                    // If stderr is closed, the exit code still reports the failure.
                    _ = io::stderr().write_all(first_problems(found).as_bytes());
                }
                Err(failure.into())
            }
        }
    }
}

/// The first problems, a line each: an earlier problem is more likely to be the cause of a later one.
fn first_problems(problems: &[LineProblem]) -> String {
    let mut text: String = problems.iter().take(MAX_SHOWN).map(|problem| format!("{problem}\n")).collect();
    if let Some(more @ 1..) = problems.len().checked_sub(MAX_SHOWN) {
        text += &format!("and {more} more\n");
    }
    text
}

/// Opens the file. Input that can be read only once is copied to a temporary file, because an import reads it twice.
fn seekable(path: Option<&Path>) -> Result<File, Failure> {
    let copied = |source: &mut dyn io::Read| {
        let mut file = tempfile::tempfile()?;
        io::copy(source, &mut file)?;
        Ok(file)
    };
    match path {
        None => copied(&mut io::stdin().lock()).map_err(|e: io::Error| format!("cannot read stdin: {e}").into()),
        Some(path) => {
            let open = File::open(path).and_then(|mut file| match file.metadata()?.is_file() {
                true => Ok(file),
                false => copied(&mut file),
            });
            Ok(open.map_err(|e| format!("cannot read {}: {e}", path.display()))?)
        }
    }
}

/// One line on what was imported, or would be, and notes.
fn summary(imported: &Imported, dry_run: bool) -> String {
    let Imported { code, objects, changes, secrets_left_out, lines_before } = imported;
    let verb = if dry_run { "Would import" } else { "Imported" };
    let mut text = format!("{verb} tenant {code}: {objects} objects, {changes} changes.\n");
    if *lines_before > 0 {
        text += &format!("The first {lines_before} lines had already been imported before an interruption.\n");
    }
    if *secrets_left_out > 0 {
        text +=
            &format!("The file has no secrets: {secrets_left_out} PINs, passwords and other secrets are not set.\n");
    }
    text
}
