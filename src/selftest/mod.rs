//! `vext selftest`: whether the door of a running server holds, seen from where its clients stand, through whatever
//! proxy and TLS there are.
//!
//! It is safe for a server that others use: one request after the other, fewer than 200, bounded in time and bytes, and
//! none that changes anything: what a server must refuse is harmless where it does not. It asks for nothing that the
//! program knows of itself, or it would compare the program with itself: it speaks HTTP and WebSocket as any client does
//! and uses none of the layers of the server.
//!
//! How to add a check: an entry in the list of its group, below which the longer ones have a function; a row of
//! [`ATTACKS`] is a check of its own.

mod admission;
mod answer;
mod ask;
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
mod settings;
mod socket;
mod streams;
mod target;
mod transport;
mod verdict;
mod wire;

use self::check::DoorCheck;
use self::client::{NOT_TRUSTED, TestClient, UNAUTHENTICATED};
use self::verdict::{Judged, Other, skipped};
use crate::domain::Stopwatch;

pub use attacks::{ATTACKS, Attack};
pub use settings::Settings;
pub use target::ServerUrl;
pub use verdict::{ReportRow, TestVerdict};

/// What came of it.
pub struct Report {
    /// A row for each check, in order.
    pub rows: Vec<ReportRow>,
    /// How many requests were sent.
    pub requests: usize,
}

/// Checks of one part of the door.
struct CheckGroup {
    name: &'static str,
    attacks: &'static [Attack],
    checks: &'static [DoorCheck],
}

impl CheckGroup {
    const fn new(name: &'static str, checks: &'static [DoorCheck]) -> Self {
        Self { name, attacks: &[], checks }
    }

    /// Its checks, and whether the server has survived them.
    fn tries(&self) -> impl Iterator<Item = Try> {
        let attacks = self.attacks.iter().map(|attack| Try {
            name: attack.name,
            expected: admission::EXPECTED,
            run: Box::new(|client| admission::attack(client, attack)),
        });
        let checks = self.checks.iter().chain([&ALIVE]);
        attacks.chain(checks.map(|check| Try { name: check.name, expected: check.expected, run: Box::new(check.run) }))
    }
}

/// A check or an attack.
struct Try {
    name: &'static str,
    expected: &'static str,
    run: Box<dyn Fn(&TestClient) -> Judged>,
}

/// In the order in which they are tried. Valid tokens come before made-up ones: an address from which few wrong ones came
/// is refused for a while, but not with a token that was valid there.
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

/// After each group.
const ALIVE: DoorCheck = DoorCheck {
    name: "still answers",
    expected: "200 to { __typename }, or asks for a token",
    run: |client| {
        let answer = client.reply(&client.post("{ __typename }"))?;
        match answer.code() {
            Some(NOT_TRUSTED) => answer.fine(),
            Some(UNAUTHENTICATED) if client.token().is_err() => answer.fine(),
            _ => answer.answers()?.fine(),
        }
    },
};

/// Tries everything, and tells before each check how many of how many are done.
///
/// # Errors
/// In one sentence, why nothing could be tried: the server does not answer, or the file of authorities cannot be read.
pub fn run(settings: Settings, mut progress: impl FnMut(u64, u64)) -> Result<Report, String> {
    let client = TestClient::new(settings)?;
    let first = client.try_send(&client.post("{ __typename }"));
    first.map_err(|error| format!("{} does not answer: {error}", client.target.api()))?;
    let total = GROUPS.iter().map(|group| group.tries().count() as u64).sum();
    let (mut rows, mut gone) = (Vec::new(), false);
    for group in GROUPS {
        for Try { name: check, expected, run } in group.tries() {
            progress(rows.len() as u64, total);
            let begun = Stopwatch::start();
            let judged = match gone {
                true => Err(skipped("not tried: the server does not answer any more")),
                false => run(&client),
            };
            let (verdict, seen) = match judged {
                Ok(seen) => (TestVerdict::Ok, seen),
                Err(Other { verdict, seen }) => (verdict, seen),
            };
            rows.push(ReportRow { group: group.name, check, expected, seen, verdict, took: begun.elapsed() });
        }
        gone = gone || client.try_send(&client.post("{ __typename }")).is_err();
    }
    Ok(Report { rows, requests: client.requests() })
}
