//! Looks a deployment over, also while its server runs: nothing is written, made or migrated.
//!
//! How to add a check: a function that gives a [`Check`], called in [`examine`], and a test in `tests/it/doctor.rs` that
//! breaks just what it looks at.

mod address;
mod backups;
mod content;
mod disk;
mod files;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::schedule::Schedule;
use crate::domain::Environment;
use crate::store::{Database, Progress};

/// What is deployed.
pub struct Deployment {
    /// Where the data is.
    pub database: Database,
    /// The file with the key.
    pub key_file: PathBuf,
    /// The backups that the server takes by itself; or that what was said of them makes no sense.
    pub schedule: Result<Option<Schedule>, String>,
    /// What else the server reads.
    pub files: Vec<OwnFile>,
    /// Time and chance.
    pub environment: Environment,
}

/// A file that the operator has written.
#[derive(Clone, Debug)]
pub struct OwnFile {
    /// Where it is.
    pub path: PathBuf,
    /// Whether it holds a password or a token.
    pub is_secret: bool,
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It could not be looked at, because of something else.
    Skip,
    /// It works, and should be changed even so.
    Warn,
    /// It does not work, or not for long, or lets in whom it must not.
    Fail,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        })
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at, in one word.
    pub name: &'static str,
    /// The worst that was found.
    pub verdict: Verdict,
    /// What was found and, where it is not well, what to do.
    pub said: Vec<String>,
    /// Each thing that is wrong, where there may be many.
    pub details: Vec<String>,
}

impl Check {
    /// A check that has found nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self { name, verdict: Verdict::Ok, said: Vec::new(), details: Vec::new() }
    }

    /// Something else keeps it from being looked at.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skip, said: vec![why.into()], ..Self::new(name) }
    }

    /// A check that has found this at once.
    pub fn failed(name: &'static str, why: impl Into<String>) -> Self {
        let mut check = Self::new(name);
        check.fail(why);
        check
    }

    /// It does not work.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.found(Verdict::Fail, why.into());
    }

    /// It works, and should be changed.
    pub fn warn(&mut self, why: impl Into<String>) {
        self.found(Verdict::Warn, why.into());
    }

    fn found(&mut self, verdict: Verdict, why: String) {
        self.verdict = self.verdict.max(verdict);
        self.said.push(why);
    }

    /// The check, with what it says when nothing was wrong.
    #[must_use]
    pub fn or(mut self, well: impl Into<String>) -> Self {
        if self.said.is_empty() {
            self.said.push(well.into());
        }
        self
    }
}

/// What [`examine`] looks at, in its order.
pub const NAMES: [&str; 9] = ["user", "modes", "database", "key", "schema", "integrity", "clock", "disk", "backups"];

/// Looks at everything that belongs to a database. A check that fails keeps no other from being made, but those that
/// need what it has not found.
pub fn examine(deployment: &Deployment, progress: &mut Progress<'_>) -> Vec<Check> {
    let mut checks = vec![files::user(deployment), files::modes(deployment)];
    checks.extend(content::examine(deployment, progress));
    checks.push(disk::disk(deployment));
    checks.push(backups::backups(deployment));
    checks
}

/// Looks whether the server can listen, or answers already, at the address of `--listen` and at that of the metrics.
pub fn address(listen: SocketAddr, metrics: Option<SocketAddr>) -> Check {
    address::address(listen, metrics)
}
