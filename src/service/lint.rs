//! What is wrong, or looks wrong, in a whole tenant: every object is checked as its save would be, and tried on the
//! numbers that the tenant is known to have to do with.
//!
//! A tenant is walked by id, some hundred objects at a time, until a page is full. What two objects may not have alike
//! is not asked: each save sees to that alone, and nothing else can bring it about.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Enum;

use super::checkable::Checkable;
use super::document::{Document, Plain};
use super::{App, facts};
use crate::domain::{Code, Kind, Problem, TenantId, opaque};
use crate::form::{Facts, Form, KnownNumbers};
use crate::objects::{self, each_detail};
use crate::store::{self, ObjectRow, Query, Result, Snapshot, TenantRow};

/// How many objects are checked together.
const CHUNK: i64 = 500;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Enum, Eq, PartialEq)]
pub enum Severity {
    /// A rule is broken: a save of this part of the object would be refused.
    Error,
    /// It looks wrong.
    Warning,
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
    /// Whether there are more behind them.
    pub more: bool,
}

/// Where a finding stands among all of a tenant's, whichever of them are asked for: the object, then the position among
/// its findings. The tenant itself stands before all objects, which count from 1.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    object: i64,
    position: usize,
}

impl Place {
    /// The place in the opaque form that clients see.
    pub fn cursor(self) -> String {
        opaque::write(format!("{}.{}", self.object, self.position))
    }

    /// The place of a cursor; `None` for what no server has answered.
    pub fn of(cursor: &str) -> Option<Self> {
        let plain = opaque::read(cursor)?;
        let (object, position) = plain.split_once('.')?;
        let place = Self { object: object.parse().ok()?, position: position.parse().ok()? };
        (place.object >= 0 && place.cursor() == cursor).then_some(place)
    }
}

impl App {
    /// The page of at most `first` findings behind a place.
    ///
    /// # Errors
    /// What the store answers.
    pub async fn lint(
        &self,
        snapshot: &Snapshot,
        tenant: TenantId,
        lint: Lint,
        first: usize,
        after: Option<Place>,
    ) -> Result<Findings> {
        let now = self.now();
        snapshot.depends_on_more();
        snapshot.read(tenant, move |query| lint.page(query, first, after, now)).await
    }
}

impl Lint {
    fn page(&self, query: &mut Query<'_>, first: usize, after: Option<Place>, now: i64) -> Result<Findings> {
        let tenant = store::own_tenant(query)?;
        // An expression is only tried on something when that is asked for.
        let tries = self.codes.as_ref().is_none_or(|codes| codes.contains(&Code::MatchesNothing));
        let mut numbers = if tries { store::known_numbers(query)? } else { KnownNumbers::default() };
        numbers.area = tenant.settings.prefixing();
        let wanted = |finding: &Finding| after.is_none_or(|after| finding.place > after) && self.wants(finding);
        let problem = tenant.settings.lint(&mut numbers);
        let mut findings: Vec<_> =
            findings(None, 0, Vec::new(), problem.into_iter().collect()).filter(wanted).collect();
        let mut behind = after.map_or(0, |after| (after.object - 1).max(0));
        while findings.len() <= first {
            let rows = store::objects_after(query, behind, CHUNK)?;
            let all = rows.len() < CHUNK as usize;
            behind = rows.last().map_or(behind, |row| row.id.local);
            let rows: Vec<_> = rows.into_iter().filter(|row| self.asks_for(row.kind)).map(Arc::new).collect();
            findings.extend(check(query, &tenant, &rows, &mut numbers, now)?.into_iter().filter(wanted));
            if all {
                break;
            }
        }
        let more = findings.len() > first;
        findings.truncate(first);
        Ok(Findings { findings, more })
    }

    fn asks_for(&self, kind: Kind) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    fn wants(&self, finding: &Finding) -> bool {
        self.severity.is_none_or(|severity| finding.severity == severity)
            && self.codes.as_ref().is_none_or(|codes| codes.contains(&finding.problem.code))
            && (finding.object.is_some() || self.kinds.is_none())
    }
}

/// The findings about one object, or about the tenant itself: errors first.
fn findings(
    object: Option<&Arc<ObjectRow>>,
    id: i64,
    errors: Vec<Problem>,
    warnings: Vec<Problem>,
) -> impl Iterator<Item = Finding> {
    let object = object.cloned();
    let errors = errors.into_iter().map(|problem| (Severity::Error, problem));
    let warnings = warnings.into_iter().map(|problem| (Severity::Warning, problem));
    errors.chain(warnings).enumerate().map(move |(position, (severity, problem))| Finding {
        object: object.clone(),
        severity,
        problem,
        place: Place { object: id, position },
    })
}

type Checkables = HashMap<i64, Box<dyn Checkable>>;

/// Checks some objects. The number of statements depends on the number of kinds, not on that of objects.
fn check(
    query: &mut Query<'_>,
    tenant: &TenantRow,
    rows: &[Arc<ObjectRow>],
    numbers: &mut KnownNumbers,
    now: i64,
) -> Result<Vec<Finding>> {
    let mut of_kinds: HashMap<Kind, Vec<ObjectRow>> = HashMap::new();
    rows.iter().for_each(|row| of_kinds.entry(row.kind).or_default().push((**row).clone()));
    let mut loaded = Checkables::new();
    for (kind, rows) in of_kinds {
        loaded.extend(load(query, kind, &rows)?);
    }
    let around = facts::around(query, tenant, &loaded.values().map(|object| &**object).collect::<Vec<_>>(), now)?;
    let mut found = Vec::new();
    for row in rows {
        let Some(object) = loaded.get(&row.id.local) else { continue };
        let defaults = row.kind == Kind::FormDefaults;
        let own = Some(row.id).filter(|_| !defaults);
        let facts = Facts { own, defaults, around: Arc::clone(&around), ..Facts::default() };
        let mut checked = object.check(&facts);
        object.lint(&facts, numbers, &mut checked);
        found.extend(findings(Some(row), row.id.local, checked.errors, checked.warnings));
    }
    Ok(found)
}

macro_rules! load {
    ($($Kind:ident / $field:ident $(/ $name:ident)*,)+) => {
        fn load(query: &mut Query<'_>, kind: Kind, rows: &[ObjectRow]) -> Result<Checkables> {
            match kind {
                Kind::VirtualExtension | Kind::FormDefaults => of::<Form>(query, rows),
                $(Kind::$Kind => of::<Plain<objects::$Kind>>(query, rows),)+
            }
        }
    };
}
each_detail!(load);

fn of<D: Document>(query: &mut Query<'_>, rows: &[ObjectRow]) -> Result<Checkables> {
    let boxed = |(id, document)| (id, Box::new(document) as Box<dyn Checkable>);
    Ok(D::load(query, rows)?.into_iter().map(boxed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_and_nothing_else_does() {
        for place in [Place { object: 0, position: 0 }, Place { object: i64::MAX, position: 7 }] {
            assert_eq!(Place::of(&place.cursor()), Some(place));
        }
        for plain in ["", "1", "1.", "-1.0", "1.-1", "01.0", "1.0.0", "+1.0", "x.0"] {
            assert_eq!(Place::of(&opaque::write(plain)), None, "{plain}");
        }
        assert_eq!(Place::of("!"), None);
    }
}
