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
use crate::selftest::{Report, ReportRow, SelftestSettings, ServerUrl, TestVerdict, run};

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
        let settings = self.settings().map_err(|rule| Error::raw(ErrorKind::ValueValidation, rule))?;
        let bar = Bar::new();
        let report = run(settings, |done, total| bar.update("testing", done, total))?;
        drop(bar);
        print(&render(&report))?;
        Ok(if count(&report, TestVerdict::Failed) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Parsed here and not by clap, whose errors repeat the value: a URL may contain a password, and a token is secret.
    fn settings(self) -> Result<SelftestSettings, String> {
        let Self { url, token, tenant, ca_file, timeout } = self;
        let target = ServerUrl::parse(&url).map_err(|rule| format!("--url {rule}"))?;
        for (option, value) in [("--token", &token), ("--tenant", &tenant)] {
            // The characters that a header can contain.
            let is_valid = |value: &String| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
            if !value.as_ref().is_none_or(is_valid) {
                return Err(format!("{option} must be one or more visible ASCII characters"));
            }
        }
        Ok(SelftestSettings { target, token, tenant, ca_file, timeout })
    }
}

fn count(report: &Report, verdict: TestVerdict) -> usize {
    report.rows.iter().filter(|row| row.verdict == verdict).count()
}

/// The table of the report, and a summary.
fn render(report: &Report) -> String {
    let cells = |row: &ReportRow| {
        let took = format!("{} ms", row.took.as_millis());
        let cells = [row.verdict.word(), row.group, row.check, row.expected, &row.found, &took];
        cells.map(str::to_owned)
    };
    let head = ["", "GROUP", "CHECK", "EXPECTED", "FOUND", "TIME"];
    let mut text = table(head, report.rows.iter().map(cells));
    let [ok, failed, skipped, noted] = [TestVerdict::Ok, TestVerdict::Failed, TestVerdict::Skipped, TestVerdict::Noted]
        .map(|verdict| count(report, verdict));
    _ = writeln!(text, "\n{ok} ok, {failed} failed, {skipped} skipped, {noted} noted; {} requests.", report.requests);
    text
}
