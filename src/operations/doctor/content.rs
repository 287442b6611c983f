//! What is in the database: whether it can be read at all, whether key and schema are its own, whether every row is sound,
//! and whether the clock agrees with what was written.

use jiff::SignedDuration;

use super::check::DoctorCheck;
use super::deployment::Deployment;
use crate::domain::Sealer;
use crate::operations::backup::{identity, moment};
use crate::operations::verify::sealer;
use crate::store::{self, Database, DatabaseState, DatabaseView, Progress};

/// 2026-01-01T00:00:00Z, in milliseconds: this program is younger, so that no clock may show less.
const WRITTEN: i64 = 1_767_225_600_000;
/// How far two clocks may be apart without a word, in milliseconds.
const APART: i64 = 5_000;
/// How far what was written may be ahead of the clock.
const AHEAD: i64 = 5 * 60_000;
/// How far the clock of the database's server may be from this one.
const WRONG: i64 = 60_000;

/// The checks "database", "key", "schema", "integrity" and "clock".
pub(super) fn examine(deployment: &Deployment, progress: &mut Progress<'_>) -> [DoctorCheck; 5] {
    let database = &deployment.database;
    let key = sealer(&deployment.key_file, &deployment.environment);
    let mut reached = DoctorCheck::new("database");
    let seen = readable(database).and_then(|()| see(deployment, key.as_ref().ok(), progress));
    let seen = seen.map_err(|why| reached.fail(format!("{}.", why.trim_end_matches('.')))).ok();
    let key = self::key(deployment, &key, seen.as_ref());
    let clock = clock(deployment, seen.as_ref());
    let Some(seen) = seen else {
        let skipped = |name| DoctorCheck::skipped(name, "The database cannot be read.");
        return [reached, key, skipped("schema"), skipped("integrity"), clock];
    };
    let reached = reached.or(match database {
        Database::Sqlite(path) => format!("{} can be read beside whoever uses it.", path.display()),
        Database::Postgres(server) => format!("{server} answers."),
    });
    [reached, key, schema(database, &seen), integrity(database, &seen), clock]
}

/// What one look has shown.
struct DatabaseFindings {
    /// The last migration, and the key that seals the secrets; `None` when the tables cannot be read.
    identity: Option<(Option<String>, Option<String>)>,
    /// The migrations that the database lacks.
    lacking: Result<Vec<String>, String>,
    /// What is wrong with file and rows.
    problems: Vec<String>,
    rows: u64,
    /// Whether rows were parsed, and secrets opened.
    parsed: bool,
    opened: bool,
    /// When anything was written last.
    newest: Option<i64>,
    /// How far the clock of the database's server is ahead.
    ahead: Option<i64>,
}

/// Looks first whether there is anything to look at.
fn readable(database: &Database) -> Result<(), String> {
    match database {
        Database::Sqlite(path) if !path.exists() => {
            Err(format!("there is no database {}; `vext migrate` makes one", path.display()))
        }
        Database::Sqlite(path) if path.is_dir() => {
            Err(format!("{} is a directory, not a database file", path.display()))
        }
        Database::Sqlite(_) => Ok(()),
        Database::Postgres(_) => match database.inspect()? {
            DatabaseState::Empty => Err(format!("{database} has no tables; `vext migrate` makes them")),
            DatabaseState::Ours => Ok(()),
        },
    }
}

fn see(
    deployment: &Deployment,
    sealer: Option<&Sealer>,
    progress: &mut Progress<'_>,
) -> Result<DatabaseFindings, String> {
    let mut look = deployment.database.open_view()?;
    let seen = see_once(deployment, sealer, &mut *look, progress);
    if !look.is_disturbed() {
        return seen;
    }
    // A server has been started meanwhile: now it is seen, and what it writes does not disturb.
    drop(look);
    see_once(deployment, sealer, &mut *deployment.database.open_view()?, progress)
}

