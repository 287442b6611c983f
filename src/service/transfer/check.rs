//! Finding everything that is wrong with a file before anything of it is imported: it is imported into a scratch
//! database first, whose constraints see what no line shows alone.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::sync::Arc;

use super::format::{End, Header, Secrets};
use super::import::CHUNK;
use super::lines::Lines;
use super::shapes::shapes;
use super::step::{Context, Keys, Parsed, Step, apply, settings};
use super::{LineProblem, Tell, TransferError};
use crate::domain::{Code, Environment, Kind, Problem, TenantId};
use crate::form::{Section as _, camel};
use crate::objects::{TenantInput, TenantSettings};
use crate::service::Database;
use crate::store::{self, Outcome, Query, Store, StoreError};

/// A file in which nothing is wrong.
pub(super) struct Checked {
    pub settings: TenantSettings,
    pub end: End,
    /// The SHA-256 of as many lines as an interrupted import has got in.
    pub prefix: Option<String>,
}

/// A database that nobody else sees and that is deleted afterwards.
struct Scratch {
    store: Store,
    tenant: TenantId,
    _folder: tempfile::TempDir,
}

/// A step with its line.
struct Numbered {
    line: u64,
    step: Step,
}

/// What is wrong, and what was refused and is therefore not reported as missing.
#[derive(Default)]
struct Verdict {
    problems: Vec<LineProblem>,
    refused: HashSet<(i64, String)>,
}

impl Verdict {
    fn add(&mut self, line: u64, problem: Problem) {
        self.problems.push(LineProblem { line, problem });
    }

    fn broken(&self, object: i64) -> bool {
        self.refused.contains(&(object, String::new()))
    }
}

/// Checks a whole file, whose first line is `header`. `prefix` asks for the SHA-256 of so many lines.
///
/// # Errors
/// Everything that is wrong; or the file or the scratch database fail.
pub(super) async fn check(
    file: &mut File,
    header: &Header,
    keys: &Keys,
    environment: &Environment,
    prefix: Option<i64>,
    tell: Tell<'_>,
) -> Result<Checked, TransferError> {
    let mut verdict = Verdict::default();
    let found = settings(header, &mut |problem| verdict.add(1, problem));
    let stand_in = || -> Result<TenantSettings, TransferError> {
        use async_graphql::MaybeUndefined::Value;
        let (code, name, timezone) = (Value("SCRATCH".into()), Value("Scratch".into()), Value("UTC".into()));
        let input = TenantInput { code, name, timezone, ..TenantInput::default() };
        let settings = TenantSettings::build(&input, &mut |_| {});
        Ok(settings.ok_or_else(|| StoreError::Bug("there is no stand-in for a tenant".into()))?)
    };
    let used = found.clone().map_or_else(stand_in, Ok)?;
    let code = header.tenant.get("code").and_then(serde_json::Value::as_str).unwrap_or_default();
    let scratch = Scratch::make(&used, environment).await?;
    let context = Context::new(code, scratch.tenant, header, keys);

    file.rewind()?;
    let mut lines = Lines::new(BufReader::new(file));
    let (mut seen, mut chunk, mut last) = (End::default(), Vec::new(), 0);
    let (mut end, mut end_line, mut digest) = (None, 0, None);
    while lines.next()? {
        if prefix.is_some_and(|prefix| prefix.unsigned_abs() == lines.number) {
            digest = Some(lines.through());
        }
        if lines.number == 1 {
            continue;
        }
        let line = lines.number;
        if line.is_multiple_of(CHUNK as u64) {
            tell(lines.bytes, 0);
        }
        if end.is_some() {
            verdict.add(line, Problem::new(Code::InvalidFormat, "stands behind the last line of the export"));
            break;
        }
        match context.parse(lines.text(), &mut |problem| verdict.problems.push(LineProblem { line, problem })) {
            Parsed::End(found) => {
                (end, end_line) = (Some(found), line);
                seen.sha256 = lines.before();
            }
            Parsed::Refused(what) => {
                if let Some((object, name)) = what {
                    last = last.max(object);
                    verdict.refused.insert((object, name));
                }
            }
            Parsed::Step(step) => {
                match &step {
                    Step::Object(row) => {
                        last = last.max(row.id.local);
                        seen.objects += 1;
                    }
                    Step::Section { .. } => seen.sections += 1,
                    Step::Change(_) => seen.changes += 1,
                }
                chunk.push(Numbered { line, step });
            }
        }
        if chunk.len() == CHUNK {
            scratch.import(std::mem::take(&mut chunk), &mut verdict).await?;
        }
    }
    scratch.import(chunk, &mut verdict).await?;

    if header.next_object <= last {
        let rule = format!("must be greater than every id, of which {last} is the greatest");
        verdict.add(1, Problem::new(Code::OutOfRange, rule).value(header.next_object).under("nextObject"));
    }
    scratch.complete(header, end_line.max(lines.number), &mut verdict).await?;
    match &end {
        None => {
            let rule = "is the last, but not the last of an export: the file is cut off";
            verdict.add(lines.number, Problem::new(Code::Required, rule));
        }
        Some(end) => {
            // What was left out cannot be counted.
            seen.secrets = if header.secrets == Secrets::None { end.secrets } else { context.secrets_opened() };
            compare(end, &seen, end_line, &mut verdict);
        }
    }
    verdict.problems.sort_by_key(|found| found.line);
    match (found, end) {
        (Some(settings), Some(end)) if verdict.problems.is_empty() => Ok(Checked { settings, end, prefix: digest }),
        _ => Err(TransferError::Problems(verdict.problems)),
    }
}

