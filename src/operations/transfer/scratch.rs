//! The scratch database of a check: what it refuses, and why a step does not fit what came before it.

use std::collections::HashSet;
use std::sync::Arc;

use super::TransferError;
use super::format::Header;
use super::shapes::shapes;
use super::step::{CHUNK, ImportStep, apply};
use super::verdict::ImportVerdict;
use crate::domain::{Code, Environment, Kind, Problem, TenantId};
use crate::form::camel;
use crate::objects::TenantSettings;
use crate::store::{self, Database, Outcome, Query, Store, StoreError};

/// A database that nobody else sees and that is deleted afterwards.
pub(super) struct Scratch {
    store: Store,
    pub tenant: TenantId,
    _folder: tempfile::TempDir,
}

/// A step with its line.
pub(super) struct Numbered {
    pub line: u64,
    pub step: ImportStep,
}

impl Scratch {
    pub(super) async fn make(settings: &TenantSettings, environment: &Environment) -> Result<Self, TransferError> {
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
    pub(super) async fn import(&self, steps: Vec<Numbered>, verdict: &mut ImportVerdict) -> Result<(), TransferError> {
        let steps: Arc<[Numbered]> = steps.into();
        match self.write(&steps, 0..steps.len(), verdict).await {
            Err(StoreError::Conflict { .. } | StoreError::Reference | StoreError::Invalid(_)) => {}
            Ok(found) => {
                verdict.extend(found);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        for i in 0..steps.len() {
            if verdict.is_full() {
                break;
            }
            let Numbered { line, step } = &steps[i];
            let problem = match self.write(&steps, i..i + 1, verdict).await {
                Ok(found) => {
                    verdict.extend(found);
                    continue;
                }
                Err(StoreError::Conflict { constraint }) => conflict(step, &constraint),
                Err(StoreError::Reference) => Problem::new(Code::NotFound, "refers to what is not in the file"),
                Err(StoreError::Invalid(why)) => Problem::new(Code::InvalidFormat, format!("cannot be kept: {why}")),
                Err(error) => return Err(error.into()),
            };
            verdict.refuse(makes(step));
            verdict.add(*line, problem);
        }
        Ok(())
    }

    async fn write(
        &self,
        steps: &Arc<[Numbered]>,
        range: std::ops::Range<usize>,
        verdict: &ImportVerdict,
    ) -> store::Result<ImportVerdict> {
        let steps = Arc::clone(steps);
        let broken = verdict.broken();
        let work = move |tx: &mut store::Tx<'_>| {
            let mut verdict = ImportVerdict::default();
            for Numbered { line, step } in &steps[range.clone()] {
                match ill_fitting(tx, step, &broken)? {
                    Some(found) if found.is_empty() => apply(tx, step)?,
                    found => {
                        verdict.refuse(makes(step));
                        found.into_iter().flatten().for_each(|problem| verdict.add(*line, problem));
                    }
                }
            }
            Ok(Outcome::Commit(verdict))
        };
        self.store.write(self.tenant, work).await
    }

    /// Reports what no line could show: sections that are missing, and defaults that are none.
    pub(super) async fn complete(
        &self,
        header: &Header,
        line: u64,
        verdict: &mut ImportVerdict,
    ) -> Result<(), TransferError> {
        let snapshot = self.store.snapshot();
        let defaults = header.defaults;
        let kinds = snapshot.read(self.tenant, move |query| store::kinds(query, &[defaults])).await?;
        let kind = kinds.get(&defaults).map(|(kind, _)| *kind);
        if kind != Some(Kind::FormDefaults) && !verdict.has_refused(defaults, "") {
            let rule = "must be the id of the form defaults";
            verdict.add(1, Problem::new(Code::NotFound, rule).value(defaults).under("defaults"));
        }
        let mut after = 0;
        while !verdict.is_full() {
            let read = move |query: &mut Query<'_>| {
                let rows = store::objects_after(query, after, CHUNK as i64)?;
                let mut missing = Vec::new();
                for kind in rows.iter().map(|row| row.kind).collect::<HashSet<_>>() {
                    let ids: Vec<_> = rows.iter().filter(|row| row.kind == kind).map(|row| row.id.local).collect();
                    for shape in shapes(kind) {
                        let found = store::load_any(query, shape, &ids)?;
                        let lacking = ids.iter().filter(|id| !found.contains_key(id));
                        missing.extend(lacking.map(|id| (*id, shape.client_name.clone())));
                    }
                }
                Ok((rows.last().map(|row| row.id.local), missing))
            };
            let (last, mut missing) = snapshot.read(self.tenant, read).await?;
            missing.sort_unstable();
            for (object, name) in missing {
                if !verdict.has_refused(object, &name) {
                    let rule = format!("of the object {object} is missing");
                    verdict.add(line, Problem::new(Code::Required, rule).under(name));
                }
            }
            let Some(last) = last else { break };
            after = last;
        }
        Ok(())
    }
}

/// What a step makes, as [`ImportVerdict::refused`] names it.
fn makes(step: &ImportStep) -> Option<(i64, String)> {
    match step {
        ImportStep::Object(row) => Some((row.id.local, String::new())),
        ImportStep::Section { object, section } => Some((*object, section.info().client_name.clone())),
        ImportStep::Change(_) => None,
    }
}

/// Why a step does not fit what came before it; nothing when it fits. `None` when it cannot be judged, because what it
/// belongs to was refused.
fn ill_fitting(query: &mut Query<'_>, step: &ImportStep, broken: &HashSet<i64>) -> store::Result<Option<Vec<Problem>>> {
    let (object, section) = match step {
        ImportStep::Section { object, section } => (object, section),
        ImportStep::Change(change) => return overtaking(query, change).map(Some),
        ImportStep::Object(_) => return Ok(Some(Vec::new())),
    };
    let name = section.info().client_name.clone();
    let mut references = Vec::new();
    section.references(&mut |reference| references.push(reference));
    let ids: Vec<i64> = references.iter().map(|r| r.object.local).chain([*object]).collect();
    let kinds = store::kinds(query, &ids)?;
    let mut problems = Vec::new();
    match kinds.get(object) {
        None if broken.contains(object) => return Ok(None),
        None => problems
            .push(Problem::new(Code::NotFound, "must be the id of an object above").value(object).under("object")),
        Some((kind, _)) if !shapes(*kind).iter().any(|own| own.table == section.info().table) => {
            let rule = format!("is not what the {} {object} has", kind.label());
            problems.push(Problem::new(Code::WrongKind, rule).under(&name));
        }
        Some(_) => {}
    }
    let mut unclear = false;
    for reference in &references {
        let local = reference.object.local;
        let problem = match kinds.get(&local) {
            Some((kind, _)) if reference.kinds.contains(kind) => continue,
            None if broken.contains(&local) => {
                unclear = true;
                continue;
            }
            Some((kind, _)) => {
                let fitting = reference.kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                Problem::new(Code::WrongKind, format!("must be one of: {fitting}; {local} is a {}", kind.label()))
            }
            None => Problem::new(Code::NotFound, "must be the id of an object above").value(local),
        };
        problems.push(Problem { path: reference.path.clone(), ..problem }.under(&name));
    }
    Ok(if unclear && problems.is_empty() { None } else { Some(problems) })
}

/// Why a change cannot have been made: its object is not that far. Of what was deleted there is only the history.
fn overtaking(query: &mut Query<'_>, change: &store::KeptChange) -> store::Result<Vec<Problem>> {
    let kinds = store::kinds(query, &[change.object])?;
    let newest = kinds.get(&change.object).map(|(_, version)| *version);
    let problem = newest.filter(|newest| change.version > *newest).map(|newest| {
        let rule = format!("must be at most {newest}, the version of the object");
        Problem::new(Code::OutOfRange, rule).value(change.version).under("version")
    });
    Ok(problem.into_iter().collect())
}

/// The problem of a line that repeats what must be unique.
fn conflict(step: &ImportStep, constraint: &str) -> Problem {
    let twice = |what: &str| Problem::new(Code::Duplicate, format!("{what} stands in the file twice"));
    let field = |table: &str| constraint.strip_prefix(table).and_then(|rest| rest.strip_prefix('_')).map(camel);
    match step {
        ImportStep::Object(row) if constraint == "pbx_object_pkey" => {
            twice("of an object").value(row.id.local).under("id")
        }
        ImportStep::Object(row) => {
            let number = row.number.clone().unwrap_or_default();
            Problem::new(Code::Duplicate, "is the number of an object above").value(number).under("number")
        }
        ImportStep::Section { section, object } => match field(section.info().table) {
            Some(field) if field != "pkey" => Problem::new(Code::Duplicate, "is what an object above has already")
                .under(field)
                .under(section.info().client_name.clone()),
            _ => twice(&format!("of the object {object}")).under(section.info().client_name.clone()),
        },
        ImportStep::Change(change) => twice(&format!("of the object {}, or one of its paths,", change.object))
            .value(change.version)
            .under("version"),
    }
}
