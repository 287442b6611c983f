//! The scratch database of a check. Steps are written to it to find those that it refuses, or that contradict earlier
//! ones.

use std::collections::HashSet;
use std::sync::Arc;

use super::TransferError;
use super::format::Header;
use super::problems::ImportProblems;
use super::sections::sections_of;
use super::step::{CHUNK_LINES, ImportStep, write_step};
use crate::domain::{Code, Environment, Kind, Problem, TenantId};
use crate::form::camel;
use crate::objects::TenantSettings;
use crate::store::{self, Database, Outcome, Query, Store, StoreError};

/// A temporary database, deleted when this value is dropped.
pub(super) struct ScratchDatabase {
    store: Store,
    pub tenant: TenantId,
    _folder: tempfile::TempDir,
}

/// A step with the number of its line.
pub(super) struct NumberedStep {
    pub line: u64,
    pub step: ImportStep,
}

impl ScratchDatabase {
    pub(super) async fn create(settings: &TenantSettings, environment: &Environment) -> Result<Self, TransferError> {
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

    /// Imports some steps in one transaction or, when one of them fails, one by one.
    pub(super) async fn import(
        &self,
        steps: Vec<NumberedStep>,
        problems: &mut ImportProblems,
    ) -> Result<(), TransferError> {
        let steps: Arc<[NumberedStep]> = steps.into();
        match self.write(&steps, 0..steps.len(), problems).await {
            Err(StoreError::Conflict { .. } | StoreError::Reference | StoreError::Invalid(_)) => {}
            Ok(found) => {
                problems.extend(found);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        }
        for i in 0..steps.len() {
            if problems.is_full() {
                break;
            }
            let NumberedStep { line, step } = &steps[i];
            let problem = match self.write(&steps, i..i + 1, problems).await {
                Ok(found) => {
                    problems.extend(found);
                    continue;
                }
                Err(StoreError::Conflict { constraint }) => conflict(step, &constraint),
                Err(StoreError::Reference) => {
                    Problem::new(Code::NotFound, "refers to an object that is not in the file")
                }
                Err(StoreError::Invalid(why)) => Problem::new(Code::InvalidFormat, format!("cannot be stored: {why}")),
                Err(error) => return Err(error.into()),
            };
            problems.refuse(target_of(step));
            problems.add(*line, problem);
        }
        Ok(())
    }

    async fn write(
        &self,
        steps: &Arc<[NumberedStep]>,
        range: std::ops::Range<usize>,
        problems: &ImportProblems,
    ) -> store::Result<ImportProblems> {
        let steps = Arc::clone(steps);
        let refused_objects = problems.refused_objects();
        let work = move |tx: &mut store::Tx<'_>| {
            let mut problems = ImportProblems::default();
            for NumberedStep { line, step } in &steps[range.clone()] {
                match check_fit(tx, step, &refused_objects)? {
                    Some(found) if found.is_empty() => write_step(tx, step)?,
                    found => {
                        problems.refuse(target_of(step));
                        found.into_iter().flatten().for_each(|problem| problems.add(*line, problem));
                    }
                }
            }
            Ok(Outcome::Commit(problems))
        };
        self.store.write(self.tenant, work).await
    }

    /// Reports what a single line cannot show: missing sections, and defaults that are not form defaults.
    pub(super) async fn check_completeness(
        &self,
        header: &Header,
        line: u64,
        problems: &mut ImportProblems,
    ) -> Result<(), TransferError> {
        let snapshot = self.store.snapshot();
        let defaults = header.defaults;
        let kinds = snapshot.read(self.tenant, move |query| store::object_kinds(query, &[defaults])).await?;
        let kind = kinds.get(&defaults).map(|(kind, _)| *kind);
        if kind != Some(Kind::FormDefaults) && !problems.is_refused(defaults, "") {
            let rule = "must be the id of the form defaults";
            problems.add(1, Problem::new(Code::NotFound, rule).value(defaults).under("defaults"));
        }
        let mut after = 0;
        while !problems.is_full() {
            let read = move |query: &mut Query<'_>| {
                let rows = store::objects_after(query, after, CHUNK_LINES as i64)?;
                let mut missing = Vec::new();
                for kind in rows.iter().map(|row| row.kind).collect::<HashSet<_>>() {
                    let ids: Vec<_> = rows.iter().filter(|row| row.kind == kind).map(|row| row.id.local).collect();
                    for info in sections_of(kind) {
                        let found = store::load_dyn_sections(query, info, &ids)?;
                        let lacking = ids.iter().filter(|id| !found.contains_key(id));
                        missing.extend(lacking.map(|id| (*id, info.client_name.clone())));
                    }
                }
                Ok((rows.last().map(|row| row.id.local), missing))
            };
            let (last, mut missing) = snapshot.read(self.tenant, read).await?;
            missing.sort_unstable();
            for (object, name) in missing {
                if !problems.is_refused(object, &name) {
                    let rule = format!("of the object {object} is missing");
                    problems.add(line, Problem::new(Code::Required, rule).under(name));
                }
            }
            let Some(last) = last else { break };
            after = last;
        }
        Ok(())
    }
}

