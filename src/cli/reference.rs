//! Generates the page `docs/configuration.md`.

use std::fmt::Write as _;

use clap::{ArgAction, CommandFactory as _};

use super::Cli;
use super::options::{OptionUsage, file_key, options};

/// The page `docs/configuration.md`, generated from the definition of the command line.
pub fn config_reference() -> String {
    let mut page = String::from(REFERENCE_HEAD);
    for OptionUsage { arg, commands } in options(&Cli::command()) {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        // A computed default is in the help text, in the form in which clap shows other defaults.
        let (meaning, computed) = help.trim_end_matches(']').split_once(" [default: ").unwrap_or((&help, ""));
        let fixed = arg.get_default_values().iter().map(|value| format!("`{}`", value.display()));
        let fixed = fixed.collect::<Vec<_>>().join(", ");
        let choices =
            arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect::<Vec<_>>();
        let cells = [
            format!("`--{}`", arg.get_long().unwrap_or_default()),
            format!("`{}`", arg.get_env().unwrap_or_default().display()),
            file_key(&arg).map(|key| format!("`{key}`")).unwrap_or_default(),
            match arg.get_action() {
                ArgAction::SetTrue => "`false`".into(),
                _ if fixed.is_empty() => computed.to_owned(),
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
    use super::*;

    #[test]
    fn the_reference_has_a_row_per_option() {
        let page = config_reference();
        assert!(
            page.contains("| `--readers` | `VEXT_READERS` | `readers` | one per core | Number of threads"),
            "{page}"
        );
        assert!(page.contains("| `--log-format` | `VEXT_LOG_FORMAT` | `log-format` | `text` |"), "{page}");
        assert_eq!(page.lines().filter(|line| line.starts_with("| `--")).count(), options(&Cli::command()).len());
    }
}
