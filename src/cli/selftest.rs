//! `vext selftest`.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, Error};

use super::output::{CommandResult, print, table};
use super::progress::Bar;
use crate::domain::duration_at_least;
use crate::selftest::{Report, ReportRow, ServerUrl, Settings, TestVerdict, run};

/// Test a running server from outside: what it refuses, what it hides, and that it survives.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  vext selftest --url https://pbx.example.com      without a token, through the proxy
  VEXT_SELFTEST_TOKEN=… vext selftest --url https://pbx.example.com --tenant ACME
  vext selftest --url https://localhost:8443 --ca-file ca.pem

Changes nothing and puts little load on the server: fewer than 200 requests, one after the other. Checks that
need a token are skipped without one. Exits with 1 if any check fails.")]
pub struct Selftest {
    /// Server to test: `https://HOST` or `http://HOST:PORT`, with the API's path unless it is `/graphql`.
    #[arg(
        long,
        env = "VEXT_SELFTEST_URL",
        value_name = "URL",
        help_heading = "Server to test",
        hide_env_values = true
    )]
    url: String,

    /// Token for the server; put it in the variable to hide it from other users of the machine.
    #[arg(
        long,
        env = "VEXT_SELFTEST_TOKEN",
        value_name = "TOKEN",
        help_heading = "Server to test",
        hide_env_values = true
    )]
    token: Option<String>,

    /// Code of the tenant to select, for a token that is valid for several.
    #[arg(long, env = "VEXT_SELFTEST_TENANT", value_name = "CODE", help_heading = "Server to test")]
    tenant: Option<String>,

    /// PEM file with the certificate authorities, or the certificate, to trust instead of the system's authorities.
    #[arg(long, env = "VEXT_SELFTEST_CA_FILE", value_name = "FILE", help_heading = "Server to test")]
    ca_file: Option<PathBuf>,

    /// How long each answer may take.
    #[arg(long, env = "VEXT_SELFTEST_TIMEOUT", value_name = "DURATION", help_heading = "Server to test",
        default_value = "5s", value_parser = duration_at_least(Duration::from_secs(1)))]
    timeout: Duration,
}

impl Selftest {
    pub(super) fn run(self) -> CommandResult {
        let settings = self.settings().map_err(|said| Error::raw(ErrorKind::ValueValidation, said))?;
        let bar = Bar::new();
        let report = run(settings, |done, total| bar.at("trying", done, total))?;
        drop(bar);
        print(&told(&report))?;
        Ok(if count(&report, TestVerdict::Failed) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Read here and not by clap, which would repeat what is wrong: a URL may hold a password, and a token is one.
    fn settings(self) -> Result<Settings, String> {
        let Self { url, token, tenant, ca_file: authorities, timeout } = self;
        let target = ServerUrl::parse(&url).map_err(|rule| format!("--url {rule}"))?;
        for (option, value) in [("--token", &token), ("--tenant", &tenant)] {
            // What a header can hold.
            let fits = |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
            if !value.as_ref().is_none_or(fits) {
                return Err(format!("{option} must be of visible ASCII characters, at least one"));
            }
        }
        Ok(Settings { target, token, tenant, authorities, patience: timeout })
    }
}

fn count(report: &Report, verdict: TestVerdict) -> usize {
    report.rows.iter().filter(|row| row.verdict == verdict).count()
}

fn told(report: &Report) -> String {
    let cells = |row: &ReportRow| {
        let took = format!("{} ms", row.took.as_millis());
        let words = [row.verdict.word(), row.group, row.check, row.expected, &row.seen, &took];
        words.map(str::to_owned)
    };
    let head = ["", "GROUP", "CHECK", "EXPECTED", "SEEN", "TIME"];
    let mut text = table(head, report.rows.iter().map(cells));
    let [ok, failed, skipped, noted] = [TestVerdict::Ok, TestVerdict::Failed, TestVerdict::Skipped, TestVerdict::Noted]
        .map(|verdict| count(report, verdict));
    _ = writeln!(text, "\n{ok} ok, {failed} failed, {skipped} skipped, {noted} noted; {} requests.", report.requests);
    text
}
