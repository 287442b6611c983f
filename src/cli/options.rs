//! Lists the options of all commands, from the definition of the command line.

use std::ffi::OsString;

use clap::{Arg, Command};

/// One option, and the commands that take it.
pub(super) struct OptionUsage {
    pub(super) arg: Arg,
    pub(super) commands: Vec<String>,
}

/// All options of a program, each once, in the order in which its commands declare them.
pub(super) fn options(program: &Command) -> Vec<OptionUsage> {
    fn walk(command: &Command, path: &str, known: &mut Vec<OptionUsage>) {
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            match known.iter_mut().find(|option| option.arg.get_env() == arg.get_env()) {
                Some(option) => option.commands.push(path.to_owned()),
                None => known.push(OptionUsage { arg: arg.clone(), commands: vec![path.to_owned()] }),
            }
        }
        for inner in command.get_subcommands() {
            walk(inner, format!("{path} {}", inner.get_name()).trim_start(), known);
        }
    }
    let mut known = Vec::new();
    walk(program, "", &mut known);
    known
}

/// The `VEXT_…` variables that belong to no option of a program.
pub(super) fn unknown_variables(program: &Command, names: impl Iterator<Item = OsString>) -> Vec<String> {
    let known = options(program);
    let is_known = |name: &OsString| known.iter().any(|option| option.arg.get_env() == Some(name.as_os_str()));
    let ours = names.filter(|name| name.as_encoded_bytes().starts_with(b"VEXT_") && !is_known(name));
    let mut unknown: Vec<_> = ours.map(|name| name.display().to_string()).collect();
    unknown.sort();
    unknown
}

/// The file's key for an option: `log-format` for `VEXT_LOG_FORMAT`. Only `VEXT_CONFIG`, the file's own path, has none.
pub(super) fn file_key(arg: &Arg) -> Option<String> {
    let variable = arg.get_env()?.to_str()?.strip_prefix("VEXT_")?;
    (variable != "CONFIG").then(|| variable.to_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn every_option_has_a_flag_a_variable_a_key_and_a_meaning() {
        for OptionUsage { arg, commands } in options(&Cli::command()) {
            let long = arg.get_long().unwrap_or_else(|| panic!("{arg}: no long flag")).to_uppercase().replace('-', "_");
            let variable = arg.get_env().unwrap_or_else(|| panic!("{arg}: no variable")).to_str().unwrap();
            let group = commands[0].split(' ').next().unwrap().to_uppercase();
            let names = [format!("VEXT_{long}"), format!("VEXT_{group}_{long}")];
            assert!(names.iter().any(|name| name == variable), "{arg}: {variable} is none of {names:?}");
            assert!(file_key(&arg).is_some() || variable == "VEXT_CONFIG", "{arg}: no key");
            assert!(arg.get_help().is_some_and(|help| help.to_string().len() > 15), "{arg}: no meaning");
        }
    }

    #[test]
    fn options_that_share_a_variable_are_the_same_option() {
        fn walk(command: &Command, seen: &mut BTreeMap<OsString, String>) {
            for arg in command.get_arguments().filter_map(|arg| Some((arg.get_env()?, arg))) {
                let description =
                    format!("{:?} {:?} {:?}", arg.1.get_long(), arg.1.get_help(), arg.1.get_default_values());
                assert_eq!(seen.entry(arg.0.into()).or_insert_with(|| description.clone()), &description);
            }
            command.get_subcommands().for_each(|inner| walk(inner, seen));
        }
        walk(&Cli::command(), &mut BTreeMap::new());
    }
}
