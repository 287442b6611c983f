//! The settings and their sources, in order of precedence: flag, environment variable, file, default.
//!
//! An option is declared once, as a field with its `#[arg(long, env = "VEXT_…", default_value = …)]`. Clap gives a flag
//! precedence over the environment, and the environment precedence over the default. A value from the file replaces the
//! default (`cli/file.rs`), so one parser reads every value and there is no second list of options.
//!
//! To add an option, add a documented field here if several commands share it, otherwise in the command's own struct in
//! `cli/`. The file's key is derived from the variable (`cli/options.rs`), and `docs/configuration.md` from both.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tracing_subscriber::EnvFilter;

use crate::domain::duration_at_least;
use crate::http::WatchOptions;
use crate::operations::BackupSchedule;
use crate::store::{Database, PostgresServer};

/// Where the data is.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Database")]
pub struct DatabaseSettings {
    /// Database to use: `sqlite:PATH`, a plain path, or `postgres://USER@HOST/NAME`.
    #[arg(long, env = "VEXT_DATABASE", value_name = "URL", default_value = "sqlite:vext.db", hide_env_values = true)]
    pub database: String,

    /// File with the key that seals the secrets the server must read back; created with a new database
    /// [default: DATABASE.key, or vext.key for PostgreSQL]
    #[arg(long, env = "VEXT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

impl DatabaseSettings {
    /// The database that `--database` names.
    pub fn database(&self) -> Result<Database, String> {
        parse_database(&self.database)
    }

    /// The path of the key file, by default beside the database.
    pub fn key_path(&self) -> Result<PathBuf, String> {
        self.key_file.clone().map_or_else(|| Ok(default_key_path(&self.database()?)), Ok)
    }
}

/// Parses a database URL. Errors do not repeat the URL, because it may contain a password.
pub fn parse_database(url: &str) -> Result<Database, String> {
    let path = match url.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some(("postgres" | "postgresql", _)) => return Ok(Database::Postgres(PostgresServer::parse(url)?)),
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+') => {
            return Err(format!("--database: {scheme}: URLs are not supported; use sqlite:PATH or postgres://…"));
        }
        _ => url,
    };
    // SQLite would open a database in memory, one per connection, or read it as a URI.
    if path.is_empty() || path == ":memory:" || path.starts_with("file:") {
        return Err("--database: must be the path of a file, such as sqlite:vext.db".into());
    }
    Ok(Database::Sqlite(path.into()))
}

/// The default key file of a database: `vext.db.key` for `vext.db`, and `vext.key` in the working directory for a
/// PostgreSQL database.
pub fn default_key_path(database: &Database) -> PathBuf {
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
    /// Address and port to listen on, or only a port, for this machine alone; port 0 picks a free one.
    #[arg(long, env = "VEXT_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
        value_parser = listen_address)]
    pub listen: SocketAddr,

    /// Number of threads that read the database; eight times as many with PostgreSQL [default: one per core]
    #[arg(long, env = "VEXT_READERS", value_name = "COUNT")]
    pub readers: Option<NonZeroUsize>,

    /// How long running requests may take to finish after SIGTERM or Ctrl-C.
    #[arg(long, env = "VEXT_SHUTDOWN_GRACE", value_name = "DURATION", default_value = "10s",
        value_parser = duration_at_least(Duration::ZERO))]
    pub shutdown_grace: Duration,

    /// How long to keep accepting requests after SIGTERM while `/readyz` already fails, for load balancers.
    #[arg(long, env = "VEXT_SHUTDOWN_DELAY", value_name = "DURATION", default_value = "0s",
        value_parser = duration_at_least(Duration::ZERO))]
    pub shutdown_delay: Duration,

    /// What the server reports about its work.
    #[command(flatten)]
    pub watch: WatchOptions,
}

impl ServerSettings {
    /// The number of reader threads, by default one per core.
    pub fn readers(&self) -> usize {
        self.readers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get)
    }
}

/// Automatic backups of a SQLite file.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Backups")]
pub struct BackupSettings {
    /// Interval between backups, such as `24h` or `90m`; needs the other two `--backup-` options.
    //
    // At least a second, because backups are named by the second.
    #[arg(long, env = "VEXT_BACKUP_EVERY", value_name = "DURATION",
        value_parser = duration_at_least(Duration::from_secs(1)))]
    pub backup_every: Option<Duration>,

    /// Number of backups to keep; older ones made by vext are deleted.
    #[arg(long, env = "VEXT_BACKUP_KEEP", value_name = "COUNT")]
    pub backup_keep: Option<NonZeroUsize>,

    /// Existing folder for the backups, on another disk or copied to one.
    #[arg(long, env = "VEXT_BACKUP_DIR", value_name = "FOLDER")]
    pub backup_dir: Option<PathBuf>,
}

