//! Checks the contents of the database: whether it can be read, whether key and schema match it, whether every row is
//! sound, and whether the clock agrees with the times of its rows.

use jiff::SignedDuration;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::domain::Sealer;
use crate::operations::backup::{migration_and_key, timestamp};
use crate::operations::verify::load_sealer;
use crate::store::{self, Database, DatabaseState, DatabaseView, Progress};

/// 2026-01-01T00:00:00Z, in milliseconds: this program was written later, so an earlier time is wrong.
const EARLIEST_TIME: i64 = 1_767_225_600_000;
/// The difference between two clocks that is not reported, in milliseconds.
const TOLERATED_SKEW: i64 = 5_000;
/// How far the newest row may be ahead of the clock before the check fails, in milliseconds.
const MAX_ROW_AHEAD: i64 = 5 * 60_000;
/// How far the database server's clock may differ from this machine's before the check fails, in milliseconds.
const MAX_SERVER_SKEW: i64 = 60_000;

/// The checks "database", "key", "schema", "integrity" and "clock".
pub(super) fn examine(deployment: &Deployment, progress: &mut Progress<'_>) -> [DoctorCheck; 5] {
    let database = &deployment.database;
    let key = load_sealer(&deployment.key_file, &deployment.environment);
    let mut readable = DoctorCheck::new("database");
    let findings = check_existence(database).and_then(|()| inspect(deployment, key.as_ref().ok(), progress));
    let findings = findings.map_err(|why| readable.fail(format!("{}.", why.trim_end_matches('.')))).ok();
    let key = self::key(deployment, &key, findings.as_ref());
    let clock = clock(deployment, findings.as_ref());
    let Some(findings) = findings else {
        let skipped = |name| DoctorCheck::skipped(name, "The database cannot be read.");
        return [readable, key, skipped("schema"), skipped("integrity"), clock];
    };
    let readable = readable.or_ok(match database {
        Database::Sqlite(path) => format!("{} can be read while others use it.", path.display()),
        Database::Postgres(server) => format!("{server} answers."),
    });
    [readable, key, schema(database, &findings), integrity(database, &findings), clock]
}

/// What one inspection of the database found.
struct DatabaseFindings {
    /// The last migration, and the key that seals the secrets; `None` when the tables cannot be read.
    identity: Option<(Option<String>, Option<String>)>,
    /// The migrations that the database is missing.
    lacking: Result<Vec<String>, String>,
    /// The problems of the file and its rows.
    problems: Vec<String>,
    rows: u64,
    /// Whether the rows were parsed.
    parsed: bool,
    /// Whether the sealed secrets were opened.
    opened: bool,
    /// The latest time in any row.
    newest: Option<i64>,
    /// How far the database server's clock is ahead of this machine's, in milliseconds.
    ahead: Option<i64>,
}

/// Checks that the database exists and has tables.
fn check_existence(database: &Database) -> Result<(), String> {
    match database {
        Database::Sqlite(path) if !path.exists() => {
            Err(format!("there is no database {}; `vext migrate` creates one", path.display()))
        }
        Database::Sqlite(path) if path.is_dir() => {
            Err(format!("{} is a directory, not a database file", path.display()))
        }
        Database::Sqlite(_) => Ok(()),
        Database::Postgres(_) => match database.inspect()? {
            DatabaseState::Empty => Err(format!("{database} has no tables; `vext migrate` creates them")),
            DatabaseState::Ours => Ok(()),
        },
    }
}

fn inspect(
    deployment: &Deployment,
    sealer: Option<&Sealer>,
    progress: &mut Progress<'_>,
) -> Result<DatabaseFindings, String> {
    let mut look = deployment.database.open_view()?;
    let findings = inspect_once(deployment, sealer, &mut *look, progress);
    if !look.is_disturbed() {
        return findings;
    }
    // A server was started during the inspection. The second time it is noticed, and its writes do not disturb.
    drop(look);
    inspect_once(deployment, sealer, &mut *deployment.database.open_view()?, progress)
}

fn inspect_once(
    deployment: &Deployment,
    sealer: Option<&Sealer>,
    look: &mut dyn DatabaseView,
    progress: &mut Progress<'_>,
) -> Result<DatabaseFindings, String> {
    progress("checking", 0, 0)?;
    let problems = look.damage();
    let lacking = store::missing_migrations_in(&deployment.database, look.session());
    let mut findings = DatabaseFindings {
        identity: None,
        lacking,
        problems,
        rows: 0,
        parsed: false,
        opened: false,
        newest: None,
        ahead: None,
    };
    let tables = look.tables();
    match tables.and_then(|tables| Ok((migration_and_key(look.session(), &tables)?, tables.values().sum()))) {
        Ok((identity, rows)) => (findings.identity, findings.rows) = (Some(identity), rows),
        Err(why) => findings.problems.push(why),
    }
    if let (Some((_, known)), true) = (&findings.identity, findings.lacking.as_ref().is_ok_and(Vec::is_empty)) {
        // With another key, every secret would be reported as one that cannot be opened.
        let sealer = sealer.filter(|sealer| known.as_deref().is_none_or(|known| known == sealer.key_id()));
        findings.problems.extend(store::verify_rows(look.session(), sealer, progress)?);
        (findings.parsed, findings.opened) = (true, sealer.is_some());
        match store::last_written_at(look.session()) {
            Ok(newest) => findings.newest = newest,
            Err(error) => findings.problems.push(error.to_string()),
        }
    }
    let clock = &deployment.environment.clock;
    let before = clock.now();
    findings.ahead = look.now()?.map(|server| server - (before + clock.now()) / 2);
    Ok(findings)
}

