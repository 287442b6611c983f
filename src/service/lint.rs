//! What is wrong, or looks wrong, in a whole tenant: every object is checked as its save would be, and its expressions are
//! tried on the numbers that the tenant is known to have to do with.
//!
//! A tenant is walked by id, some hundred objects at a time, until a page is full or its time is over. Either way the page
//! ends at a place from which the next one goes on, even in the middle of an expression: what takes long takes more pages,
//! and every page comes. What two objects may not have alike is not asked: each save sees to that alone, and nothing else
//! can bring it about.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::checkable::Checkable;
use super::document::Document;
use super::facts;
use crate::domain::{Code, Kind, Problem, Stopwatch, opaque, words};
use crate::form::{AreaCode, Checked, Expression, Facts, KnownNumbers, Place as Kept, Surroundings, Tried};
use crate::objects::KindInfo;
use crate::store::{self, Deadline, ObjectRow, Query, Result, TenantRow};

/// How many objects are read together.
const CHUNK: usize = 500;
/// How many of them may be of a kind with entries, of which each may have 1000.
const CHUNK_WITH_ENTRIES: usize = 20;

words! {
    "Severity";
    /// How bad a finding is.
    pub enum Severity {
        /// A rule is broken: a save of this part of the object would be refused.
        Error = "ERROR",
        /// It looks wrong.
        Warning = "WARNING",
    }
}

/// Which findings are asked for.
#[derive(Clone, Debug, Default)]
pub struct Lint {
    /// Only those that are so bad; `None` is all.
    pub severity: Option<Severity>,
    /// Only those with these codes; `None` is all.
    pub codes: Option<Vec<Code>>,
    /// Only those about objects of these kinds; `None` is all, and the tenant itself.
    pub kinds: Option<Vec<Kind>>,
}

/// Something that is wrong, or looks wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What it is about; `None` for the tenant itself.
    pub object: Option<Arc<ObjectRow>>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub problem: Problem,
    /// Where it stands among all of the tenant's.
    pub place: Place,
}

/// A page of findings.
#[derive(Debug)]
pub struct Findings {
    /// The findings in order.
    pub findings: Vec<Finding>,
    /// Whether there may be more behind them.
    pub more: bool,
    /// Where the next page begins, when that is not right behind the last finding.
    pub goes_on: Option<Place>,
}

/// How far a tenant has been looked over, whichever findings are asked for: all objects before this one, and of this one
/// so much. The tenant itself stands before all objects, which count from 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Place {
    object: i64,
    /// How many of the findings that its check makes.
    findings: usize,
    /// How many of its expressions, which come behind the check.
    expressions: usize,
    /// On how many texts the next expression was tried.
    texts: usize,
}

impl Place {
    fn before(object: i64) -> Self {
        Self { object, ..Self::default() }
    }

    /// The place in the opaque form that clients see.
    pub fn cursor(self) -> String {
        let Self { object, findings, expressions, texts } = self;
        opaque::write(format!("{object}.{findings}.{expressions}.{texts}"))
    }

    /// The place of a cursor; `None` for what no server has answered.
    pub fn of(cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let (object, rest) = plain.split_once('.')?;
        let mut counts = rest.splitn(3, '.').map(|count| count.parse().ok());
        let (findings, expressions, texts) = (counts.next()??, counts.next()??, counts.next()??);
        let place = Self { object: object.parse().ok()?, findings, expressions, texts };
        (place.object >= 0 && place.cursor() == cursor).then_some(place)
    }
}

/// How long a page may be looked for. The other half of a request's time is for what runs already when it is over, and
/// for the answer.
struct Time {
    begun: Stopwatch,
    limit: Option<Duration>,
}

impl Time {
    fn of(deadline: Option<Deadline>) -> Self {
        Self { begun: Stopwatch::start(), limit: deadline.map(|deadline| deadline.remaining() / 2) }
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| self.begun.elapsed() >= limit)
    }
}