impl BackupSettings {
    /// The schedule, if automatic backups are configured.
    pub fn schedule(&self) -> Result<Option<BackupSchedule>, String> {
        match (self.backup_every, self.backup_keep, &self.backup_dir) {
            (None, None, None) => Ok(None),
            (Some(every), Some(keep), Some(folder)) => Ok(Some(BackupSchedule { every, keep, folder: folder.clone() })),
            _ => Err("--backup-every, --backup-keep and --backup-dir belong together: give all three or none".into()),
        }
    }
}

/// What to log, and in which format. The log goes to stderr.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Log and settings")]
pub struct LogSettings {
    /// Format of log lines.
    #[arg(long, global = true, env = "VEXT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,

    /// What to log: a level, or levels per target such as `info,vext::store=debug`.
    #[arg(long, global = true, env = "VEXT_LOG_LEVEL", value_name = "FILTER", default_value = "info",
        value_parser = check_filter)]
    pub log_level: String,
}

impl LogSettings {
    /// The filter that `log_level` describes.
    pub fn filter(&self) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
        EnvFilter::builder().parse(&self.log_level)
    }
}

/// The levels of a log filter.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Checks a filter but returns its text, because clap needs values that can be cloned and a filter cannot. A word that is
/// not a level is an error: as a target it would silence all other targets.
fn check_filter(text: &str) -> Result<String, String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.contains(['=', '[']));
    for word in words {
        if !LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word)) {
            let levels = LEVELS.join(", ");
            return Err(format!("{word:?} is not a level; use {levels}, or TARGET=LEVEL such as vext::store=debug"));
        }
    }
    EnvFilter::builder().parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// Parses an address to listen on: `127.0.0.1:8080`, `[::1]:8080`, a name such as `localhost:8080`, or only a port of
/// 127.0.0.1. If a name has several addresses, the first IPv4 address is used, or else the first one.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let rule = "must be HOST:PORT, such as 127.0.0.1:8080, [::1]:8080 or localhost:8080, or a port";
    if text.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()) {
        return Err(rule.into());
    }
    let found: Vec<_> = text.to_socket_addrs().map_err(|error| format!("{rule}: {error}"))?.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| rule.into())
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LogFormat {
    /// Plain text, for people.
    Text,
    /// One JSON object per line, for log collectors.
    Json,
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;
    use crate::cli::{self, Cli};

    #[test]
    fn backups_need_all_three_options_or_none() {
        let schedule = |flags: &[&str]| {
            let args = ["vext", "serve"].iter().chain(flags).map(OsString::from);
            match Cli::from_args(None, args).map_err(|e| e.to_string())?.command {
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
    fn a_word_that_is_no_level_is_refused() {
        for text in ["info", "WARN", "off", "info,vext::store=debug", "vext=trace, warn", "vext[request]=debug"] {
            assert_eq!(check_filter(text).as_deref(), Ok(text));
        }
        for (text, word) in [("warning", "warning"), ("", ""), ("info,verbose", "verbose"), ("vext::cli", "vext::cli")]
        {
            let why = check_filter(text).unwrap_err();
            assert!(why.starts_with(&format!("{word:?} is not a level; use off, error, warn")), "{text}: {why}");
        }
        assert!(check_filter("vext=loud").is_err());
    }

    #[test]
    fn an_address_to_listen_on_may_be_a_port_or_a_name() {
        for (text, address) in [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("[::1]:80", "[::1]:80"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("8080", "127.0.0.1:8080"),
            ("localhost:8080", "127.0.0.1:8080"),
        ] {
            assert_eq!(listen_address(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["", "here", "70000", "127.0.0.1", "127.0.0.1:x", ":8080", "::1", "no.such.host.invalid:80"] {
            assert!(listen_address(text).unwrap_err().starts_with("must be HOST:PORT"), "{text}");
        }
    }

    #[test]
    fn a_url_names_a_file_or_a_server() {
        for (url, path) in [
            ("sqlite:vext.db", "vext.db"),
            ("sqlite:///var/lib/vext.db", "/var/lib/vext.db"),
            ("/var/lib/vext.db", "/var/lib/vext.db"),
            ("data/a:b.db", "data/a:b.db"),
        ] {
            assert!(
                matches!(parse_database(url).unwrap(), Database::Sqlite(found) if found == Path::new(path)),
                "{url}"
            );
        }
        for (url, words) in [
            ("postgres://me:secret@db:x/vext", "cannot be read"),
            ("mysql://me:secret@db/vext", "mysql: URLs are not supported"),
            ("sqlite::memory:", "path of a file"),
            ("sqlite:", "path of a file"),
            ("", "path of a file"),
        ] {
            let why = parse_database(url).unwrap_err();
            assert!(why.contains(words) && !why.contains("secret"), "{url}: {why}");
        }
        assert_eq!(default_key_path(&parse_database("/a/vext.db").unwrap()), Path::new("/a/vext.db.key"));
    }
}
