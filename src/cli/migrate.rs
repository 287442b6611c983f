//! `vext migrate`.

use std::process::ExitCode;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::output::{CommandResult, print};
use crate::config::DatabaseSettings;
use crate::{service, store};

/// Migrate the database's schema to this version, or create the database.
#[derive(Args, Debug)]
pub struct Migrate {
    /// Change nothing; list the migrations that would be applied, and exit with 1 if there are any.
    #[arg(long, env = "VEXT_MIGRATE_CHECK", value_parser = BoolishValueParser::new())]
    check: bool,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl Migrate {
    pub(super) fn run(self) -> CommandResult {
        let options = self.database.open_options(1)?;
        let migrations =
            if self.check { store::missing_migrations(&options.database)? } else { service::migrate(&options)? };
        let word = if self.check { "pending" } else { "applied" };
        match migrations.as_slice() {
            [] => print("The schema is up to date.\n"),
            some => print(&some.iter().map(|name| format!("{word} {name}\n")).collect::<String>()),
        }?;
        Ok(if self.check && !migrations.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