/// Why a walk ends before the tenant does.
enum Stop {
    /// There is a finding more than the page takes.
    Full,
    /// The time is over: this is how far it came.
    Late(Place),
}

/// One page on its way.
struct Walk<'a> {
    lint: &'a Lint,
    tenant: &'a TenantRow,
    first: usize,
    time: Time,
    /// Read when the first expression is met.
    numbers: Option<KnownNumbers>,
    findings: Vec<Finding>,
    /// Whether the page has come any further than the last one: only then may it end for want of time.
    further: bool,
}

impl Walk<'_> {
    fn is_late(&self) -> bool {
        self.further && self.time.is_over()
    }

    /// Looks at one object, or at the tenant itself, from a place on.
    fn object(
        &mut self,
        query: &mut Query<'_>,
        object: Option<&Arc<ObjectRow>>,
        checked: Checked,
        expressions: &[Expression<'_>],
        from: Place,
    ) -> Result<Option<Stop>> {
        let errors = checked.errors.into_iter().map(|problem| (Severity::Error, problem));
        let warnings = checked.warnings.into_iter().map(|problem| (Severity::Warning, problem));
        let found: Vec<_> = errors.chain(warnings).collect();
        let all = Place { findings: found.len(), ..Place::before(from.object) };
        for (i, (severity, problem)) in found.into_iter().enumerate().skip(from.findings) {
            let place = Place { findings: i + 1, ..Place::before(from.object) };
            if self.finds(object, severity, problem, place) {
                return Ok(Some(Stop::Full));
            }
        }
        let tries = if self.lint.tries() { expressions } else { &[] };
        for (i, expression) in tries.iter().enumerate().skip(from.expressions) {
            let tried = if i == from.expressions { from.texts } else { 0 };
            if self.is_late() {
                return Ok(Some(Stop::Late(Place { expressions: i, texts: tried, ..all })));
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
                    let place = Place { expressions: i + 1, ..all };
                    if self.finds(object, Severity::Warning, expression.doubt(), place) {
                        return Ok(Some(Stop::Full));
                    }
                }
                Tried::Stopped(texts) => return Ok(Some(Stop::Late(Place { expressions: i, texts, ..all }))),
            }
        }
        self.further = true;
        Ok(None)
    }

    /// Takes a finding, if it is asked for; whether it is one more than the page takes.
    fn finds(&mut self, object: Option<&Arc<ObjectRow>>, severity: Severity, problem: Problem, place: Place) -> bool {
        let finding = Finding { object: object.cloned(), severity, problem, place };
        if self.lint.wants(&finding) {
            self.findings.push(finding);
        }
        self.findings.len() > self.first
    }

    fn ended(mut self, stop: Option<Stop>) -> Findings {
        self.findings.truncate(self.first);
        let more = stop.is_some();
        let goes_on = match stop {
            Some(Stop::Late(place)) => Some(place),
            Some(Stop::Full) | None => None,
        };
        Findings { findings: self.findings, more, goes_on }
    }
}

impl Lint {
    /// The page of at most `first` findings behind a place. It is shorter when half of the time until the deadline is over.
    ///
    /// # Errors
    /// What the store answers.
    pub fn page(
        &self,
        query: &mut Query<'_>,
        first: usize,
        after: Option<Place>,
        now: i64,
        deadline: Option<Deadline>,
    ) -> Result<Findings> {
        let time = Time::of(deadline);
        let tenant = store::own_tenant(query)?;
        let area = tenant.settings.prefixing();
        let (numbers, findings, further) = (None, Vec::new(), false);
        let mut walk = Walk { lint: self, tenant: &tenant, first, time, numbers, findings, further };
        let start = after.unwrap_or_default();
        if start.object == 0 && self.kinds.is_none() {
            let own: Vec<_> = tenant.settings.expression().into_iter().collect();
            if let Some(stop) = walk.object(query, None, Checked::default(), &own, start)? {
                return Ok(walk.ended(Some(stop)));
            }
        }
        let mut behind = (start.object - 1).max(0);
        loop {
            let mut rows = store::objects_after(query, behind, CHUNK as i64)?;
            let whole = self.cut(&mut rows);
            let last = rows.len() < CHUNK && whole;
            behind = rows.last().map_or(behind, |row| row.id.local);
            rows.retain(|row| self.asks_for(row.kind));
            let rows: Vec<_> = rows.into_iter().map(Arc::new).collect();
            if let Some(stop) = walk.chunk(query, &rows, start, &area, now)? {
                return Ok(walk.ended(Some(stop)));
            }
            if last {
                return Ok(walk.ended(None));
            }
            walk.further = true;
            // Whether there is more behind a page that is full would take as long as another page.
            if walk.findings.len() == first || walk.is_late() {
                return Ok(walk.ended(Some(Stop::Late(Place::before(behind.saturating_add(1))))));
            }
        }
    }

