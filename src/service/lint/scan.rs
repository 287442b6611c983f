//! The scan of a tenant: checks objects and tries their expressions until the page is full or its time is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::finding::{Finding, Findings, Lint, Severity};
use super::place::LintPlace;
use crate::domain::{Kind, Problem, Stopwatch};
use crate::form::{AreaCode, Checked, Expression, Facts, KnownNumbers, MatchOutcome, TenantFacts};
use crate::service::checkable::Checkable;
use crate::service::document::Document;
use crate::service::tenant_facts;
use crate::store::{self, Deadline, ObjectRow, Query, Result, TenantRow};

/// The time for a page: half of the time of the request. The other half is for the step that is running when it is
/// over, and for the answer.
pub(super) struct TimeBudget {
    watch: Stopwatch,
    limit: Option<Duration>,
}

impl TimeBudget {
    pub(super) fn until(deadline: Option<Deadline>) -> Self {
        Self { watch: Stopwatch::start(), limit: deadline.map(|deadline| deadline.remaining() / 2) }
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.watch.elapsed() >= limit)
    }
}

/// Why a scan ends before the tenant does.
pub(super) enum ScanEnd {
    /// There is one more finding than fits on the page.
    Full,
    /// The time is over; the scan has come this far.
    Late(LintPlace),
}

/// The scan for one page.
pub(super) struct Scan<'a> {
    pub(super) lint: &'a Lint,
    pub(super) tenant: &'a TenantRow,
    pub(super) first: usize,
    pub(super) time: TimeBudget,
    /// Loaded for the first expression.
    pub(super) numbers: Option<KnownNumbers>,
    pub(super) findings: Vec<Finding>,
    /// Whether the page has made any progress: only then may it end because its time is over.
    pub(super) progressed: bool,
}

impl Scan<'_> {
    pub(super) fn is_late(&self) -> bool {
        self.progressed && self.time.is_over()
    }

    /// Adds the findings about one object, or the tenant itself, starting at a place.
    pub(super) fn object(
        &mut self,
        query: &mut Query<'_>,
        object: Option<&Arc<ObjectRow>>,
        checked: Checked,
        expressions: &[Expression<'_>],
        from: LintPlace,
    ) -> Result<Option<ScanEnd>> {
        let errors = checked.errors.into_iter().map(|problem| (Severity::Error, problem));
        let warnings = checked.warnings.into_iter().map(|problem| (Severity::Warning, problem));
        let found: Vec<_> = errors.chain(warnings).collect();
        let all = LintPlace { findings: found.len(), ..LintPlace::before(from.object) };
        for (i, (severity, problem)) in found.into_iter().enumerate().skip(from.findings) {
            let place = LintPlace { findings: i + 1, ..LintPlace::before(from.object) };
            if self.add_finding(object, severity, problem, place) {
                return Ok(Some(ScanEnd::Full));
            }
        }
        let tries = if self.lint.tries_expressions() { expressions } else { &[] };
        for (i, expression) in tries.iter().enumerate().skip(from.expressions) {
            let tried = if i == from.expressions { from.texts } else { 0 };
            if self.is_late() {
                return Ok(Some(ScanEnd::Late(LintPlace { expressions: i, texts: tried, ..all })));
            }
            let numbers = match &mut self.numbers {
                Some(numbers) => numbers,
                none => none.insert(store::known_numbers(query)?),
            };
            let outcome = numbers.try_expression(expression, tried, &|| !self.time.is_over());
            self.progressed = true;
            match outcome {
                MatchOutcome::Matches => {}
                MatchOutcome::MatchesNothing => {
                    let place = LintPlace { expressions: i + 1, ..all };
                    if self.add_finding(object, Severity::Warning, expression.warning(), place) {
                        return Ok(Some(ScanEnd::Full));
                    }
                }
                MatchOutcome::Stopped(texts) => {
                    return Ok(Some(ScanEnd::Late(LintPlace { expressions: i, texts, ..all })));
                }
            }
        }
        self.progressed = true;
        Ok(None)
    }

    /// Adds a finding if the client wants it. Returns whether there is one more than fits on the page.
    fn add_finding(
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

    /// Scans some objects. The number of statements depends on the number of kinds, not on the number of objects.
    pub(super) fn chunk(
        &mut self,
        query: &mut Query<'_>,
        rows: &[Arc<ObjectRow>],
        start: LintPlace,
        area: &AreaCode,
        now: i64,
    ) -> Result<Option<ScanEnd>> {
        let mut by_kind: HashMap<Kind, Vec<ObjectRow>> = HashMap::new();
        rows.iter().for_each(|row| by_kind.entry(row.kind).or_default().push((**row).clone()));
        let mut loaded: HashMap<i64, Document> = HashMap::new();
        for (kind, rows) in by_kind {
            loaded.extend(Document::load(query, kind, &rows)?);
        }
        let objects: Vec<_> = loaded.values().map(Document::checkable).collect();
        let tenant_facts = tenant_facts::load_for(query, self.tenant, &objects, now)?;
        for row in rows {
            let Some(object) = loaded.get(&row.id.local) else { continue };
            let from = if row.id.local == start.object { start } else { LintPlace::before(row.id.local) };
            if self.is_late() {
                return Ok(Some(ScanEnd::Late(from)));
            }
            let object = object.checkable();
            let checked = check(object, row, &tenant_facts);
            let mut expressions = Vec::new();
            object.expressions(area, &mut |expression| expressions.push(expression));
            if let Some(stop) = self.object(query, Some(row), checked, &expressions, from)? {
                return Ok(Some(stop));
            }
        }
        Ok(None)
    }

    pub(super) fn into_findings(mut self, stop: Option<ScanEnd>) -> Findings {
        self.findings.truncate(self.first);
        let more = stop.is_some();
        let resume_at = match stop {
            Some(ScanEnd::Late(place)) => Some(place),
            Some(ScanEnd::Full) | None => None,
        };
        Findings { findings: self.findings, more, resume_at }
    }
}

fn check(object: &dyn Checkable, row: &ObjectRow, tenant_facts: &Arc<TenantFacts>) -> Checked {
    let defaults = row.kind == Kind::FormDefaults;
    let own = Some(row.id).filter(|_| !defaults);
    let facts = Facts { own, defaults, tenant: Arc::clone(tenant_facts), ..Facts::default() };
    let mut checked = object.check(&facts);
    object.lint(&facts, &mut checked);
    checked
}
