//! `vext selftest`: tests the defences of a running server from the client's side, through any proxy and TLS in front
//! of it.
//!
//! It is safe for a server in use: it sends fewer than 200 requests, one at a time, with limits on time and size. No
//! request changes anything; a request that a server must refuse is harmless if it is accepted. It speaks HTTP and
//! WebSocket as any client does and uses none of the server's layers. Otherwise it would compare the program with
//! itself.
//!
//! To add a check, add an entry to the list of its group, with a function below if it is long. Each row of [`ATTACKS`]
//! is a check of its own.

mod admission;
mod answer;
mod attacks;
mod auth;
mod check;
mod client;
mod documents;
mod encodings;
mod headers;
mod health;
mod persisted;
mod production;
mod protocol;
mod request;
mod server_url;
mod settings;
mod socket;
mod streams;
mod transport;
mod verdict;
mod wire;

use self::check::ServerCheck;
use self::client::{NOT_TRUSTED, TestClient, UNAUTHENTICATED};
use self::verdict::{CheckResult, NotPassed, skipped};
use crate::domain::Stopwatch;

pub use attacks::{ATTACKS, Attack};
pub use server_url::ServerUrl;
pub use settings::SelftestSettings;
pub use verdict::{ReportRow, TestVerdict};

/// The result of a selftest.
pub struct Report {
    /// A row for each check, in order.
    pub rows: Vec<ReportRow>,
    /// How many requests were sent.
    pub requests: usize,
}

/// The checks of one topic.
struct CheckGroup {
    name: &'static str,
    attacks: &'static [Attack],
    checks: &'static [ServerCheck],
}

impl CheckGroup {
    const fn new(name: &'static str, checks: &'static [ServerCheck]) -> Self {
        Self { name, attacks: &[], checks }
    }

    /// The checks of the group, and last whether the server still answers.
    fn prepared_checks(&self) -> impl Iterator<Item = PreparedCheck> {
        let attacks = self.attacks.iter().map(|attack| PreparedCheck {
            name: attack.name,
            expected: admission::EXPECTED,
            run: Box::new(|client| admission::attack(client, attack)),
        });
        let checks = self.checks.iter().chain([&STILL_ANSWERS]);
        attacks.chain(checks.map(|check| PreparedCheck {
            name: check.name,
            expected: check.expected,
            run: Box::new(check.run),
        }))
    }
}

/// A check or an attack, ready to run.
struct PreparedCheck {
    name: &'static str,
    expected: &'static str,
    run: Box<dyn Fn(&TestClient) -> CheckResult>,
}

/// The groups, in the order in which they run. Valid tokens are sent before made-up ones: after a few wrong tokens, a
/// server refuses new tokens from an address for a while, but not a token that was valid from there before.
const GROUPS: [CheckGroup; 11] = [
    CheckGroup::new("health", health::CHECKS),
    CheckGroup::new("wire", wire::CHECKS),
    CheckGroup::new("protocol", protocol::CHECKS),
    CheckGroup::new("headers", headers::CHECKS),
    CheckGroup::new("encodings", encodings::CHECKS),
    CheckGroup::new("persisted", persisted::CHECKS),
    CheckGroup::new("streams", streams::CHECKS),
    CheckGroup::new("documents", documents::CHECKS),
    CheckGroup { name: "admission", attacks: ATTACKS, checks: admission::CHECKS },
    CheckGroup::new("auth", auth::CHECKS),
    CheckGroup::new("production", production::CHECKS),
];

/// The check after each group.
const STILL_ANSWERS: ServerCheck = ServerCheck {
    name: "still answers",
    expected: "200 to { __typename }, or asks for a token",
    run: |client| {
        let answer = client.send_retrying(&client.post("{ __typename }"))?;
        match answer.code() {
            Some(NOT_TRUSTED) => answer.pass(),
            Some(UNAUTHENTICATED) if client.token().is_err() => answer.pass(),
            _ => answer.expect_typename()?.pass(),
        }
    },
};

/// Runs all checks. Calls `progress` before each one with the number of checks done and the total.
///
/// # Errors
/// One sentence if no check could run: the server does not answer, or the file of authorities cannot be read.
pub fn run(settings: SelftestSettings, mut progress: impl FnMut(u64, u64)) -> Result<Report, String> {
    let client = TestClient::new(settings)?;
    let first = client.send_once(&client.post("{ __typename }"));
    first.map_err(|error| format!("{} does not answer: {error}", client.target.api()))?;
    let total = GROUPS.iter().map(|group| group.prepared_checks().count() as u64).sum();
    let (mut rows, mut server_lost) = (Vec::new(), false);
    for group in GROUPS {
        for PreparedCheck { name: check, expected, run } in group.prepared_checks() {
            progress(rows.len() as u64, total);
            let begun = Stopwatch::start();
            let judged = match server_lost {
                true => Err(skipped("not tried: the server no longer answers")),
                false => run(&client),
            };
            let (verdict, found) = match judged {
                Ok(found) => (TestVerdict::Ok, found),
                Err(NotPassed { verdict, found }) => (verdict, found),
            };
            rows.push(ReportRow { group: group.name, check, expected, found, verdict, took: begun.elapsed() });
        }
        server_lost = server_lost || client.send_once(&client.post("{ __typename }")).is_err();
    }
    Ok(Report { rows, requests: client.requests() })
}
