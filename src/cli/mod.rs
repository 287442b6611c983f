//! The command line: the options of each command, and what it does.
//!
//! To add a command, write a file with a struct of its options and a `run` below it. Here, add the file's `mod` and
//! `pub use`, a variant of [`Command`] and its line in [`Command::run`]. Code that commands share is in `database.rs`,
//! `output.rs` and `progress.rs`; listening and stopping are in `serve.rs`.

mod backup;
mod database;
mod demo;
mod doctor;
mod export;
mod file;
mod import;
mod migrate;
mod options;
mod output;
mod progress;
mod reference;
mod restore;
mod selftest;
mod serve;
mod tenant;
mod token;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use self::backup::Backup;
pub use self::demo::Demo;
pub use self::doctor::Doctor;
pub use self::export::Export;
pub use self::file::ConfigFile;
pub use self::import::Import;
pub use self::migrate::Migrate;
use self::options::unknown_variables;
pub use self::output::Failure;
use self::output::{CommandResult, print};
pub use self::reference::config_reference;
pub use self::restore::RestoreCommand;
pub use self::selftest::Selftest;
pub use self::serve::Serve;
pub use self::tenant::{TenantCommand, TenantCreate};
pub use self::token::{TokenCommand, TokenCreate, TokenRevoke, TokenScope};
pub use self::verify::Verify;
use crate::config::LogSettings;
use crate::graphql;

const EXAMPLES: &str = "\
Examples:
  vext demo                                     look around in a playground; nothing is kept
  vext tenant create --code ACME --name 'Acme'  create a database with a first tenant
  vext token create --name web --tenant ACME --scope write
  vext serve --listen 0.0.0.0:8080              answer GraphQL at http://HOST:8080/graphql
  vext doctor                                   check the setup, before or while the server runs
  vext selftest --url https://pbx.example.com   test a server from outside, through proxy and TLS
  vext schema > schema.graphql                  the whole API, documented

Settings:
  Every option is a flag, an environment variable and a key of one TOML file; the flag wins over the
  variable, the variable over the file, the file over the default. The file's key is the variable's
  name without VEXT_, in lower case and with hyphens: VEXT_LOG_FORMAT is log-format.

Exit codes:
  0 success, 1 failure (one sentence on stderr says why), 2 wrong usage";

/// A multi-tenant GraphQL API for the virtual extension form of a PBX, in one binary.
///
/// vext keeps the virtual extensions of any number of tenants, with everything that their form refers to, in one SQLite
/// file, and serves them through a GraphQL API with a built-in playground. Start with `vext demo`.
#[derive(Debug, Parser)]
#[command(name = "vext", version, after_long_help = EXAMPLES, max_term_width = 110)]
#[command(after_help = "`vext --help` shows examples and where settings come from.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What to log, and in which format.
    #[command(flatten)]
    pub log: LogSettings,

    /// Settings file [default: vext.toml or else /etc/vext/vext.toml, if there is one]
    #[arg(long, global = true, env = "VEXT_CONFIG", value_name = "FILE", help_heading = "Log and settings")]
    pub config: Option<PathBuf>,

    /// Environment variables that look like settings of a server but are not.
    #[arg(skip)]
    pub unknown_variables: Vec<String>,
}

impl Cli {
    /// Parses the command line: flags take precedence over the environment, then the file, then the defaults.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let args: Vec<_> = args.into_iter().collect();
        // Nothing is required here, since the file may have it. If this fails, the parse below fails too, with the
        // right message.
        let file = match Self::command_for_update().try_get_matches_from(&args) {
            Ok(given) => ConfigFile::find(given.get_one("config").map(PathBuf::as_path), &Self::command())?,
            Err(_) => None,
        };
        let mut cli = Self::from_args(file.as_ref(), args)?;
        let unknown = || unknown_variables(&Self::command(), std::env::vars_os().map(|(name, _)| name));
        match &mut cli.command {
            Command::Doctor(doctor) => (doctor.file, doctor.unknown_variables) = (file, unknown()),
            Command::Demo(_) | Command::Serve(_) => cli.unknown_variables = unknown(),
            _ => {}
        }
        Ok(cli)
    }

    /// Parses `args`, with values from `file` where neither they nor the environment have one.
    pub fn from_args(file: Option<&ConfigFile>, args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = Self::command();
        let command = file.map_or(command.clone(), |file| file.override_defaults(command));
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve a demo tenant with a playground, from a temporary database.
    Demo(Demo),
    /// Serve the API until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Check that everything is in order for `vext serve`, even while it runs.
    // Here and not at its struct, where the help of `serve` would replace it.
    #[command(after_help = doctor::HELP)]
    Doctor(Doctor),
    /// Migrate the database's schema to this version, or create the database.
    Migrate(Migrate),
    /// Back up a SQLite file, even while a server writes to it.
    Backup(Backup),
    /// Check a backup: the file, its rows and, with the key, its secrets.
    Verify(Verify),
    /// Restore a SQLite database from a backup.
    Restore(RestoreCommand),
    /// Write one tenant to a file of JSON lines, for another database or server.
    Export(Export),
    /// Create a tenant from a file written by `vext export`.
    Import(Import),
    /// Test a running server from outside: what it refuses, what it hides, and that it survives.
    Selftest(Selftest),
    /// Print the GraphQL schema.
    Schema,
    /// Create, list and delete tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Create, list and revoke the tokens that let clients in.
    #[command(subcommand)]
    Token(TokenCommand),
}

impl Command {
    /// Runs the command.
    pub fn run(self) -> CommandResult {
        let outcome = match self {
            Self::Demo(demo) => demo.run(),
            Self::Serve(serve) => serve.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::Migrate(migrate) => migrate.run(),
            Self::Backup(backup) => backup.run(),
            Self::Verify(verify) => verify.run(),
            Self::Restore(restore) => restore.run(),
            Self::Export(export) => export.run(),
            Self::Import(import) => import.run(),
            Self::Selftest(selftest) => selftest.run(),
            Self::Schema => print(&graphql::sdl()),
            Self::Tenant(command) => command.run(),
            Self::Token(command) => command.run(),
        };
        outcome.map_err(|failure| match failure.downcast::<clap::Error>() {
            // Adds the program's usage to the message, which a command does not know.
            Ok(usage) => usage.format(&mut Cli::command()).into(),
            Err(failure) => failure,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::from_args(None, line.split(' ').map(OsString::from))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_shows_the_variables_but_not_their_values() {
        for line in ["vext demo --help", "vext serve --help", "vext token create --help"] {
            let help = parse(line).unwrap_err().to_string();
            assert!(help.contains("[env: VEXT_"), "{help}");
        }
        let help = parse("vext doctor --help").unwrap_err().to_string();
        assert!(help.contains("VEXT_LISTEN") && help.trim_end().ends_with(doctor::HELP), "{help}");
        let help = parse("vext demo --help").unwrap_err().to_string();
        assert!(help.contains("[env: VEXT_DEMO_TOKEN]") && help.contains("Examples:"), "{help}");
    }

    #[test]
    fn a_token_is_for_some_tenants_or_for_all() {
        for line in ["vext token create --name a", "vext token create --name a --all-tenants --tenant B"] {
            let failure = parse(line).unwrap().command.run().unwrap_err();
            assert_eq!(failure.downcast::<clap::Error>().unwrap().exit_code(), 2);
        }
    }
}
