//! `vext export`.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tokio::runtime::Runtime;

use super::output::{CommandResult, Failure};
use super::progress::Bar;
use crate::config::DatabaseSettings;
use crate::operations::transfer::Secrets;

/// Write one tenant to a file of JSON lines, for another database or server.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext export --tenant ACME --to acme.jsonl
  vext export --tenant ACME | ssh other vext import
  vext export --tenant ACME --secrets none > acme.jsonl       a copy without PINs and passwords

The same data gives the same bytes, so two exports can be compared. Tokens are not exported. If the export
fails, nothing is written.")]
#[command(next_help_heading = "Export")]
pub struct Export {
    /// Code of the tenant to export.
    #[arg(long, env = "VEXT_EXPORT_TENANT", value_name = "CODE")]
    tenant: String,

    /// File to write, completely or not at all [default: stdout]
    #[arg(long, env = "VEXT_EXPORT_TO", value_name = "FILE")]
    to: Option<PathBuf>,

    /// Whether secrets are sealed with this database's key or left out.
    #[arg(long, env = "VEXT_EXPORT_SECRETS", value_name = "HOW", default_value = "sealed")]
    secrets: SecretsChoice,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

/// What to do with secrets.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum SecretsChoice {
    /// Seal them with this database's key.
    Sealed,
    /// Leave them out.
    None,
}

impl Export {
    pub(super) fn run(self) -> CommandResult {
        let app = self.database.open()?;
        let secrets = match self.secrets {
            SecretsChoice::Sealed => Secrets::Sealed,
            SecretsChoice::None => Secrets::None,
        };
        // Written to a temporary file first: a pipe's reader may be slow, and the database's snapshot must not wait for
        // it.
        let file = match &self.to {
            Some(path) => temporary_for(path)?,
            None => tempfile::NamedTempFile::new()?,
        };
        let (mut writer, bar) = (BufWriter::new(file), Bar::new());
        let exported =
            Runtime::new()?.block_on(
                app.export(&self.tenant, secrets, &mut writer, &mut |done, total| bar.update("exporting", done, total)),
            )?;
        drop(bar);
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        match &self.to {
            Some(path) => {
                file.as_file().sync_all()?;
                file.persist(path).map_err(|e| format!("cannot write {}: {}", path.display(), e.error))?;
            }
            None => copy_to_stdout(file.as_file_mut())?,
        }
        // It does not matter if stderr is closed.
        _ = writeln!(
            io::stderr(),
            "Tenant {}: {} objects, {} changes; {} secrets {}.",
            self.tenant,
            exported.objects,
            exported.changes,
            exported.secrets,
            if secrets == Secrets::Sealed { "sealed" } else { "left out" }
        );
        Ok(ExitCode::SUCCESS)
    }
}

/// A temporary file in the folder of `path` that can replace it, readable by its owner only.
fn temporary_for(path: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    if path.exists() && !path.is_file() {
        return Err(format!("--to: {} is not a file", path.display()).into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder);
    Ok(file.map_err(|e| format!("cannot write into the folder {}: {e}", folder.display()))?)
}

/// Copies a file to stdout. It is not a failure if the reader closes the pipe early.
fn copy_to_stdout(file: &mut File) -> Result<(), Failure> {
    file.rewind()?;
    let mut stdout = io::stdout().lock();
    match io::copy(file, &mut stdout).and_then(|_| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write to stdout: {e}").into()),
        _ => Ok(()),
    }
}