    /// Leaves away what would be too much to read at once; whether nothing was left away.
    fn cut(&self, rows: &mut Vec<ObjectRow>) -> bool {
        let mut with_entries =
            rows.iter().enumerate().filter(|(_, row)| self.asks_for(row.kind) && has_entries(row.kind));
        let cut = with_entries.nth(CHUNK_WITH_ENTRIES).map(|(i, _)| i);
        rows.truncate(cut.unwrap_or(rows.len()));
        cut.is_none()
    }

    fn asks_for(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Whether expressions are tried at all.
    fn tries(&self) -> bool {
        self.severity != Some(Severity::Error)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&Code::MatchesNothing))
    }

    fn wants(&self, finding: &Finding) -> bool {
        self.severity.is_none_or(|severity| finding.severity == severity)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&finding.problem.code))
    }
}

impl Walk<'_> {
    /// Looks at some objects. The number of statements depends on the number of kinds, not on that of objects.
    fn chunk(
        &mut self,
        query: &mut Query<'_>,
        rows: &[Arc<ObjectRow>],
        start: Place,
        area: &AreaCode,
        now: i64,
    ) -> Result<Option<Stop>> {
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
            let from = if row.id.local == start.object { start } else { Place::before(row.id.local) };
            if self.is_late() {
                return Ok(Some(Stop::Late(from)));
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
}

fn check(object: &dyn Checkable, row: &ObjectRow, around: &Arc<Surroundings>) -> Checked {
    let defaults = row.kind == Kind::FormDefaults;
    let own = Some(row.id).filter(|_| !defaults);
    let facts = Facts { own, defaults, around: Arc::clone(around), ..Facts::default() };
    let mut checked = object.check(&facts);
    object.lint(&facts, &mut checked);
    checked
}

/// Whether objects of this kind have entries of their own.
fn has_entries(kind: Kind) -> bool {
    let own = |kind: &KindInfo| kind.detail.fields.iter().any(|f| matches!(f.place, Kept::Rows(rows) if !rows.slotted));
    KindInfo::of(kind).is_some_and(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_and_nothing_else_does() {
        let far = Place { object: i64::MAX, findings: 7, expressions: 1000, texts: 60_000 };
        for place in [Place::default(), Place::before(3), far] {
            assert_eq!(Place::of(&place.cursor()), Some(place));
        }
        for plain in
            ["", "1", "1.", "1.0", "1.0.0", "-1.0.0.0", "1.-1.0.0", "01.0.0.0", "1.0.0.0.0", "+1.0.0.0", "x.0.0.0"]
        {
            assert_eq!(Place::of(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(Place::of("!"), None);
    }

    #[test]
    fn what_may_be_large_is_read_in_small_parts() {
        assert!(
            has_entries(Kind::CallerIdRuleSet) && has_entries(Kind::PhoneBook) && has_entries(Kind::RoutingProfile)
        );
        assert!(!has_entries(Kind::VirtualExtension) && !has_entries(Kind::PagingGroup) && !has_entries(Kind::Did));
    }
}