fn see_once(
    deployment: &Deployment,
    sealer: Option<&Sealer>,
    look: &mut dyn DatabaseView,
    progress: &mut Progress<'_>,
) -> Result<DatabaseFindings, String> {
    progress("checking", 0, 0)?;
    let problems = look.damage();
    let lacking = store::missing_migrations_in(&deployment.database, look.session());
    let mut seen = DatabaseFindings {
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
    match tables.and_then(|tables| Ok((identity(look.session(), &tables)?, tables.values().sum()))) {
        Ok((identity, rows)) => (seen.identity, seen.rows) = (Some(identity), rows),
        Err(why) => seen.problems.push(why),
    }
    if let (Some((_, known)), true) = (&seen.identity, seen.lacking.as_ref().is_ok_and(Vec::is_empty)) {
        // With another key every secret would be told as one that does not open.
        let sealer = sealer.filter(|sealer| known.as_deref().is_none_or(|known| known == sealer.key_id()));
        seen.problems.extend(store::verify_rows(look.session(), sealer, progress)?);
        (seen.parsed, seen.opened) = (true, sealer.is_some());
        match store::last_written_at(look.session()) {
            Ok(newest) => seen.newest = newest,
            Err(error) => seen.problems.push(error.to_string()),
        }
    }
    let clock = &deployment.environment.clock;
    let before = clock.now();
    seen.ahead = look.now()?.map(|server| server - (before + clock.now()) / 2);
    Ok(seen)
}

fn key(deployment: &Deployment, key: &Result<Sealer, String>, seen: Option<&DatabaseFindings>) -> DoctorCheck {
    let (mut check, shown) = (DoctorCheck::new("key"), deployment.key_file.display());
    let sealer = match key {
        Ok(sealer) => sealer,
        Err(why) => {
            let then = match deployment.key_file.exists() {
                true => "the server does not start with such a key",
                false => "the server does not start without it; bring back the copy that you have of it",
            };
            check.fail(format!("{why}: {then}."));
            return check;
        }
    };
    let id = sealer.key_id();
    let known = seen.and_then(|seen| seen.identity.as_ref()).map(|(_, known)| known.as_deref());
    match known {
        None => {
            check.or(format!("{shown} holds the key {id}; the database could not be asked whether that is its own."))
        }
        Some(None) => {
            check.or(format!("{shown} holds the key {id}, which the server ties to the database when it starts."))
        }
        Some(Some(known)) if known == id => check.or(format!("{shown} holds the database's own key, {id}.")),
        Some(Some(known)) => {
            check.fail(format!("{shown} holds the key {id}, and the database needs {known}: bring back that one."));
            check
        }
    }
}

fn schema(database: &Database, seen: &DatabaseFindings) -> DoctorCheck {
    let mut check = DoctorCheck::new("schema");
    match &seen.lacking {
        Err(why) => check.fail(format!("{why}.")),
        Ok(lacking) if lacking.is_empty() => {}
        Ok(lacking) => {
            let lacking = lacking.join(", ");
            match database {
                Database::Sqlite(_) => check.warn(format!(
                    "The database is older than this program: it lacks {lacking}, which a server applies when it starts; make a backup before."
                )),
                Database::Postgres(_) => check.fail(format!(
                    "The database is older than this program: it lacks {lacking}; run `vext migrate`."
                )),
            }
        }
    }
    let last = seen.identity.as_ref().and_then(|(migration, _)| migration.as_deref()).unwrap_or("unknown");
    check.or(format!("It is this program's; the last migration is {last}."))
}

fn integrity(database: &Database, seen: &DatabaseFindings) -> DoctorCheck {
    let mut check = DoctorCheck::new("integrity");
    let rows = seen.rows;
    check.details.clone_from(&seen.problems);
    match seen.problems.len() {
        0 => {}
        count => {
            let things = if count == 1 { "thing is" } else { "things are" };
            let how = match database {
                Database::Sqlite(_) => "`vext restore`",
                Database::Postgres(_) => "PostgreSQL's own tools",
            };
            check.fail(format!("{count} {things} wrong in {rows} rows: bring back a backup with {how}."));
            return check;
        }
    }
    if !seen.parsed {
        return DoctorCheck::skipped(
            "integrity",
            format!("The {rows} rows were not parsed, since the schema is another one."),
        );
    }
    check.or(match seen.opened {
        true => format!("All {rows} rows are sound, and the key opens all sealed secrets."),
        false => format!("All {rows} rows are sound; sealed secrets were not opened, for want of the key."),
    })
}

fn clock(deployment: &Deployment, seen: Option<&DatabaseFindings>) -> DoctorCheck {
    let (mut check, now) = (DoctorCheck::new("clock"), deployment.environment.clock.now());
    let set = "set this machine's clock, best with NTP, before the server saves anything";
    if now < WRITTEN {
        let moment = moment(now);
        check.fail(format!("It is {moment} by this machine's clock, before this program was written: {set}."));
    }
    if let Some(ahead) =
        seen.and_then(|seen| seen.newest).map(|newest| newest.saturating_sub(now)).filter(|ahead| *ahead > APART)
    {
        let said = format!(
            "The newest row was written {} ahead of this machine's clock, by this one or another's: {set}.",
            friendly(ahead)
        );
        if ahead > AHEAD { check.fail(said) } else { check.warn(said) }
    }
    if let Some(ahead) = seen.and_then(|seen| seen.ahead).filter(|ahead| ahead.abs() > APART) {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let said = format!(
            "The database server's clock is {} {way} this machine's: set both with NTP.",
            friendly(ahead.abs())
        );
        if ahead.abs() > WRONG { check.fail(said) } else { check.warn(said) }
    }
    let seen = match seen {
        Some(DatabaseFindings { newest: Some(_), ahead: Some(_), .. }) => {
            ", behind no row, and that of the database's server agrees"
        }
        Some(DatabaseFindings { newest: Some(_), .. }) => ", behind no row",
        _ => "; the rows could not be asked",
    };
    check.or(format!("It is {}{seen}.", moment(now)))
}

fn friendly(millis: i64) -> String {
    format!("{:#}", SignedDuration::from_secs(millis.saturating_add(500) / 1000))
}
