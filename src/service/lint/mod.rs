//! What is wrong, or looks wrong, in a whole tenant: every object is checked as its save would be, and its expressions are
//! tried on the numbers that the tenant is known to have to do with.
//!
//! A tenant is walked by id, some hundred objects at a time, until a page is full or its time is over. Either way the page
//! ends at a place from which the next one goes on, even in the middle of an expression: what takes long takes more pages,
//! and every page comes. What two objects may not have alike is not asked: each save sees to that alone, and nothing else
//! can bring it about.

mod finding;
mod place;
mod walk;

use std::sync::Arc;

pub use self::finding::{Finding, Findings, Lint, Severity};
pub use self::place::LintPlace;
use self::walk::{Time, Walk, WalkEnd};
use crate::domain::Kind;
use crate::form::{Checked, Place};
use crate::objects::KindInfo;
use crate::store::{self, Deadline, ObjectRow, Query, Result};

/// How many objects are read together.
const CHUNK: usize = 500;
/// How many of them may be of a kind with entries, of which each may have 1000.
const CHUNK_WITH_ENTRIES: usize = 20;

impl Lint {
    /// The page of at most `first` findings behind a place. It is shorter when half of the time until the deadline is over.
    ///
    /// # Errors
    /// What the store answers.
    pub fn page(
        &self,
        query: &mut Query<'_>,
        first: usize,
        after: Option<LintPlace>,
        now: i64,
        deadline: Option<Deadline>,
    ) -> Result<Findings> {
        let time = Time::of(deadline);
        let tenant = store::current_tenant(query)?;
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
                return Ok(walk.ended(Some(WalkEnd::Late(LintPlace::before(behind.saturating_add(1))))));
            }
        }
    }

    /// Drops what would be too much to read at once; true when nothing was dropped.
    fn cut(&self, rows: &mut Vec<ObjectRow>) -> bool {
        let mut with_entries =
            rows.iter().enumerate().filter(|(_, row)| self.asks_for(row.kind) && has_entries(row.kind));
        let cut = with_entries.nth(CHUNK_WITH_ENTRIES).map(|(i, _)| i);
        rows.truncate(cut.unwrap_or(rows.len()));
        cut.is_none()
    }
}

/// Whether objects of this kind have entries of their own.
fn has_entries(kind: Kind) -> bool {
    let own =
        |kind: &KindInfo| kind.detail.fields.iter().any(|f| matches!(f.place, Place::Rows(rows) if !rows.slotted));
    KindInfo::of(kind).is_some_and(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_large_is_read_in_small_parts() {
        assert!(
            has_entries(Kind::CallerIdRuleSet) && has_entries(Kind::PhoneBook) && has_entries(Kind::RoutingProfile)
        );
        assert!(!has_entries(Kind::VirtualExtension) && !has_entries(Kind::PagingGroup) && !has_entries(Kind::Did));
    }
}
