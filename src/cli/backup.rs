//! `vext backup`.

use std::path::PathBuf;

use clap::Args;

use super::output::{CommandResult, print};
use super::progress::Bar;
use crate::config::DatabaseSettings;
use crate::domain::Environment;
use crate::operations::{self, Manifest};

/// Back up a SQLite file, even while a server writes to it.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext backup --database /var/lib/vext/vext.db --to /var/backups/vext/monday.db

FILE.manifest, with the backup's checksum and row counts, is written beside it. The key file is not copied: keep a
copy of it elsewhere, because without it the sealed secrets are lost.")]
pub struct Backup {
    /// File to write; it must not exist yet.
    #[arg(long, env = "VEXT_BACKUP_TO", value_name = "FILE", help_heading = "Backup")]
    to: PathBuf,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl Backup {
    pub(super) fn run(self) -> CommandResult {
        self.database.must_exist()?;
        let (bar, clock) = (Bar::new(), Environment::system().clock);
        let mut progress = |stage, done, total| {
            bar.update(stage, done, total);
            Ok(())
        };
        let manifest = operations::backup(&self.database.database()?, &self.to, &*clock, &mut progress)?;
        drop(bar);
        let key = manifest.key_id.as_ref().map_or_else(
            || "No key file is needed: no secret has been sealed yet.".to_owned(),
            |id| {
                let key = self.database.key_path().unwrap_or_default();
                format!(
                    "The backup does not contain the key file {} (key {id}): keep a copy elsewhere; without it the sealed secrets are lost.",
                    key.display()
                )
            },
        );
        print(&format!(
            "Wrote the backup {}: {} rows, {} bytes; its manifest is {}.\n{key}\n",
            self.to.display(),
            manifest.rows.values().sum::<u64>(),
            manifest.size,
            Manifest::path(&self.to).display()
        ))
    }
}