/// Compares the last line with what was seen. Lines that were refused are not counted a second time.
fn compare(end: &End, seen: &End, line: u64, verdict: &mut Verdict) {
    if verdict.problems.is_empty() {
        let counts = [
            ("objects", end.objects, seen.objects),
            ("sections", end.sections, seen.sections),
            ("changes", end.changes, seen.changes),
            ("secrets", end.secrets, seen.secrets),
        ];
        for (name, said, seen) in counts.into_iter().filter(|(_, said, seen)| said != seen) {
            let rule = format!("must be {seen}, as many as there are");
            verdict.add(line, Problem::new(Code::Contradiction, rule).value(said).under(name));
        }
    }
    if end.sha256 != seen.sha256 {
        let rule = "must be the SHA-256 of the lines before: the file was altered";
        verdict.add(line, Problem::new(Code::Contradiction, rule).value(&end.sha256).under("sha256"));
    }
}

impl Scratch {
    async fn make(settings: &TenantSettings, environment: &Environment) -> Result<Self, TransferError> {
        let folder = tempfile::Builder::new().prefix("vext-import-").tempdir()?;
        let database = Database::Sqlite(folder.path().join("scratch.db"));
        let now = environment.clock.now();
        store::migrate(&database, now).map_err(TransferError::Refused)?;
        let store = Store::open(&database, 1).map_err(TransferError::Refused)?;
        let settings = settings.clone();
        let begin = move |session: &mut dyn store::Session| {
            store::begin_import(session, &settings, now, (1, "")).map(Outcome::Commit)
        };
        let tenant = store.write_system(begin).await?;
        Ok(Self { store, tenant, _folder: folder })
    }

    /// Imports some steps; when one of them fails, all of them one by one.
    async fn import(&self, steps: Vec<Numbered>, verdict: &mut Verdict) -> Result<(), TransferError> {
        let steps = Arc::new(steps);
        match self.write(&steps, 0..steps.len(), verdict).await {
            Err(StoreError::Conflict { .. } | StoreError::Reference | StoreError::Invalid(_)) => {}
            Ok(problems) => {
                verdict.problems.extend(problems);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        for i in 0..steps.len() {
            let Numbered { line, step } = &steps[i];
            let problem = match self.write(&steps, i..i + 1, verdict).await {
                Ok(problems) => {
                    verdict.problems.extend(problems);
                    continue;
                }
                Err(StoreError::Conflict { constraint }) => conflict(step, &constraint),
                Err(StoreError::Reference) => Problem::new(Code::NotFound, "refers to what is not in the file"),
                Err(StoreError::Invalid(why)) => Problem::new(Code::InvalidFormat, format!("cannot be kept: {why}")),
                Err(error) => return Err(error.into()),
            };
            if let Step::Object(row) = step {
                verdict.refused.insert((row.id.local, String::new()));
            }
            if let Step::Section { object, shape, .. } = step {
                verdict.refused.insert((*object, shape.name()));
            }
            verdict.add(*line, problem);
        }
        Ok(())
    }

    async fn write(
        &self,
        steps: &Arc<Vec<Numbered>>,
        range: std::ops::Range<usize>,
        verdict: &Verdict,
    ) -> store::Result<Vec<LineProblem>> {
        let steps = Arc::clone(steps);
        let broken: HashSet<i64> =
            verdict.refused.iter().filter(|(_, name)| name.is_empty()).map(|(object, _)| *object).collect();
        let work = move |tx: &mut store::Tx<'_>| {
            let mut problems = Vec::new();
            for Numbered { line, step } in &steps[range.clone()] {
                match ill_fitting(tx, step, &broken)? {
                    None => {}
                    Some(found) if found.is_empty() => apply(tx, step)?,
                    Some(found) => {
                        problems.extend(found.into_iter().map(|problem| LineProblem { line: *line, problem }));
                    }
                }
            }
            Ok(Outcome::Commit(problems))
        };
        self.store.write(self.tenant, work).await
    }

    /// Reports what no line could show: sections that are missing, and defaults that are none.
    async fn complete(&self, header: &Header, line: u64, verdict: &mut Verdict) -> Result<(), TransferError> {
        let snapshot = self.store.snapshot();
        let defaults = header.defaults;
        let kinds = snapshot.read(self.tenant, move |query| store::kinds(query, &[defaults])).await?;
        if kinds.get(&defaults) != Some(&Kind::FormDefaults) && !verdict.broken(defaults) {
            let rule = "must be the id of the form defaults";
            verdict.add(1, Problem::new(Code::NotFound, rule).value(defaults).under("defaults"));
        }
        let mut after = 0;
        loop {
            let read = move |query: &mut Query<'_>| {
                let rows = store::objects_after(query, after, CHUNK as i64)?;
                let mut missing = Vec::new();
                for kind in rows.iter().map(|row| row.kind).collect::<HashSet<_>>() {
                    let ids: Vec<_> = rows.iter().filter(|row| row.kind == kind).map(|row| row.id.local).collect();
                    for shape in shapes(kind) {
                        let found = shape.load(query, &ids)?;
                        let lacking = ids.iter().filter(|id| !found.contains_key(id));
                        missing.extend(lacking.map(|id| (*id, shape.name())));
                    }
                }
                Ok((rows.last().map(|row| row.id.local), missing))
            };
            let (last, mut missing) = snapshot.read(self.tenant, read).await?;
            missing.sort_unstable();
            for (object, name) in missing {
                if !verdict.refused.contains(&(object, name.clone())) {
                    let rule = format!("of the object {object} is missing");
                    verdict.add(line, Problem::new(Code::Required, rule).under(name));
                }
            }
            let Some(last) = last else { return Ok(()) };
            after = last;
        }
    }
}

