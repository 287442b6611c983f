//! The settings, and the layers that they come from: flag, then environment variable, then file, then default.
//!
//! An option is written once, as a field with its `#[arg(long, env = "VEXT_…", default_value = …)]`. Clap itself lets a
//! flag win over the environment and that over the default; the file joins by taking the default's place
//! ([`ConfigFile::overlay`]). So one parser reads a value wherever it comes from, and there is no second list of options.
//!
//! How to add one more: a documented field here when several commands share it, otherwise in the command's own struct
//! in `cli/`. The file's key follows from the variable ([`key`]), the page `docs/configuration.md` from both.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, ValueEnum};
use toml::Spanned;
use tracing_subscriber::EnvFilter;

use crate::cli::Cli;
use crate::domain::duration_from;
use crate::http::WatchOptions;
use crate::operations::Schedule;
use crate::store::{Database, PostgresServer};

/// Where a file is looked for when `--config` names none; the first that exists is the one that is read.
const USUAL_FILES: [&str; 2] = ["vext.toml", "/etc/vext/vext.toml"];

/// Where the data is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseSettings {
    /// Database to use: `sqlite:PATH`, a plain path, or `postgres://USER@HOST/NAME`.
    #[arg(long, env = "VEXT_DATABASE", value_name = "URL", default_value = "sqlite:vext.db", hide_env_values = true)]
    pub database: String,

    /// File with the key that seals the secrets the server must read back; made with a new database [default: DATABASE.key, or vext.key for PostgreSQL]
    #[arg(long, env = "VEXT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl DatabaseSettings {
    /// The database.
    pub fn database(&self) -> Result<Database, String> {
        database(&self.database)
    }

    /// The key's file, by default beside the database.
    pub fn key_path(&self) -> Result<PathBuf, String> {
        self.key_file.clone().map_or_else(|| Ok(key_beside(&self.database()?)), Ok)
    }
}

/// The database that a URL names. The refusals do not repeat the URL: it may hold a password.
pub fn database(url: &str) -> Result<Database, String> {
    let path = match url.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some(("postgres" | "postgresql", _)) => return Ok(Database::Postgres(PostgresServer::parse(url)?)),
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') => {
            return Err(format!("--database: there is no engine for {scheme}: URLs; use sqlite:PATH or postgres://…"));
        }
        _ => url,
    };
    // SQLite would take these for a database without a file, one per connection, or for a URI of its own.
    if path.is_empty() || path == ":memory:" || path.starts_with("file:") {
        return Err("--database: needs the path of a file, such as sqlite:vext.db".into());
    }
    Ok(Database::Sqlite(path.into()))
}

/// The key file that belongs to a database unless another is named: `vext.db.key` for `vext.db`. A server's databases
/// have no place beside them: it is `vext.key` in the working directory.
pub fn key_beside(database: &Database) -> PathBuf {
    match database {
        Database::Sqlite(path) => {
            let mut name = path.as_os_str().to_owned();
            name.push(".key");
            name.into()
        }
        Database::Postgres(_) => "vext.key".into(),
    }
}

/// How the server answers.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Server")]
pub struct ServerSettings {
    /// IP address and port to listen on; port 0 takes a free one.
    #[arg(long, env = "VEXT_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Number of threads that read the database; over PostgreSQL eight times as many [default: one per core]
    #[arg(long, env = "VEXT_READERS", value_name = "COUNT")]
    pub readers: Option<NonZeroUsize>,

    /// Time that running requests get to finish after SIGTERM or Ctrl-C.
    #[arg(long, env = "VEXT_SHUTDOWN_GRACE", value_name = "DURATION", default_value = "10s",
        value_parser = duration_from(Duration::ZERO))]
    pub shutdown_grace: Duration,

    /// Time for which requests are still taken after SIGTERM while `/readyz` already says no, for load balancers.
    #[arg(long, env = "VEXT_SHUTDOWN_DELAY", value_name = "DURATION", default_value = "0s",
        value_parser = duration_from(Duration::ZERO))]
    pub shutdown_delay: Duration,

    /// What is told of the server's work.
    #[command(flatten)]
    pub watch: WatchOptions,
}

impl ServerSettings {
    /// The number of reader threads, by default one per core.
    pub fn readers(&self) -> usize {
        self.readers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

/// Backups that the server takes by itself, of a SQLite file.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Backups")]
pub struct BackupSettings {
    /// Time from one backup to the next, such as `24h` or `90m`; needs the other two `--backup-` options.
    //
    // At least a second, because backups are named by the second.
    #[arg(long, env = "VEXT_BACKUP_EVERY", value_name = "DURATION",
        value_parser = duration_from(Duration::from_secs(1)))]
    pub backup_every: Option<Duration>,

