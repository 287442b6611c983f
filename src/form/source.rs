//! Builds sections field by field, from a client's input, the database or a file.

use super::field::Field;
use super::info::{FieldOrigin, SectionInfo, Source};
use super::place::Cell;
use super::problems::wrong_shape;
use crate::domain::{Code, Patch, Problem, Sent, TenantId, Value};

impl<'a> Source<'a> {
    pub(crate) fn sent(info: &'a SectionInfo, patch: &'a Patch, report: &'a mut dyn FnMut(Problem)) -> Self {
        Self { info, next: 0, origin: FieldOrigin::Client { patch, report } }
    }

    pub(super) fn file(
        info: &'a SectionInfo,
        cells: Vec<Cell>,
        tenant: TenantId,
        report: &'a mut dyn FnMut(Problem),
    ) -> Self {
        Self { info, next: 0, origin: FieldOrigin::File { cells: cells.into_iter(), tenant, report } }
    }

    /// Builds something from stored cells.
    pub(crate) fn stored<S>(
        info: &'a SectionInfo,
        cells: Vec<Cell>,
        tenant: TenantId,
        make: impl FnOnce(&mut Self) -> Option<S>,
    ) -> Result<S, Problem> {
        let origin = FieldOrigin::Store { cells: cells.into_iter(), tenant, problem: None };
        let mut source = Self { info, next: 0, origin };
        let made = make(&mut source);
        let problem = match source.origin {
            FieldOrigin::Store { problem, .. } => problem,
            FieldOrigin::Client { .. } | FieldOrigin::File { .. } => None,
        };
        made.ok_or_else(|| problem.unwrap_or_else(wrong_shape))
    }

    /// The next field. Problems with it are reported.
    pub fn field<F: Field>(&mut self) -> Option<F> {
        let field = self.info.fields.get(self.next)?;
        self.next += 1;
        match &mut self.origin {
            FieldOrigin::Client { patch, report } => {
                built(patch.get(&field.client_name), &mut |p| report(p.under(&field.client_name)))
            }
            FieldOrigin::Store { cells, tenant, problem } => {
                let loaded = cells.next().ok_or_else(wrong_shape).and_then(|cell| F::load(cell, *tenant));
                loaded.map_err(|p| problem.get_or_insert(p.under(field.name)).path.len()).ok()
            }
            FieldOrigin::File { cells, tenant, report } => {
                let cell = cells.next()?;
                let shown = if field.secret.is_some() { None } else { shown(&cell) };
                let refused = |mut problem: Problem| {
                    if problem.path.is_empty() && problem.value.is_none() {
                        problem.value.clone_from(&shown);
                    }
                    report(problem.under(&field.client_name));
                };
                F::load_untrusted(cell, *tenant).map_err(|problems| problems.into_iter().for_each(refused)).ok()
            }
        }
    }
}

/// Builds a field from a client's input alone. Reports a broken rule or a missing value.
fn built<F: Field>(sent: Option<&Sent>, report: &mut dyn FnMut(Problem)) -> Option<F> {
    let built = match sent {
        None => F::blank(),
        Some(Sent::Null) => F::cleared(),
        Some(sent) => match F::parse(sent) {
            Ok(parsed) => Some(parsed),
            Err(problems) => {
                problems.into_iter().for_each(report);
                return None;
            }
        },
    };
    if built.is_none() {
        report(Problem::new(Code::Required, "is required"));
    }
    built
}

/// A value of a file as problems repeat it.
fn shown(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Value(Value::Text(text)) => Some(text.clone()),
        Cell::Value(Value::Int(n)) => Some(n.to_string()),
        Cell::Value(Value::Bool(b)) => Some(b.to_string()),
        _ => None,
    }
}