/// Why a step does not fit what came before it; nothing when it fits. `None` when it cannot be judged, because what it
/// belongs to was refused.
fn ill_fitting(query: &mut Query<'_>, step: &Step, broken: &HashSet<i64>) -> store::Result<Option<Vec<Problem>>> {
    let Step::Section { object, shape, admitted } = step else { return Ok(Some(Vec::new())) };
    let name = shape.name();
    let ids: Vec<i64> = admitted.references.iter().map(|r| r.object.local).chain([*object]).collect();
    let kinds = store::kinds(query, &ids)?;
    let mut problems = Vec::new();
    match kinds.get(object) {
        None if broken.contains(object) => return Ok(None),
        None => problems
            .push(Problem::new(Code::NotFound, "must be the id of an object above").value(object).under("object")),
        Some(kind) if !shapes(*kind).iter().any(|own| own.table() == shape.table()) => {
            let rule = format!("is not what the {} {object} has", kind.label());
            problems.push(Problem::new(Code::WrongKind, rule).under(&name));
        }
        Some(_) => {}
    }
    let mut unclear = false;
    for reference in &admitted.references {
        let local = reference.object.local;
        let problem = match kinds.get(&local) {
            Some(kind) if reference.kinds.contains(kind) => continue,
            None if broken.contains(&local) => {
                unclear = true;
                continue;
            }
            Some(kind) => {
                let fitting = reference.kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                Problem::new(Code::WrongKind, format!("must be one of: {fitting}; {local} is a {}", kind.label()))
            }
            None => Problem::new(Code::NotFound, "must be the id of an object above").value(local),
        };
        problems.push(Problem { path: reference.path.clone(), ..problem }.under(&name));
    }
    Ok(if unclear && problems.is_empty() { None } else { Some(problems) })
}

/// The problem of a line that repeats what must be unique.
fn conflict(step: &Step, constraint: &str) -> Problem {
    let twice = |what: &str| Problem::new(Code::Duplicate, format!("{what} stands in the file twice"));
    let field = |table: &str| constraint.strip_prefix(table).and_then(|rest| rest.strip_prefix('_')).map(camel);
    match step {
        Step::Object(row) if constraint == "pbx_object_pkey" => twice("of an object").value(row.id.local).under("id"),
        Step::Object(row) => {
            let number = row.number.clone().unwrap_or_default();
            Problem::new(Code::Duplicate, "is the number of an object above").value(number).under("number")
        }
        Step::Section { shape, object, .. } => match field(shape.table()) {
            Some(field) if field != "pkey" => {
                Problem::new(Code::Duplicate, "is what an object above has already").under(field).under(shape.name())
            }
            _ => twice(&format!("of the object {object}")).under(shape.name()),
        },
        Step::Change(change) => twice(&format!("of the object {}, or one of its paths,", change.object))
            .value(change.version)
            .under("version"),
    }
}
