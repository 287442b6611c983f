//! The command line: what each command takes, and what it does.
//!
//! How to add one more: a variant of [`Command`] with a struct of its options and a `run` right below it.

use std::error::Error;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::BoolishValueParser;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{ConfigFile, DatabaseSettings, LogSettings, ServerSettings, key_beside, sqlite_path};
use crate::domain::{DateTime, Environment, Problem};
use crate::http::{self, ServeOptions};
use crate::service::{App, NewToken, OpenOptions, TenantRequest, TenantRow, TokenRow};
use crate::{graphql, service, store};

/// Why a command failed, as one sentence; a [`clap::Error`] when it was called wrongly.
pub type Failure = Box<dyn Error + Send + Sync>;

type Outcome = Result<ExitCode, Failure>;

const EXAMPLES: &str = "\
Examples:
  vext demo                                     look around in a playground; nothing is kept
  vext tenant create --code ACME --name 'Acme'  make a database with a first tenant
  vext token create --name web --tenant ACME --scope write
  vext serve --listen 0.0.0.0:8080              answer GraphQL at http://HOST:8080/graphql
  vext schema > schema.graphql                  the whole API, described

Settings:
  Every option is a flag, an environment variable and a key of one TOML file; the flag wins over the
  variable, the variable over the file, the file over the default. The file's key is the variable's
  name without VEXT_, in lower case and with hyphens: VEXT_LOG_FORMAT is log-format.

Exit codes:
  0 done, 1 failed (one sentence on stderr says why), 2 called wrongly";

/// A multi-tenant GraphQL API for the virtual extension form of a PBX, in one binary.
///
/// vext keeps the virtual extensions of any number of tenants, with everything that their form points at, in one SQLite
/// file, and serves them as a GraphQL API with a playground built in. Start with `vext demo`.
#[derive(Debug, Parser)]
#[command(name = "vext", version, after_long_help = EXAMPLES, max_term_width = 110)]
#[command(after_help = "`vext --help` shows examples and where settings come from.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// What is logged, and how.
    #[command(flatten)]
    pub log: LogSettings,

    /// File with settings [default: vext.toml or else /etc/vext/vext.toml, if there is one]
    #[arg(long, global = true, env = "VEXT_CONFIG", value_name = "FILE", help_heading = "Log and settings")]
    pub config: Option<PathBuf>,
}

impl Cli {
    /// What the user asked for: the flags, over the environment, over the file, over the defaults.
    pub fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Failure> {
        let args: Vec<_> = args.into_iter().collect();
        // Here nothing is required, since the file may have it. What fails even so fails below, with the right words.
        let file = match Self::command_for_update().try_get_matches_from(&args) {
            Ok(given) => ConfigFile::find(given.get_one("config").map(PathBuf::as_path))?,
            Err(_) => None,
        };
        Ok(Self::over(file.as_ref(), args)?)
    }

    /// What `args` say, and `file` where they and the environment are silent.
    pub fn over(file: Option<&ConfigFile>, args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let command = Self::command();
        let command = file.map_or(command.clone(), |file| file.overlay(command));
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
    /// Bring the database's schema up to this version, or make the database.
    Migrate(Migrate),
    /// Print the GraphQL schema.
    Schema,
    /// Make and list tenants.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Make, list and revoke the tokens that let a client in.
    #[command(subcommand)]
    Token(TokenCommand),
}

impl Command {
    /// Does it.
    pub fn run(self) -> Outcome {
        match self {
            Self::Demo(demo) => demo.run(),
            Self::Serve(serve) => serve.run(),
            Self::Migrate(migrate) => migrate.run(),
            Self::Schema => print(&graphql::sdl()),
            Self::Tenant(TenantCommand::Create(create)) => create.run(),
            Self::Tenant(TenantCommand::List(database)) => list_tenants(&database),
            Self::Token(TokenCommand::Create(create)) => create.run(),
            Self::Token(TokenCommand::List(database)) => list_tokens(&database),
            Self::Token(TokenCommand::Revoke(revoke)) => revoke.run(),
        }
    }
}

/// Serve a demo tenant with a playground, from a temporary database.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext demo                                        a free look at http://127.0.0.1:8080/playground/
  vext demo --listen 127.0.0.1:0 --token T         for scripts: any free port, a known token
  vext demo --database demo.db                     keep what was changed for the next time")]
pub struct Demo {
    // Not the database of `serve`: a settings file that names it must not lead demo data there.
    /// Database to use and keep: `sqlite:PATH`, or a plain path [default: a temporary one]
    #[arg(long, env = "VEXT_DEMO_DATABASE", value_name = "URL", help_heading = "Demo", hide_env_values = true)]
    database: Option<String>,

