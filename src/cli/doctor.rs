//! `vext doctor`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::file::ConfigFile;
use super::output::{CommandResult, print};
use super::progress::Bar;
use super::serve::Serve;
use crate::domain::Environment;
use crate::operations::doctor::{self, Deployment, DoctorCheck, DoctorVerdict, NAMES, OwnFile};

/// The text below the options in the help.
pub(super) const HELP: &str = "\
Example:
  sudo -u vext vext doctor --config /etc/vext/vext.toml

Takes the options of `vext serve`, writes nothing, and exits with 1 if anything fails.";

/// Check that everything is in order for `vext serve`: settings, files, database, clock, disk and backups.
#[derive(Args, Debug)]
pub struct Doctor {
    /// What would be served.
    #[command(flatten)]
    serve: Serve,

    /// The settings file that was read.
    #[arg(skip)]
    pub(super) file: Option<ConfigFile>,

    /// The variables that look like options but are not.
    #[arg(skip)]
    pub(super) unknown: Vec<String>,
}

impl Doctor {
    pub(super) fn run(self) -> CommandResult {
        let Self { serve, file, unknown } = self;
        let mut checks = vec![settings(file.as_ref()), variables(&unknown), options(&serve)];
        checks.push(doctor::address(serve.server.listen, serve.server.watch.metrics_listen));
        match deployment(&serve, file.as_ref()) {
            Ok(deployment) => {
                let bar = Bar::new();
                let mut progress = |what, done, total| {
                    bar.at(what, done, total);
                    Ok(())
                };
                checks.extend(doctor::examine(&deployment, &mut progress));
            }
            // What is wrong with the options has been said.
            Err(_) => checks.extend(NAMES.map(|name| DoctorCheck::skipped(name, "The options name no database."))),
        }
        let (text, code) = told(&checks);
        print(&text)?;
        Ok(code)
    }
}

fn deployment(serve: &Serve, file: Option<&ConfigFile>) -> Result<Deployment, String> {
    let settings = file.map(|file| OwnFile { path: file.path().to_owned(), is_secret: file.holds_a_secret() });
    let documents = serve.documents.trusted_documents.clone().map(|path| OwnFile { path, is_secret: false });
    Ok(Deployment {
        database: serve.database.database()?,
        key_file: serve.database.key_path()?,
        schedule: serve.backups.schedule(),
        files: settings.into_iter().chain(documents).collect(),
        environment: Environment::system(),
    })
}

/// A file with a mistake was refused before any command began.
fn settings(file: Option<&ConfigFile>) -> DoctorCheck {
    DoctorCheck::new("settings").or(match file {
        Some(file) => format!("{} was read.", file.path().display()),
        None => "There is no settings file: flags, variables and defaults hold.".into(),
    })
}

/// A variable with a typing error is a setting that does not hold, and nobody says so.
fn variables(unknown: &[String]) -> DoctorCheck {
    let mut check = DoctorCheck::new("environment");
    if !unknown.is_empty() {
        check.warn(format!("No option reads {}: look for a typing error.", unknown.join(", ")));
    }
    check.or("Every variable VEXT_… is one that an option reads.")
}

/// What `serve` would say of its options when it starts, and what it would not say.
fn options(serve: &Serve) -> DoctorCheck {
    let mut check = DoctorCheck::new("options");
    let mut refused = |why: String| check.fail(format!("{}.", why.trim_end_matches('.')));
    let database = serve.database.database().map_err(&mut refused).ok();
    match (serve.backups.schedule(), database) {
        (Ok(Some(schedule)), Some(database)) => _ = schedule.check(&database).map_err(&mut refused),
        (Err(why), _) => refused(why),
        _ => {}
    }
    let documents = serve.documents.check(&serve.limits, serve.explorable).map_err(&mut refused).unwrap_or_default();
    let (listen, metrics) = (serve.server.listen, serve.server.watch.metrics_listen);
    if serve.explorable {
        check.warn("--explorable shows everybody the schema and the playground: leave it out in production.");
    }
    if !listen.ip().is_loopback() {
        check.warn(format!(
            "--listen {listen} is reached from other machines, in plain HTTP: let only a proxy that speaks TLS get there."
        ));
    }
    if let Some(metrics) = metrics.filter(|metrics| !metrics.ip().is_loopback()) {
        check.warn(format!(
            "--metrics-listen {metrics} is reached from other machines, without a token: keep them away."
        ));
    }
    check.or(match serve.documents.trusted_documents {
        Some(_) => {
            let valid = if documents == 1 { "document is valid" } else { "documents are valid" };
            format!("`vext serve` takes them; {documents} trusted {valid}.")
        }
        None => "`vext serve` takes them.".into(),
    })
}

/// A line for each check, and one that sums up; and the exit code for it.
fn told(checks: &[DoctorCheck]) -> (String, ExitCode) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for DoctorCheck { name, verdict, said, details } in checks {
        _ = writeln!(text, "{verdict:4}  {name:width$}  {}", said.join(" "));
        for detail in details {
            _ = writeln!(text, "{:1$}{detail}", "", width + 8);
        }
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (warn, fail) = (count(DoctorVerdict::Warn), count(DoctorVerdict::Fail));
    let warnings = format!("{warn} {}", if warn == 1 { "warning" } else { "warnings" });
    _ = match (fail, warn) {
        (0, 0) => writeln!(text, "All is in order."),
        (0, _) => writeln!(text, "Nothing is broken; {warnings}."),
        _ => writeln!(text, "Not all is in order: {fail} failed, {warnings}."),
    };
    (text, if fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
