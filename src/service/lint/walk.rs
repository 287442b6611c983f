//! The walk through a tenant: objects are checked, and their expressions tried, until the page is full or its time is
//! over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::finding::{Finding, Findings, Lint, Severity};
use super::place::LintPlace;
use crate::domain::{Kind, Problem, Stopwatch};
use crate::form::{AreaCode, Checked, Expression, Facts, KnownNumbers, Surroundings, Tried};
use crate::service::checkable::Checkable;
use crate::service::document::Document;
use crate::service::facts;
use crate::store::{self, Deadline, ObjectRow, Query, Result, TenantRow};

/// How long a page may be looked for. The other half of a request's time is for what runs already when it is over, and
/// for the answer.
pub(super) struct Time {
    begun: Stopwatch,
    limit: Option<Duration>,
}

impl Time {
    pub(super) fn of(deadline: Option<Deadline>) -> Self {
        Self { begun: Stopwatch::start(), limit: deadline.map(|deadline| deadline.remaining() / 2) }
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.begun.elapsed() >= limit)
    }
}

/// Why a walk ends before the tenant does.
pub(super) enum WalkEnd {
    /// There is a finding more than the page takes.
    Full,
    /// The time is over: this is how far it came.
    Late(LintPlace),
}

/// One page on its way.
pub(super) struct Walk<'a> {
    pub(super) lint: &'a Lint,
    pub(super) tenant: &'a TenantRow,
    pub(super) first: usize,
    pub(super) time: Time,
    /// Read when the first expression is met.
    pub(super) numbers: Option<KnownNumbers>,
    pub(super) findings: Vec<Finding>,
    /// Whether the page has come any further than the last one: only then may it end for want of time.
    pub(super) further: bool,
}

impl Walk<'_> {
    pub(super) fn is_late(&self) -> bool {
        self.further && self.time.is_over()
    }

    /// Looks at one object, or at the tenant itself, from a place on.
    pub(super) fn object(
        &mut self,
        query: &mut Query<'_>,
        object: Option<&Arc<ObjectRow>>,
        checked: Checked,
        expressions: &[Expression<'_>],
        from: LintPlace,
    ) -> Result<Option<WalkEnd>> {
        let errors = checked.errors.into_iter().map(|problem| (Severity::Error, problem));
        let warnings = checked.warnings.into_iter().map(|problem| (Severity::Warning, problem));
        let found: Vec<_> = errors.chain(warnings).collect();
        let all = LintPlace { findings: found.len(), ..LintPlace::before(from.object) };
        for (i, (severity, problem)) in found.into_iter().enumerate().skip(from.findings) {
            let place = LintPlace { findings: i + 1, ..LintPlace::before(from.object) };
            if self.finds(object, severity, problem, place) {
                return Ok(Some(WalkEnd::Full));
            }
        }
        let tries = if self.lint.tries() { expressions } else { &[] };
        for (i, expression) in tries.iter().enumerate().skip(from.expressions) {
            let tried = if i == from.expressions { from.texts } else { 0 };
            if self.is_late() {
                return Ok(Some(WalkEnd::Late(LintPlace { expressions: i, texts: tried, ..all })));
            }
            let numbers = match &mut self.numbers {
                Some(numbers) => numbers,
                none => none.insert(store::known_numbers(query)?),
            };
            let fails = numbers.fails(expression, tried, &|| !self.time.is_over());
            self.further = true;
            match fails {
                Tried::Fits => {}
                Tried::Fails => {
                    let place = LintPlace { expressions: i + 1, ..all };
                    if self.finds(object, Severity::Warning, expression.doubt(), place) {
                        return Ok(Some(WalkEnd::Full));
                    }
                }
                Tried::Stopped(texts) => return Ok(Some(WalkEnd::Late(LintPlace { expressions: i, texts, ..all }))),
            }
        }
        self.further = true;
        Ok(None)
    }

    /// Takes a finding, if it is asked for; whether it is one more than the page takes.
    fn finds(
        &mut self,
        object: Option<&Arc<ObjectRow>>,
        severity: Severity,
        problem: Problem,
        place: LintPlace,
    ) -> bool {
        let finding = Finding { object: object.cloned(), severity, problem, place };
        if self.lint.wants(&finding) {
            self.findings.push(finding);
        }
        self.findings.len() > self.first
    }

    /// Looks at some objects. The number of statements depends on the number of kinds, not on that of objects.
    pub(super) fn chunk(
        &mut self,
        query: &mut Query<'_>,
        rows: &[Arc<ObjectRow>],
        start: LintPlace,
        area: &AreaCode,
        now: i64,
    ) -> Result<Option<WalkEnd>> {
        let mut of_kinds: HashMap<Kind, Vec<ObjectRow>> = HashMap::new();
        rows.iter().for_each(|row| of_kinds.entry(row.kind).or_default().push((**row).clone()));
        let mut loaded: HashMap<i64, Document> = HashMap::new();
        for (kind, rows) in of_kinds {
            loaded.extend(Document::load(query, kind, &rows)?);
        }
        let objects: Vec<_> = loaded.values().map(Document::checkable).collect();
        let around = facts::around(query, self.tenant, &objects, now)?;
        for row in rows {
            let Some(object) = loaded.get(&row.id.local) else { continue };
            let from = if row.id.local == start.object { start } else { LintPlace::before(row.id.local) };
            if self.is_late() {
                return Ok(Some(WalkEnd::Late(from)));
            }
            let object = object.checkable();
            let checked = check(object, row, &around);
            let mut expressions = Vec::new();
            object.expressions(area, &mut |expression| expressions.push(expression));
            if let Some(stop) = self.object(query, Some(row), checked, &expressions, from)? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    pub(super) fn ended(mut self, stop: Option<WalkEnd>) -> Findings {
        self.findings.truncate(self.first);
        let more = stop.is_some();
        let goes_on = match stop {
            Some(WalkEnd::Late(place)) => Some(place),
            Some(WalkEnd::Full) | None => None,
        };
        Findings { findings: self.findings, more, goes_on }
    }
}

fn check(object: &dyn Checkable, row: &ObjectRow, around: &Arc<Surroundings>) -> Checked {
    let defaults = row.kind == Kind::FormDefaults;
    let own = Some(row.id).filter(|_| !defaults);
    let facts = Facts { own, defaults, around: Arc::clone(around), ..Facts::default() };
    let mut checked = object.check(&facts);
    object.lint(&facts, &mut checked);
    checked
}