    /// Number of backups that are kept; older ones of the program's own are deleted.
    #[arg(long, env = "VEXT_BACKUP_KEEP", value_name = "COUNT")]
    pub backup_keep: Option<NonZeroUsize>,

    /// Folder for the backups, which must exist: on another disk, or copied to one.
    #[arg(long, env = "VEXT_BACKUP_DIR", value_name = "FOLDER")]
    pub backup_dir: Option<PathBuf>,
}

impl BackupSettings {
    /// The schedule, if backups were asked for.
    pub fn schedule(&self) -> Result<Option<Schedule>, String> {
        match (self.backup_every, self.backup_keep, &self.backup_dir) {
            (None, None, None) => Ok(None),
            (Some(every), Some(keep), Some(folder)) => Ok(Some(Schedule { every, keep, folder: folder.clone() })),
            _ => Err("--backup-every, --backup-keep and --backup-dir belong together: give all three or none".into()),
        }
    }
}

/// What is logged, and how. The log goes to stderr.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log and settings")]
pub struct LogSettings {
    /// How a log line looks.
    #[arg(long, global = true, env = "VEXT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// What is logged: a level, or levels per target such as `info,vext::store=debug`.
    #[arg(long, global = true, env = "VEXT_LOG_LEVEL", value_name = "FILTER", default_value = "info", value_parser = filter)]
    pub log_level: String,
}

impl LogSettings {
    /// The filter that `log_level` describes.
    pub fn filter(&self) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
        EnvFilter::builder().parse(&self.log_level)
    }
}

/// Keeps the text: a filter cannot be cloned, which clap asks of a value.
fn filter(text: &str) -> Result<String, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().parse(text).map(|_| text.to_owned())
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// A settings file: TOML without tables, one key per option.
pub struct ConfigFile {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
}

impl std::fmt::Debug for ConfigFile {
    /// Its path: a value may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
}

impl ConfigFile {
    /// Reads `named`, which must exist, or else the first of the usual files that does; `None` when there is none.
    pub fn find(named: Option<&Path>) -> Result<Option<Self>, String> {
        let usual = || USUAL_FILES.iter().map(Path::new).find(|path| path.exists());
        let Some(path) = named.or_else(usual) else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Self::parse(path, &text).map(Some)
    }

    /// Reads `text`, whatever command runs: a mistake in the file shows itself today and not when it matters.
    pub fn parse(path: impl AsRef<Path>, text: &str) -> Result<Self, String> {
        let path = path.as_ref();
        let at = |start: usize| format!("{}:{}", path.display(), text[..start].matches('\n').count() + 1);
        let entries: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text)
            .map_err(|e| format!("{}: {}", at(e.span().map_or(0, |s| s.start)), one_line(e.message())))?;
        let known = options();
        let mut values = BTreeMap::new();
        for (key, value) in entries {
            let at = at(value.span().start);
            let option = known.iter().find(|option| self::key(&option.arg).as_ref() == Some(&key));
            let option = option.ok_or_else(|| format!("{at}: there is no setting {key:?}"))?;
            let texts = texts(value.get_ref())
                .ok_or_else(|| format!("{at}: {key} must be a text, a whole number, true, false or a list of texts"))?;
            check(&option.arg, &texts).map_err(|why| format!("{at}: {key}: {why}"))?;
            values.insert(key, texts);
        }
        Ok(Self { path: path.to_owned(), values })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a password or a token stands in it.
    pub fn holds_a_secret(&self) -> bool {
        self.values.iter().any(|(key, values)| match key.as_str() {
            "demo-token" => true,
            "database" => values
                .iter()
                .any(|url| matches!(database(url), Ok(Database::Postgres(server)) if server.has_password())),
            _ => false,
        })
    }

    /// Puts what the file says in the place of the defaults, in `command` and all its subcommands.
    pub fn overlay(&self, command: Command) -> Command {
        command
            .mut_args(|arg| match key(&arg).and_then(|key| self.values.get(&key)) {
                Some(values) => with_default(arg, values),
                None => arg,
            })
            .mut_subcommands(|command| self.overlay(command))
    }
}

/// The file's key for an option: `log-format` for `VEXT_LOG_FORMAT`. Only the file's own name is not in the file.
pub fn key(arg: &Arg) -> Option<String> {
    let variable = arg.get_env()?.to_str()?.strip_prefix("VEXT_")?;
    (variable != "CONFIG").then(|| variable.to_lowercase().replace('_', "-"))
}

