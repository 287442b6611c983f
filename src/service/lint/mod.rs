//! Finds errors and warnings in a whole tenant. Every object is checked as in a save, and its expressions are tried on
//! the numbers that the tenant is known to use.
//!
//! A tenant is scanned by id, some hundred objects at a time, until a page is full or its time is over. In both cases
//! the next page can continue where this one ended, even in the middle of an expression. So a large tenant takes more
//! pages, but each page is answered in time. Values that must be unique are not checked: saves enforce that, and there
//! is no other way to break it.

mod finding;
mod place;
mod scan;

use std::sync::Arc;

pub use self::finding::{Finding, Findings, Lint, Severity};
pub use self::place::LintPlace;
use self::scan::{Scan, ScanEnd, TimeBudget};
use crate::domain::Kind;
use crate::form::{Checked, Place};
use crate::objects::KindInfo;
use crate::store::{self, Deadline, ObjectRow, Query, Result};

/// How many objects are read together.
const CHUNK: usize = 500;
/// How many of them may have entries, because each may have 1000.
const CHUNK_WITH_ENTRIES: usize = 20;

impl Lint {
    /// The page of at most `first` findings after a place. The page ends early when half of the time until the deadline
    /// is over.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn page(
        &self,
        query: &mut Query<'_>,
        first: usize,
        after: Option<LintPlace>,
        now: i64,
        deadline: Option<Deadline>,
    ) -> Result<Findings> {
        let time = TimeBudget::until(deadline);
        let tenant = store::current_tenant(query)?;
        let area = tenant.settings.area_code_rule();
        let (numbers, findings, progressed) = (None, Vec::new(), false);
        let mut scan = Scan { lint: self, tenant: &tenant, first, time, numbers, findings, progressed };
        let start = after.unwrap_or_default();
        if start.object == 0 && self.kinds.is_none() {
            let own: Vec<_> = tenant.settings.expression().into_iter().collect();
            if let Some(stop) = scan.object(query, None, Checked::default(), &own, start)? {
                return Ok(scan.into_findings(Some(stop)));
            }
        }
        let mut last_id = (start.object - 1).max(0);
        loop {
            let mut rows = store::objects_after(query, last_id, CHUNK as i64)?;
            let complete = self.limit_chunk(&mut rows);
            let last = rows.len() < CHUNK && complete;
            last_id = rows.last().map_or(last_id, |row| row.id.local);
            rows.retain(|row| self.includes(row.kind));
            let rows: Vec<_> = rows.into_iter().map(Arc::new).collect();
            if let Some(stop) = scan.chunk(query, &rows, start, &area, now)? {
                return Ok(scan.into_findings(Some(stop)));
            }
            if last {
                return Ok(scan.into_findings(None));
            }
            scan.progressed = true;
            // To find out whether more findings follow a full page could take as long as another page.
            if scan.findings.len() == first || scan.is_late() {
                return Ok(scan.into_findings(Some(ScanEnd::Late(LintPlace::before(last_id.saturating_add(1))))));
            }
        }
    }

    /// Drops objects that would be too many to read at once. Returns true if none were dropped.
    fn limit_chunk(&self, rows: &mut Vec<ObjectRow>) -> bool {
        let mut with_entries =
            rows.iter().enumerate().filter(|(_, row)| self.includes(row.kind) && has_entries(row.kind));
        let cut = with_entries.nth(CHUNK_WITH_ENTRIES).map(|(i, _)| i);
        rows.truncate(cut.unwrap_or(rows.len()));
        cut.is_none()
    }
}

/// Whether objects of this kind have lists of entries.
fn has_entries(kind: Kind) -> bool {
    let own =
        |kind: &KindInfo| kind.detail.fields.iter().any(|f| matches!(f.place, Place::Rows(rows) if !rows.slotted));
    KindInfo::for_kind(kind).is_some_and(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_with_entries_are_recognised() {
        assert!(
            has_entries(Kind::CallerIdRuleSet) && has_entries(Kind::PhoneBook) && has_entries(Kind::RoutingProfile)
        );
        assert!(!has_entries(Kind::VirtualExtension) && !has_entries(Kind::PagingGroup) && !has_entries(Kind::Did));
    }
}
