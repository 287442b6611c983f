//! `vext token`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{Args, Error, Subcommand, ValueEnum};
use tokio::runtime::Runtime;

use super::output::{CommandResult, Failure, print, problems_failure, table};
use crate::config::DatabaseSettings;
use crate::domain::DateTime;
use crate::service::{NewToken, TokenRow};

/// Create, list and revoke the tokens that let clients in.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Create a token and print it, this once only.
    Create(TokenCreate),
    /// List the tokens, without their secrets.
    List(DatabaseSettings),
    /// Revoke a token.
    Revoke(TokenRevoke),
}

impl TokenCommand {
    pub(super) fn run(self) -> CommandResult {
        match self {
            Self::Create(create) => create.run(),
            Self::List(database) => list(&database),
            Self::Revoke(revoke) => revoke.run(),
        }
    }
}

/// Create a token and print it, this once only.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext token create --name dashboard --tenant ACME               may read one tenant
  vext token create --name sync --tenant ACME --tenant GLOBEX --scope write
  TOKEN=$(vext token create --name admin --all-tenants --scope write)
  vext token create --name developer --tenant ACME --scope explore  may see the schema and the playground

Only the token is written to stdout. The database stores only its hash, so it cannot be shown again.")]
#[command(next_help_heading = "Token")]
pub struct TokenCreate {
    /// Name by which to find and revoke the token.
    #[arg(long, env = "VEXT_TOKEN_NAME")]
    name: String,

    /// Code of a tenant that the token is valid for; may be repeated.
    #[arg(long = "tenant", env = "VEXT_TOKEN_TENANT", value_name = "CODE", value_delimiter = ',')]
    tenants: Vec<String>,

    /// Make the token valid for all tenants, including those created later.
    #[arg(long, env = "VEXT_TOKEN_ALL_TENANTS", value_parser = BoolishValueParser::new())]
    all_tenants: bool,

    /// What the token allows, always including reading; may be repeated.
    #[arg(
        long = "scope",
        env = "VEXT_TOKEN_SCOPE",
        value_name = "SCOPE",
        value_delimiter = ',',
        default_value = "read"
    )]
    scopes: Vec<TokenScope>,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum TokenScope {
    /// Read.
    Read,
    /// Read and write.
    Write,
    /// Read and delete; removing an object from others also needs `write`.
    Delete,
    /// Read and explore: use introspection and sign in to the playground.
    Explore,
}

impl TokenCreate {
    fn run(self) -> CommandResult {
        // Checked here, because to clap a value from the file is a default, and defaults do not count in its rules
        // between options.
        if self.tenants.is_empty() != self.all_tenants {
            let rule = "a token needs either --tenant CODE, once or more, or --all-tenants";
            return Err(Error::raw(ErrorKind::MissingRequiredArgument, rule).into());
        }
        let app = self.database.open()?;
        let [write, delete, explore] =
            [TokenScope::Write, TokenScope::Delete, TokenScope::Explore].map(|scope| self.scopes.contains(&scope));
        let Self { name, tenants, all_tenants, .. } = self;
        let new = NewToken { name, tenants, all_tenants, write, delete, explore };
        let token = Runtime::new()?.block_on(app.create_token(new, None))?.map_err(problems_failure)?;
        print(&format!("{token}\n"))?;
        let note = "The token is shown only this once. Send it as the header `Authorization: Bearer TOKEN`.";
        // It does not matter if stderr is closed.
        _ = writeln!(io::stderr(), "{note}");
        Ok(ExitCode::SUCCESS)
    }
}

fn list(database: &DatabaseSettings) -> CommandResult {
    let app = database.open()?;
    let (tenants, tokens) =
        Runtime::new()?.block_on(async { Ok::<_, Failure>((app.tenants().await?, app.tokens().await?)) })?;
    let row = |token: TokenRow| {
        let codes = tenants
            .iter()
            .filter(|tenant| token.tenants.contains(&tenant.id))
            .map(|tenant| tenant.settings.code.as_str());
        let codes = if token.all_tenants { "(all)".into() } else { codes.collect::<Vec<_>>().join(", ") };
        let state = if token.revoked_at.is_some() { "revoked" } else { "valid" };
        [token.name, token.scopes, codes, format_minute(token.created_at), state.into()]
    };
    print(&table(["NAME", "SCOPES", "TENANTS", "CREATED (UTC)", "STATE"], tokens.into_iter().map(row)))
}

fn format_minute(time: DateTime) -> String {
    let time = jiff::Timestamp::from_millisecond(time.0).unwrap_or_default();
    time.strftime("%F %H:%M").to_string()
}

/// Revoke a token.
#[derive(Args, Debug)]
pub struct TokenRevoke {
    /// Name of the token.
    name: String,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl TokenRevoke {
    fn run(self) -> CommandResult {
        let app = self.database.open()?;
        match Runtime::new()?.block_on(app.revoke_token(&self.name))? {
            true => print(&format!("Revoked token {}.\n", self.name)),
            false => Err(format!("there is no valid token named {:?}", self.name).into()),
        }
    }
}