fn with_default(arg: Arg, values: &[String]) -> Arg {
    arg.default_values(values.to_vec()).required(false)
}

/// Parses `values` as clap will, so that a refusal can name the file and the line.
fn check(arg: &Arg, values: &[String]) -> Result<(), String> {
    if values.len() > 1 && !matches!(arg.get_action(), ArgAction::Append) {
        return Err("takes one value".into());
    }
    let arg = with_default(arg.clone(), values).env(None::<&str>);
    match Command::new("vext").no_binary_name(true).arg(arg).try_get_matches_from([""; 0]) {
        Ok(_) => Ok(()),
        Err(e) => Err(one_line(e.to_string().split("\n\n").next().unwrap_or_default().trim_start_matches("error: "))),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn texts(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text.clone()]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(truth) => Some(vec![truth.to_string()]),
        toml::Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

/// One option, and the commands that take it.
struct Known {
    arg: Arg,
    commands: Vec<String>,
}

/// All options in the order in which the commands name them, each once.
fn options() -> Vec<Known> {
    fn walk(command: &Command, path: &str, known: &mut Vec<Known>) {
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            match known.iter_mut().find(|option| option.arg.get_env() == arg.get_env()) {
                Some(option) => option.commands.push(path.to_owned()),
                None => known.push(Known { arg: arg.clone(), commands: vec![path.to_owned()] }),
            }
        }
        for inner in command.get_subcommands() {
            walk(inner, format!("{path} {}", inner.get_name()).trim_start(), known);
        }
    }
    let mut known = Vec::new();
    walk(&Cli::command(), "", &mut known);
    known
}

/// Which of these variables look like options and are none.
pub fn unknown_variables(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let known = options();
    let is_known = |name: &OsString| known.iter().any(|option| option.arg.get_env() == Some(name.as_os_str()));
    let ours = names.filter(|name| name.as_encoded_bytes().starts_with(b"VEXT_") && !is_known(name));
    let mut unknown: Vec<_> = ours.map(|name| name.display().to_string()).collect();
    unknown.sort();
    unknown
}

/// The page `docs/configuration.md`, told by the command line itself.
pub fn config_reference() -> String {
    let mut page = String::from(REFERENCE_HEAD);
    for Known { arg, commands } in options() {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        // A default that is worked out stands in the help, written as clap writes the others.
        let (meaning, worked_out) = help.trim_end_matches(']').split_once(" [default: ").unwrap_or((&help, ""));
        let fixed = arg.get_default_values().iter().map(|value| format!("`{}`", value.display()));
        let fixed = fixed.collect::<Vec<_>>().join(", ");
        let choices =
            arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect::<Vec<_>>();
        let cells = [
            format!("`--{}`", arg.get_long().unwrap_or_default()),
            format!("`{}`", arg.get_env().unwrap_or_default().display()),
            key(&arg).map(|key| format!("`{key}`")).unwrap_or_default(),
            match arg.get_action() {
                ArgAction::SetTrue => "`false`".into(),
                _ if fixed.is_empty() => worked_out.to_owned(),
                _ => fixed,
            },
            match arg.get_action() {
                ArgAction::SetTrue => format!("{meaning}."),
                _ if choices.is_empty() => format!("{meaning}."),
                _ => format!("{meaning}: {}.", choices.join(" or ")),
            },
            if arg.is_global_set() { "all".into() } else { commands.join(", ") },
        ];
        _ = writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    page
}

const REFERENCE_HEAD: &str = "\
# Configuration

<!-- Generated from the command line by a test; change `src/config.rs` or `src/cli/mod.rs` instead. -->

Every option is a flag, an environment variable and a key of one TOML file. A flag wins over the variable, the variable
over the file, the file over the default. The file is the one that `--config` names, or else `vext.toml` in the working
directory, or else `/etc/vext/vext.toml`; only one is read. It has no tables, and a key that is not listed here is an error:

```toml
database = \"sqlite:/var/lib/vext/vext.db\"
listen = \"127.0.0.1:8080\"
log-format = \"json\"
```

An option that may be repeated takes a list in the file and commas in the variable. Relative paths start at the working
directory.

| Flag | Environment variable | File key | Default | Meaning | Commands |
|---|---|---|---|---|---|
";

#[cfg(test)]
mod tests {
    use std::process::Command as Process;

    use super::*;
    use crate::cli;

    /// The settings of `vext serve` with these flags over this file.
    fn serve(flags: &[&str], file: &str) -> Result<ServerSettings, String> {
        let args = ["vext", "serve"].iter().chain(flags).map(OsString::from);
        let file = ConfigFile::parse("vext.toml", file)?;
        match Cli::over(Some(&file), args).map_err(|e| e.to_string())?.command {
            cli::Command::Serve(serve) => Ok(serve.server),
            other => panic!("serve, not {other:?}"),
        }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let port = |flags: &[&str], file: &str| serve(flags, file).unwrap().listen.port();
        assert_eq!(port(&[], ""), 8080);
        assert_eq!(port(&[], "listen = '[::1]:1'"), 1);
        assert_eq!(port(&["--listen", "[::1]:3"], "listen = '[::1]:1'"), 3);
        assert_eq!(serve(&[], "readers = 7").unwrap().readers(), 7);
        assert!(serve(&[], "").unwrap().readers() >= 1);
    }

    /// Runs itself once more with the variable set, since a program cannot safely change its own environment.
    #[test]
    fn the_environment_stands_between_flag_and_file() {
        if std::env::var_os("VEXT_LISTEN").is_none_or(|value| value != "[::1]:2") {
            let name = "config::tests::the_environment_stands_between_flag_and_file";
            let mut again = Process::new(std::env::current_exe().unwrap());
            let output = again.args([name, "--exact"]).env("VEXT_LISTEN", "[::1]:2").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
            assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
            return;
        }
        assert_eq!(serve(&[], "listen = '[::1]:1'").unwrap().listen.port(), 2);
        assert_eq!(serve(&["--listen=[::1]:3"], "listen = '[::1]:1'").unwrap().listen.port(), 3);
    }

    #[test]
    fn what_a_command_requires_may_come_from_the_file() {
        let file =
            ConfigFile::parse("vext.toml", "tenant-code = 'ACME'\ntenant-name = 'Acme'\ntenant-ai = true").unwrap();
        let args = ["vext", "tenant", "create", "--name", "Acme Oil"].map(OsString::from);
        let cli::Command::Tenant(cli::TenantCommand::Create(tenant)) = Cli::over(Some(&file), args).unwrap().command
        else {
            panic!("tenant create")
        };
        assert_eq!((tenant.code.as_str(), tenant.name.as_str(), tenant.ai), ("ACME", "Acme Oil", true));
    }

    #[test]
    fn a_mistake_in_the_file_is_named_with_its_place() {
        for (file, said) in [
            ("# ours\nlissten = '[::1]:1'\n", "vext.toml:2: there is no setting \"lissten\""),
            ("config = 'x'", "vext.toml:1: there is no setting \"config\""),
            ("[server]\nlisten = 1", "vext.toml:1: there is no setting \"server\""),
            (
                "\nlisten = 'here'",
                "vext.toml:2: listen: invalid value 'here' for '--listen <ADDRESS>': invalid socket address syntax",
            ),
            ("log-format = 'xml'", "vext.toml:1: log-format: invalid value 'xml'"),
            ("tenant-ai = 'perhaps'", "vext.toml:1: tenant-ai: invalid value 'perhaps'"),
            ("readers = 0", "vext.toml:1: readers: invalid value '0'"),
            ("readers = 1.5", "vext.toml:1: readers must be a text, a whole number"),
            ("listen = ['[::1]:1', '[::1]:2']", "vext.toml:1: listen: takes one value"),
            ("a = 1\nb = ", "vext.toml:2: "),
        ] {
            let why = ConfigFile::parse("vext.toml", file).unwrap_err();
            assert!(why.starts_with(said) && !why.contains('\n'), "{file:?}: {why}");
        }
        assert!(ConfigFile::find(Some(Path::new("/none.toml"))).unwrap_err().starts_with("cannot read /none.toml: "));
    }

    #[test]
    fn a_bad_address_is_named_with_its_flag() {
        let why = serve(&["--listen", "8080"], "").unwrap_err();
        assert!(why.contains("'8080'") && why.contains("--listen"), "{why}");
    }

    #[test]
    fn backups_need_all_three_options_or_none() {
        let schedule = |flags: &[&str]| {
            let args = ["vext", "serve"].iter().chain(flags).map(OsString::from);
            match Cli::over(None, args).map_err(|e| e.to_string())?.command {
                cli::Command::Serve(serve) => serve.backups.schedule(),
                other => panic!("serve, not {other:?}"),
            }
        };
        assert!(schedule(&[]).unwrap().is_none());
        let all = ["--backup-every", "1h 30m", "--backup-keep", "7", "--backup-dir", "b"];
        let found = schedule(&all).unwrap().unwrap();
        assert_eq!((found.every.as_secs(), found.keep.get(), found.folder), (5400, 7, "b".into()));
        for some in [&all[..2], &all[2..4], &all[4..], &all[..4], &all[2..]] {
            assert!(schedule(some).unwrap_err().contains("belong together"), "{some:?}");
        }
        for bad in ["1", "soon", "1h ago", "0s", "500ms"] {
            assert!(schedule(&["--backup-every", bad]).unwrap_err().contains("such as 300ms, 5s or 24h"), "{bad}");
        }
    }

    #[test]
    fn every_option_has_a_flag_a_variable_a_key_and_a_meaning() {
        for Known { arg, commands } in options() {
            let long = arg.get_long().unwrap_or_else(|| panic!("{arg}: no long flag")).to_uppercase().replace('-', "_");
            let variable = arg.get_env().unwrap_or_else(|| panic!("{arg}: no variable")).to_str().unwrap();
            let group = commands[0].split(' ').next().unwrap().to_uppercase();
            let names = [format!("VEXT_{long}"), format!("VEXT_{group}_{long}")];
            assert!(names.iter().any(|name| name == variable), "{arg}: {variable} is none of {names:?}");
            assert!(key(&arg).is_some() || variable == "VEXT_CONFIG", "{arg}: no key");
            assert!(arg.get_help().is_some_and(|help| help.to_string().len() > 15), "{arg}: no meaning");
        }
    }

    #[test]
    fn every_key_is_accepted_in_the_file() {
        for Known { arg, .. } in options() {
            let Some(key) = key(&arg) else { continue };
            let value = match arg.get_default_values() {
                [] if matches!(arg.get_action(), ArgAction::SetTrue) => "true".into(),
                [] if arg.get_value_names().is_some_and(|names| names[0] == "DURATION") => "'24h'".into(),
                [] if arg.get_value_names().is_some_and(|names| names[0] == "ORIGIN") => "'https://a.example'".into(),
                [] if arg.get_value_names().is_some_and(|names| names[0] == "NETWORK") => "'10.0.0.0/8'".into(),
                [] if arg.get_value_names().is_some_and(|names| names[0] == "ADDRESS") => "'[::1]:1'".into(),
                [] if arg.get_value_names().is_some_and(|names| names[0] == "URL") => "'http://[::1]:1'".into(),
                [] => "'1'".into(),
                [value, ..] => format!("'{}'", value.display()),
            };
            ConfigFile::parse("vext.toml", &format!("{key} = {value}")).unwrap();
        }
    }

    #[test]
    fn options_that_share_a_variable_are_the_same_option() {
        fn walk(command: &Command, seen: &mut BTreeMap<OsString, String>) {
            for arg in command.get_arguments().filter_map(|arg| Some((arg.get_env()?, arg))) {
                let told = format!("{:?} {:?} {:?}", arg.1.get_long(), arg.1.get_help(), arg.1.get_default_values());
                assert_eq!(seen.entry(arg.0.into()).or_insert_with(|| told.clone()), &told);
            }
            command.get_subcommands().for_each(|inner| walk(inner, seen));
        }
        walk(&Cli::command(), &mut BTreeMap::new());
    }

    #[test]
    fn a_url_names_a_file_or_a_server() {
        for (url, path) in [
            ("sqlite:vext.db", "vext.db"),
            ("sqlite:///var/lib/vext.db", "/var/lib/vext.db"),
            ("/var/lib/vext.db", "/var/lib/vext.db"),
            ("data/a:b.db", "data/a:b.db"),
        ] {
            assert!(matches!(database(url).unwrap(), Database::Sqlite(found) if found == Path::new(path)), "{url}");
        }
        for (url, said) in [
            ("postgres://me:secret@db:x/vext", "cannot be read"),
            ("mysql://me:secret@db/vext", "no engine for mysql:"),
            ("sqlite::memory:", "path of a file"),
            ("sqlite:", "path of a file"),
            ("", "path of a file"),
        ] {
            let why = database(url).unwrap_err();
            assert!(why.contains(said) && !why.contains("secret"), "{url}: {why}");
        }
        assert_eq!(key_beside(&database("/a/vext.db").unwrap()), Path::new("/a/vext.db.key"));
    }

    #[test]
    fn the_reference_has_a_row_per_option() {
        let page = config_reference();
        assert!(
            page.contains("| `--readers` | `VEXT_READERS` | `readers` | one per core | Number of threads"),
            "{page}"
        );
        assert!(page.contains("| `--log-format` | `VEXT_LOG_FORMAT` | `log-format` | `text` |"), "{page}");
        assert_eq!(page.lines().filter(|line| line.starts_with("| `--")).count(), options().len());
    }
}