    /// Token that lets clients in [default: a random one]
    #[arg(long, env = "VEXT_DEMO_TOKEN", value_name = "TOKEN", help_heading = "Demo", hide_env_values = true)]
    token: Option<String>,

    /// How the server answers.
    #[command(flatten)]
    server: ServerSettings,
}

impl Demo {
    fn run(self) -> Outcome {
        let runtime = Runtime::new()?;
        let (stop, listener) =
            runtime.block_on(async { Ok::<_, Failure>((stop()?, bind(self.server.listen).await?)) })?;
        // Lives longer than the database in it, and is deleted however this function ends.
        let temporary = tempfile::Builder::new().prefix("vext-demo-").tempdir()?;
        let database = match &self.database {
            Some(url) => sqlite_path(url)?,
            None => temporary.path().join("vext.db"),
        };
        let app = open(database.clone(), key_beside(&database), self.server.readers())?;
        let address = listener.local_addr()?;
        runtime.block_on(async {
            if app.tenants().await?.is_empty() {
                service::demo::fill(&app).await?;
            }
            let tenants = app.tenants().await?;
            let codes = tenants.iter().map(|tenant| tenant.code.clone()).collect();
            let token = demo_token(&app, codes, self.token).await?;
            let tenants: Vec<_> = tenants.iter().map(|tenant| format!("{} ({})", tenant.code, tenant.name)).collect();
            let fate = if self.database.is_some() { "kept" } else { "deleted when the demo ends" };
            print(&welcome(address, &token, &tenants.join(", "), &format!("{} ({fate})", database.display())))?;
            let options = ServeOptions { demo_token: Some(token), grace: self.server.shutdown_grace };
            Ok::<_, Failure>(http::serve(app, listener, options, stop).await?)
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A token that opens all of the demo's tenants and selects the first.
async fn demo_token(app: &App, tenants: Vec<String>, fixed: Option<String>) -> Result<String, Failure> {
    // A database kept from last time knows last time's tokens, and the name of a token is never used again.
    if let Some(token) = &fixed
        && app.authenticate(&app.snapshot(), token, None).await?.is_some()
    {
        return Ok(token.clone());
    }
    let name = format!("demo {}", app.tokens().await?.len() + 1);
    app.create_token(NewToken { name, tenants, all_tenants: false, write: true }, fixed).await?.map_err(sentences)
}

/// What the demo says when it is ready.
fn welcome(address: SocketAddr, token: &str, tenants: &str, database: &str) -> String {
    let base = match address.ip().is_unspecified() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    };
    format!(
        r#"The vext demo is running; Ctrl-C stops it.

  Playground  {base}/playground/
  GraphQL     {base}/graphql
  Token       {token}
  Tenants     {tenants}
  Database    {database}

Try:

  curl {base}/graphql \
    -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \
    -d '{{"query": "{{ tenant {{ virtualExtension(by: {{number: \"108\"}}) {{ name information {{ members {{ number name }} }} }} }} }}"}}'

"#
    )
}

/// Serve the API until SIGTERM or Ctrl-C.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext serve --database sqlite:/var/lib/vext/vext.db --listen 127.0.0.1:8080 --log-format json

A database of an older version is migrated first. Put a proxy in front that speaks TLS.")]
pub struct Serve {
    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,

    /// How the server answers.
    #[command(flatten)]
    pub server: ServerSettings,
}

impl Serve {
    fn run(self) -> Outcome {
        let runtime = Runtime::new()?;
        let (stop, listener) =
            runtime.block_on(async { Ok::<_, Failure>((stop()?, bind(self.server.listen).await?)) })?;
        let app = open(self.database.path()?, self.database.key_path()?, self.server.readers())?;
        tracing::info!(address = %listener.local_addr()?, database = self.database.path()?.display().to_string(), "listening");
        let options = ServeOptions { demo_token: None, grace: self.server.shutdown_grace };
        runtime.block_on(http::serve(app, listener, options, stop))?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// Bring the database's schema up to this version, or make the database.
#[derive(Args, Debug)]
pub struct Migrate {
    /// Change nothing; list what would be applied and exit with 1 if that is anything.
    #[arg(long, env = "VEXT_MIGRATE_CHECK", value_parser = BoolishValueParser::new())]
    check: bool,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl Migrate {
    fn run(self) -> Outcome {
        let migrations = store::migrate(&self.database.path()?, true, &*Environment::system().clock)?;
        if !self.check {
            // Opening applies what is missing, and gives a new database its key.
            open(self.database.path()?, self.database.key_path()?, 1)?;
        }
        let word = if self.check { "pending" } else { "applied" };
        match migrations.as_slice() {
            [] => print("The schema is up to date.\n"),
            some => print(&some.iter().map(|name| format!("{word} {name}\n")).collect::<String>()),
        }?;
        Ok(if self.check && !migrations.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Make and list tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant, and the database if there is none yet.
    Create(TenantCreate),
    /// List the tenants.
    List(DatabaseSettings),
}

/// Make a tenant, and the database if there is none yet.
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  vext tenant create --code ACME --name 'Acme Ltd' --timezone Europe/Rome --transcription")]
#[command(next_help_heading = "Tenant")]
pub struct TenantCreate {
    /// Code by which clients and tokens name the tenant.
    #[arg(long, env = "VEXT_TENANT_CODE")]
    pub code: String,

    /// Name that people read.
    #[arg(long, env = "VEXT_TENANT_NAME")]
    pub name: String,

    /// Time zone of the tenant's hours and calendars, as the IANA database names it.
    #[arg(long, env = "VEXT_TENANT_TIMEZONE", value_name = "ZONE", default_value = "UTC")]
    pub timezone: String,

    /// The tenant may use transcription.
    #[arg(long, env = "VEXT_TENANT_TRANSCRIPTION", value_parser = BoolishValueParser::new())]
    pub transcription: bool,

    /// The tenant may use the AI features.
    #[arg(long, env = "VEXT_TENANT_AI", value_parser = BoolishValueParser::new())]
    pub ai: bool,

    /// Where the data is.
    #[command(flatten)]
    pub database: DatabaseSettings,
}

impl TenantCreate {
    fn run(self) -> Outcome {
        let app = open(self.database.path()?, self.database.key_path()?, 1)?;
        let Self { code, name, timezone, transcription, ai, .. } = self;
        // Without an area code there is nothing for the other three to decide.
        let (area_code, area_code_digits, area_code_regex) = (String::new(), (0, 20), None);
        let request =
            TenantRequest { code, name, timezone, transcription, ai, area_code, area_code_digits, area_code_regex };
        let tenant = Runtime::new()?.block_on(app.create_tenant(request))?.map_err(sentences)?;
        print(&format!("Tenant {} is there.\n", tenant.code))
    }
}

fn list_tenants(database: &DatabaseSettings) -> Outcome {
    let app = database.open()?;
    let tenants = Runtime::new()?.block_on(app.tenants())?;
    let row = |tenant: TenantRow| [tenant.code, tenant.name, tenant.timezone.as_str().to_owned()];
    print(&table(["CODE", "NAME", "TIME ZONE"], tenants.into_iter().map(row)))
}

/// Make, list and revoke the tokens that let a client in.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it, this once.
    Create(TokenCreate),
    /// List the tokens, without what is secret about them.
    List(DatabaseSettings),
    /// Shut a token out.
    Revoke(TokenRevoke),
}

/// Make a token and print it, this once.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext token create --name dashboard --tenant ACME               may read one tenant
  vext token create --name sync --tenant ACME --tenant GLOBEX --scope write
  TOKEN=$(vext token create --name admin --all-tenants --scope write)

The token alone goes to stdout. Only its hash is kept, so it cannot be shown again.")]
#[command(next_help_heading = "Token")]
pub struct TokenCreate {
    /// Name by which to find and revoke the token.
    #[arg(long, env = "VEXT_TOKEN_NAME")]
    name: String,

    /// Code of a tenant that the token is for; may be repeated.
    #[arg(long = "tenant", env = "VEXT_TOKEN_TENANT", value_name = "CODE", value_delimiter = ',')]
    tenants: Vec<String>,

    /// The token is for all tenants, also for those still to come.
    #[arg(long, env = "VEXT_TOKEN_ALL_TENANTS", value_parser = BoolishValueParser::new())]
    all_tenants: bool,

    /// What the token allows, where write includes read; may be repeated.
    #[arg(
        long = "scope",
        env = "VEXT_TOKEN_SCOPE",
        value_name = "SCOPE",
        value_delimiter = ',',
        default_value = "read"
    )]
    scopes: Vec<Scope>,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

/// What a token allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scope {
    /// To read.
    Read,
    /// To read and to write.
    Write,
}

impl TokenCreate {
    fn run(self) -> Outcome {
        // By hand, because to clap a value from the file is a default, and a default satisfies no rule between options.
        if self.tenants.is_empty() != self.all_tenants {
            let said = "a token needs either --tenant CODE, once or more, or --all-tenants";
            return Err(Cli::command().error(ErrorKind::MissingRequiredArgument, said).into());
        }
        let app = self.database.open()?;
        let write = self.scopes.contains(&Scope::Write);
        let new = NewToken { name: self.name, tenants: self.tenants, all_tenants: self.all_tenants, write };
        let token = Runtime::new()?.block_on(app.create_token(new, None))?.map_err(sentences)?;
        print(&format!("{token}\n"))?;
        let said = "This is shown only now. Send it as the header `Authorization: Bearer TOKEN`.";
        // Whoever closed stderr did not want the explanation.
        _ = writeln!(io::stderr(), "{said}");
        Ok(ExitCode::SUCCESS)
    }
}

fn list_tokens(database: &DatabaseSettings) -> Outcome {
    let app = database.open()?;
    let (tenants, tokens) =
        Runtime::new()?.block_on(async { Ok::<_, Failure>((app.tenants().await?, app.tokens().await?)) })?;
    let row = |token: TokenRow| {
        let codes =
            tenants.iter().filter(|tenant| token.tenants.contains(&tenant.id)).map(|tenant| tenant.code.as_str());
        let codes = if token.all_tenants { "(all)".into() } else { codes.collect::<Vec<_>>().join(", ") };
        let state = if token.revoked_at.is_some() { "revoked" } else { "valid" };
        [token.name, token.scopes, codes, minute(token.created_at), state.into()]
    };
    print(&table(["NAME", "SCOPES", "TENANTS", "CREATED (UTC)", "STATE"], tokens.into_iter().map(row)))
}

fn minute(moment: DateTime) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.0).unwrap_or_default();
    moment.strftime("%F %H:%M").to_string()
}

/// Shut a token out.
#[derive(Args, Debug)]
pub struct TokenRevoke {
    /// Name of the token.
    name: String,

    /// Where the data is.
    #[command(flatten)]
    database: DatabaseSettings,
}

impl TokenRevoke {
    fn run(self) -> Outcome {
        let app = self.database.open()?;
        match Runtime::new()?.block_on(app.revoke_token(&self.name))? {
            true => print(&format!("Token {} is revoked.\n", self.name)),
            false => Err(format!("there is no valid token named {:?}", self.name).into()),
        }
    }
}

impl DatabaseSettings {
    /// Opens a database that exists: a typing error in its path must not leave an empty one behind.
    fn open(&self) -> Result<App, Failure> {
        let path = self.path()?;
        if !path.exists() {
            return Err(format!("there is no database {}; `vext tenant create` makes one", path.display()).into());
        }
        open(path, self.key_path()?, 1)
    }
}

/// Opens a database, or makes it and its key.
fn open(database: PathBuf, key_file: PathBuf, readers: usize) -> Result<App, Failure> {
    Ok(App::open(&OpenOptions { database, key_file, readers, environment: Environment::system() })?)
}

/// What was refused, as one line.
fn sentences(problems: Vec<Problem>) -> Failure {
    problems.iter().map(Problem::message).collect::<Vec<_>>().join(" ").into()
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            format!("cannot listen on {address}: another program already does (see --listen)").into()
        }
        _ => format!("cannot listen on {address}: {e}").into(),
    })
}

/// Ends with the first SIGTERM or Ctrl-C, also with one that comes before anybody waits for it.
fn stop() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            _ = write!(line, "{cell:width$}  ");
        }
        _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Writes to stdout. A reader that has seen enough (`vext schema | head`) is no failure.
fn print(text: &str) -> Outcome {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot write to stdout: {e}").into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::over(None, line.split(' ').map(OsString::from))
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

    #[test]
    fn a_port_in_use_is_named() {
        Runtime::new().unwrap().block_on(async {
            let first = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
            let address = first.local_addr().unwrap();
            let why = bind(address).await.unwrap_err().to_string();
            assert!(why.contains(&address.to_string()) && !why.contains('\n'), "{why}");
        });
    }

    #[test]
    fn the_welcome_shows_an_address_that_a_browser_can_open() {
        let text = welcome("0.0.0.0:81".parse().unwrap(), "T", "A (a)", "x");
        assert!(text.contains("http://localhost:81/playground/") && text.contains("Bearer T"), "{text}");
    }

    #[test]
    fn a_table_lines_up() {
        let rows = [["ACME", "x"], ["B", "yy"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(["CODE", "N"], rows.into_iter()), "CODE  N\nACME  x\nB     yy\n");
    }
}
