//! `vext doctor`.

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::Args;

use super::file::ConfigFile;
use super::output::{CommandResult, print};
use super::progress::Bar;
use super::serve::Serve;
use crate::domain::Environment;
use crate::operations::doctor::{self, DATABASE_CHECKS, Deployment, DoctorCheck, DoctorVerdict, OperatorFile};

/// The text below the options in the help.
pub(super) const HELP: &str = "\
Example:
  sudo -u vext vext doctor --config /etc/vext/vext.toml

Takes the options of `vext serve`, writes nothing, and exits with 1 if anything fails.";

/// Check that everything is in order for `vext serve`: settings, files, database, clock, disk and backups.
#[derive(Args, Debug)]
pub struct Doctor {
    /// The options of `vext serve`.
    #[command(flatten)]
    serve: Serve,

    /// The settings file that was read.
    #[arg(skip)]
    pub(super) file: Option<ConfigFile>,

    /// The `VEXT_…` variables that belong to no option.
    #[arg(skip)]
    pub(super) unknown_variables: Vec<String>,
}

impl Doctor {
    pub(super) fn run(self) -> CommandResult {
        let Self { serve, file, unknown_variables } = self;
        let mut checks = vec![settings(file.as_ref()), variables(&unknown_variables), options(&serve)];
        checks.push(doctor::address(serve.server.listen, serve.server.watch.metrics_listen));
        match deployment(&serve, file.as_ref()) {
            Ok(deployment) => {
                let bar = Bar::new();
                let mut progress = |stage, done, total| {
                    bar.update(stage, done, total);
                    Ok(())
                };
                checks.extend(doctor::examine(&deployment, &mut progress));
            }
            // The check "options" has reported the problem.
            Err(_) => checks
                .extend(DATABASE_CHECKS.map(|name| DoctorCheck::skipped(name, "The options do not name a database."))),
        }
        let (text, code) = render(&checks);
        print(&text)?;
        Ok(code)
    }
}

fn deployment(serve: &Serve, file: Option<&ConfigFile>) -> Result<Deployment, String> {
    let settings = file.map(|file| OperatorFile { path: file.path().to_owned(), is_secret: file.contains_secret() });
    let documents = serve.documents.trusted_documents.clone().map(|path| OperatorFile { path, is_secret: false });
    Ok(Deployment {
        database: serve.database.database()?,
        key_file: serve.database.key_path()?,
        schedule: serve.backups.schedule(),
        files: settings.into_iter().chain(documents).collect(),
        environment: Environment::system(),
    })
}

/// Reports the settings file. A file with a mistake was refused before the command started.
fn settings(file: Option<&ConfigFile>) -> DoctorCheck {
    DoctorCheck::new("settings").or_ok(match file {
        Some(file) => format!("{} was read.", file.path().display()),
        None => "There is no settings file: flags, variables and defaults apply.".into(),
    })
}

/// Reports unknown variables: a misspelt variable is otherwise ignored without a message.
fn variables(unknown: &[String]) -> DoctorCheck {
    let mut check = DoctorCheck::new("environment");
    if !unknown.is_empty() {
        check.warn(format!("No option uses {}: check the spelling.", unknown.join(", ")));
    }
    check.or_ok("Every VEXT_… variable belongs to an option.")
}

/// Reports the problems with the options that `serve` would report at its start, and risks that it would not report.
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
            "--listen {listen} can be reached from other machines over plain HTTP: let only a TLS proxy connect to it."
        ));
    }
    if let Some(metrics) = metrics.filter(|metrics| !metrics.ip().is_loopback()) {
        check.warn(format!(
            "--metrics-listen {metrics} can be reached from other machines without a token: block them."
        ));
    }
    check.or_ok(match serve.documents.trusted_documents {
        Some(_) => {
            let valid = if documents == 1 { "document is valid" } else { "documents are valid" };
            format!("`vext serve` accepts them; {documents} trusted {valid}.")
        }
        None => "`vext serve` accepts them.".into(),
    })
}

/// The text of the checks, a line for each and a summary, and the exit code.
fn render(checks: &[DoctorCheck]) -> (String, ExitCode) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for DoctorCheck { name, verdict, messages, details } in checks {
        _ = writeln!(text, "{verdict:4}  {name:width$}  {}", messages.join(" "));
        for detail in details {
            _ = writeln!(text, "{:1$}{detail}", "", width + 8);
        }
    }
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (warn, fail) = (count(DoctorVerdict::Warn), count(DoctorVerdict::Fail));
    let warnings = format!("{warn} {}", if warn == 1 { "warning" } else { "warnings" });
    _ = match (fail, warn) {
        (0, 0) => writeln!(text, "Everything is in order."),
        (0, _) => writeln!(text, "Nothing is broken; {warnings}."),
        _ => writeln!(text, "{fail} {} failed; {warnings}.", if fail == 1 { "check" } else { "checks" }),
    };
    (text, if fail == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
