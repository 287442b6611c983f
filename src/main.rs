//! The `vext` command: reads the settings, starts the log, runs one command, and reports a failure in one sentence.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use vext::cli::{Cli, Failure};
use vext::config::{LogFormat, LogSettings};

fn main() -> ExitCode {
    run().unwrap_or_else(|failure| match failure.downcast::<clap::Error>() {
        Ok(usage) => usage.exit(),
        Err(failure) => {
            // If stderr is closed, the exit code still reports the failure.
            _ = writeln!(io::stderr(), "vext: {failure}");
            ExitCode::FAILURE
        }
    })
}

fn run() -> Result<ExitCode, Failure> {
    let cli = Cli::read(std::env::args_os())?;
    start_log(&cli.log)?;
    for variable in &cli.unknown_variables {
        tracing::warn!(target: "vext::cli", variable, "this environment variable is not a setting");
    }
    cli.command.run()
}

/// Sends the log to stderr, so that stdout has only the output of the command.
fn start_log(settings: &LogSettings) -> Result<(), Failure> {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(settings.filter()?)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal() && !no_color);
    match settings.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}