/// The object or section that a step creates, as [`ImportProblems::refuse`] takes it.
fn target_of(step: &ImportStep) -> Option<(i64, String)> {
    match step {
        ImportStep::Object(row) => Some((row.id.local, String::new())),
        ImportStep::Section { object, section } => Some((*object, section.info().client_name.clone())),
        ImportStep::Change(_) => None,
    }
}

/// The problems of a step with the steps before it. `None` when it cannot be checked, because the object that it
/// belongs or refers to was refused.
fn check_fit(
    query: &mut Query<'_>,
    step: &ImportStep,
    refused_objects: &HashSet<i64>,
) -> store::Result<Option<Vec<Problem>>> {
    let (object, section) = match step {
        ImportStep::Section { object, section } => (object, section),
        ImportStep::Change(change) => return check_version(query, change).map(Some),
        ImportStep::Object(_) => return Ok(Some(Vec::new())),
    };
    let name = section.info().client_name.clone();
    let mut references = Vec::new();
    section.references(&mut |reference| references.push(reference));
    let ids: Vec<i64> = references.iter().map(|r| r.object.local).chain([*object]).collect();
    let kinds = store::object_kinds(query, &ids)?;
    let mut problems = Vec::new();
    match kinds.get(object) {
        None if refused_objects.contains(object) => return Ok(None),
        None => problems
            .push(Problem::new(Code::NotFound, "must be the id of an object above").value(object).under("object")),
        Some((kind, _)) if !sections_of(*kind).iter().any(|own| own.table == section.info().table) => {
            let rule = format!("is not a section of the {} {object}", kind.label());
            problems.push(Problem::new(Code::WrongKind, rule).under(&name));
        }
        Some(_) => {}
    }
    let mut unclear = false;
    for reference in &references {
        let local = reference.object.local;
        let problem = match kinds.get(&local) {
            Some((kind, _)) if reference.kinds.contains(kind) => continue,
            None if refused_objects.contains(&local) => {
                unclear = true;
                continue;
            }
            Some((kind, _)) => {
                let allowed = reference.kinds.iter().map(|k| k.label()).collect::<Vec<_>>().join(", ");
                Problem::new(Code::WrongKind, format!("must be one of: {allowed}; {local} is a {}", kind.label()))
            }
            None => Problem::new(Code::NotFound, "must be the id of an object above").value(local),
        };
        problems.push(Problem { path: reference.path.clone(), ..problem }.under(&name));
    }
    Ok(if unclear && problems.is_empty() { None } else { Some(problems) })
}

/// Reports a change whose version is above that of its object. A deleted object has only its history and is not
/// checked.
fn check_version(query: &mut Query<'_>, change: &store::StoredChange) -> store::Result<Vec<Problem>> {
    let kinds = store::object_kinds(query, &[change.object])?;
    let newest = kinds.get(&change.object).map(|(_, version)| *version);
    let problem = newest.filter(|newest| change.version > *newest).map(|newest| {
        let rule = format!("must be at most {newest}, the version of the object");
        Problem::new(Code::OutOfRange, rule).value(change.version).under("version")
    });
    Ok(problem.into_iter().collect())
}

/// The problem of a line that repeats what must be unique.
fn conflict(step: &ImportStep, constraint: &str) -> Problem {
    let twice = |subject: &str| Problem::new(Code::Duplicate, format!("{subject} appears twice in the file"));
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
            Some(field) if field != "pkey" => Problem::new(Code::Duplicate, "is already used by an object above")
                .under(field)
                .under(section.info().client_name.clone()),
            _ => twice(&format!("of the object {object}")).under(section.info().client_name.clone()),
        },
        ImportStep::Change(change) => twice(&format!("of the object {}, or one of its paths,", change.object))
            .value(change.version)
            .under("version"),
    }
}
