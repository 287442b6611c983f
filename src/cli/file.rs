//! The settings file, whose values replace the defaults of the options.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, Command};
use toml::Spanned;

use super::options::{OptionUsage, file_key, options};
use crate::config::parse_database;
use crate::store::Database;

/// Where the settings file is searched for without `--config`; only the first one that exists is read.
const DEFAULT_PATHS: [&str; 2] = ["vext.toml", "/etc/vext/vext.toml"];

/// A settings file: TOML without tables, one key per option.
pub struct ConfigFile {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
}

impl std::fmt::Debug for ConfigFile {
    /// Shows only the path, because a value may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.fmt(f)
    }
}

impl ConfigFile {
    /// Reads the file at `explicit`, which must exist, or else at the first default path that exists; `None` without
    /// one.
    pub fn find(explicit: Option<&Path>, program: &Command) -> Result<Option<Self>, String> {
        let default = || DEFAULT_PATHS.iter().map(Path::new).find(|path| path.exists());
        let Some(path) = explicit.or_else(default) else { return Ok(None) };
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        Self::parse(path, &text, program).map(Some)
    }

    /// Parses `text` with the options of the whole `program`, whatever command runs, so that a mistake in the file is
    /// reported at once and not when that command is first needed.
    pub fn parse(path: impl AsRef<Path>, text: &str, program: &Command) -> Result<Self, String> {
        let path = path.as_ref();
        let position = |start: usize| format!("{}:{}", path.display(), text[..start].matches('\n').count() + 1);
        let entries: BTreeMap<String, Spanned<toml::Value>> = toml::from_str(text)
            .map_err(|e| format!("{}: {}", position(e.span().map_or(0, |s| s.start)), one_line(e.message())))?;
        let known = options(program);
        let mut values = BTreeMap::new();
        for (key, value) in entries {
            let at = position(value.span().start);
            let option = known.iter().find(|option| file_key(&option.arg).as_ref() == Some(&key));
            let option = option.ok_or_else(|| {
                let likely = likely_key(&known, &key).map(|key| format!("; did you mean {key:?}?")).unwrap_or_default();
                format!("{at}: there is no setting {key:?}{likely}")
            })?;
            let texts = value_texts(value.get_ref())
                .ok_or_else(|| format!("{at}: {key} must be a string, an integer, true, false or a list of strings"))?;
            check(&option.arg, &texts).map_err(|why| format!("{at}: {key}: {why}"))?;
            values.insert(key, texts);
        }
        Ok(Self { path: path.to_owned(), values })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file contains a password or a token.
    pub fn contains_secret(&self) -> bool {
        self.values.iter().any(|(key, values)| match key.as_str() {
            "demo-token" => true,
            "database" => values
                .iter()
                .any(|url| matches!(parse_database(url), Ok(Database::Postgres(server)) if server.has_password())),
            _ => false,
        })
    }

    /// Replaces the defaults of `command` and all its subcommands by the values of the file.
    pub fn override_defaults(&self, command: Command) -> Command {
        command
            .mut_args(|arg| match file_key(&arg).and_then(|key| self.values.get(&key)) {
                Some(values) => with_default(arg, values),
                None => arg,
            })
            .mut_subcommands(|command| self.override_defaults(command))
    }
}

/// The key that was probably meant by an unknown one.
fn likely_key(known: &[OptionUsage], written: &str) -> Option<String> {
    let written = written.to_lowercase().replace('_', "-");
    let keys = known.iter().filter_map(|option| file_key(&option.arg));
    let likely = keys.map(|key| (strsim::jaro(&written, &key), key)).max_by(|one, other| one.0.total_cmp(&other.0));
    likely.filter(|(likeness, _)| *likeness > 0.8).map(|(_, key)| key)
}

fn with_default(arg: Arg, values: &[String]) -> Arg {
    arg.default_values(values.to_vec()).required(false)
}

/// Parses `values` as clap will, so that an error can name the file and the line.
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

fn value_texts(value: &toml::Value) -> Option<Vec<String>> {
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::process::Command as Process;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::{self, Cli};
    use crate::config::ServerSettings;

    fn parse(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse("vext.toml", text, &Cli::command())
    }

    /// The settings of `vext serve` with these flags over this file.
    fn serve(flags: &[&str], file: &str) -> Result<ServerSettings, String> {
        let args = ["vext", "serve"].iter().chain(flags).map(OsString::from);
        let file = parse(file)?;
        match Cli::from_args(Some(&file), args).map_err(|e| e.to_string())?.command {
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

    /// Runs itself again with the variable set, because a program cannot safely change its own environment.
    #[test]
    fn the_environment_wins_over_the_file_but_not_the_flag() {
        if std::env::var_os("VEXT_LISTEN").is_none_or(|value| value != "[::1]:2") {
            let name = "cli::file::tests::the_environment_wins_over_the_file_but_not_the_flag";
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
        let file = parse("tenant-code = 'ACME'\ntenant-name = 'Acme'\ntenant-ai = true").unwrap();
        let args = ["vext", "tenant", "create", "--name", "Acme Oil"].map(OsString::from);
        let cli::Command::Tenant(cli::TenantCommand::Create(tenant)) =
            Cli::from_args(Some(&file), args).unwrap().command
        else {
            panic!("tenant create")
        };
        assert_eq!((tenant.code.as_str(), tenant.name.as_str(), tenant.ai), ("ACME", "Acme Oil", true));
    }

    #[test]
    fn a_mistake_in_the_file_is_named_with_its_place() {
        for (file, expected) in [
            ("# ours\nlissten = '[::1]:1'\n", "vext.toml:2: there is no setting \"lissten\"; did you mean \"listen\"?"),
            ("log_level = 'info'", "vext.toml:1: there is no setting \"log_level\"; did you mean \"log-level\"?"),
            ("config = 'x'", "vext.toml:1: there is no setting \"config\""),
            ("[server]\nlisten = 1", "vext.toml:1: there is no setting \"server\""),
            (
                "\nlisten = 'here'",
                "vext.toml:2: listen: invalid value 'here' for '--listen <ADDRESS>': must be HOST:PORT, such as",
            ),
            ("log-format = 'xml'", "vext.toml:1: log-format: invalid value 'xml'"),
            ("tenant-ai = 'perhaps'", "vext.toml:1: tenant-ai: invalid value 'perhaps'"),
            ("readers = 0", "vext.toml:1: readers: invalid value '0'"),
            ("readers = 1.5", "vext.toml:1: readers must be a string, an integer"),
            ("listen = ['[::1]:1', '[::1]:2']", "vext.toml:1: listen: takes one value"),
            ("a = 1\nb = ", "vext.toml:2: "),
        ] {
            let why = parse(file).unwrap_err();
            assert!(why.starts_with(expected) && !why.contains('\n'), "{file:?}: {why}");
        }
        let why = ConfigFile::find(Some(Path::new("/none.toml")), &Cli::command()).unwrap_err();
        assert!(why.starts_with("cannot read /none.toml: "), "{why}");
    }

    #[test]
    fn a_bad_address_is_named_with_its_flag() {
        let why = serve(&["--listen", "here"], "").unwrap_err();
        assert!(why.contains("'here'") && why.contains("--listen"), "{why}");
    }

    #[test]
    fn every_key_is_accepted_in_the_file() {
        for OptionUsage { arg, .. } in options(&Cli::command()) {
            let Some(key) = file_key(&arg) else { continue };
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
            parse(&format!("{key} = {value}")).unwrap();
        }
    }
}