fn key(deployment: &Deployment, key: &Result<Sealer, String>, findings: Option<&DatabaseFindings>) -> DoctorCheck {
    let (mut check, shown) = (DoctorCheck::new("key"), deployment.key_file.display());
    let sealer = match key {
        Ok(sealer) => sealer,
        Err(why) => {
            let advice = match deployment.key_file.exists() {
                true => "the server does not start with such a key",
                false => "the server does not start without it; restore your copy of it",
            };
            check.fail(format!("{why}: {advice}."));
            return check;
        }
    };
    let id = sealer.key_id();
    let known = findings.and_then(|findings| findings.identity.as_ref()).map(|(_, known)| known.as_deref());
    match known {
        None => {
            check.or_ok(format!("{shown} holds the key {id}; whether it is the database's own could not be checked."))
        }
        Some(None) => {
            check.or_ok(format!("{shown} holds the key {id}, which the server binds to the database when it starts."))
        }
        Some(Some(known)) if known == id => check.or_ok(format!("{shown} holds the database's own key, {id}.")),
        Some(Some(known)) => {
            check.fail(format!("{shown} holds the key {id}, but the database needs {known}: restore that one."));
            check
        }
    }
}

fn schema(database: &Database, findings: &DatabaseFindings) -> DoctorCheck {
    let mut check = DoctorCheck::new("schema");
    match &findings.lacking {
        Err(why) => check.fail(format!("{why}.")),
        Ok(lacking) if lacking.is_empty() => {}
        Ok(lacking) => {
            let lacking = lacking.join(", ");
            match database {
                Database::Sqlite(_) => check.warn(format!(
                    "The database is older than this program: it lacks {lacking}, which a server applies when it starts; take a backup first."
                )),
                Database::Postgres(_) => check.fail(format!(
                    "The database is older than this program: it lacks {lacking}; run `vext migrate`."
                )),
            }
        }
    }
    let last = findings.identity.as_ref().and_then(|(migration, _)| migration.as_deref()).unwrap_or("unknown");
    check.or_ok(format!("It matches this program; the last migration is {last}."))
}

fn integrity(database: &Database, findings: &DatabaseFindings) -> DoctorCheck {
    let mut check = DoctorCheck::new("integrity");
    let rows = findings.rows;
    check.details.clone_from(&findings.problems);
    match findings.problems.len() {
        0 => {}
        count => {
            let noun = if count == 1 { "problem" } else { "problems" };
            let tool = match database {
                Database::Sqlite(_) => "`vext restore`",
                Database::Postgres(_) => "PostgreSQL's own tools",
            };
            check.fail(format!("{count} {noun} in {rows} rows: restore a backup with {tool}."));
            return check;
        }
    }
    if !findings.parsed {
        return DoctorCheck::skipped(
            "integrity",
            format!("The {rows} rows were not parsed, because the schema differs."),
        );
    }
    check.or_ok(match findings.opened {
        true => format!("All {rows} rows are sound, and the key opens all sealed secrets."),
        false => format!("All {rows} rows are sound; sealed secrets were not opened without the key."),
    })
}

fn clock(deployment: &Deployment, findings: Option<&DatabaseFindings>) -> DoctorCheck {
    let (mut check, now) = (DoctorCheck::new("clock"), deployment.environment.clock.now());
    let set = "set this machine's clock, preferably with NTP, before the server saves anything";
    if now < EARLIEST_TIME {
        let time = timestamp(now);
        check.fail(format!("It is {time} by this machine's clock, before this program was written: {set}."));
    }
    if let Some(ahead) = findings
        .and_then(|findings| findings.newest)
        .map(|newest| newest.saturating_sub(now))
        .filter(|ahead| *ahead > TOLERATED_SKEW)
    {
        let message =
            format!("The newest row has a time {} ahead of this machine's clock: {set}.", format_millis(ahead));
        if ahead > MAX_ROW_AHEAD { check.fail(message) } else { check.warn(message) }
    }
    if let Some(ahead) = findings.and_then(|findings| findings.ahead).filter(|ahead| ahead.abs() > TOLERATED_SKEW) {
        let direction = if ahead > 0 { "ahead of" } else { "behind" };
        let message = format!(
            "The database server's clock is {} {direction} this machine's: set both with NTP.",
            format_millis(ahead.abs())
        );
        if ahead.abs() > MAX_SERVER_SKEW { check.fail(message) } else { check.warn(message) }
    }
    let comparison = match findings {
        Some(DatabaseFindings { newest: Some(_), ahead: Some(_), .. }) => {
            ", not behind any row, and the database server's clock agrees"
        }
        Some(DatabaseFindings { newest: Some(_), .. }) => ", not behind any row",
        _ => "; the rows could not be checked",
    };
    check.or_ok(format!("It is {}{comparison}.", timestamp(now)))
}

fn format_millis(millis: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(millis.saturating_add(500) / 1000))
}
