//! Finds objects: pages of one kind in any order, with a filter and a search.
//!
//! The filter is evaluated here, on rows in the order of the list. If a condition of the filter or a word of the search
//! is rare enough, these are the rows from an index; otherwise the list itself is scanned, chunk by chunk, until the
//! page is full.

mod cursor;
mod filter;
mod filter_size;

pub use cursor::Cursor;
pub use filter::{Filter, Leaf, TextTest};
pub use filter_size::FilterSize;

use std::sync::Arc;

use crate::domain::{Kind, LAST_CHARACTER, words};
use crate::store::{self, ObjectRow, OrderDirection, OrderField, Probe, Query, Result, SortRange};

/// An index is not used if it finds more objects than this: scanning the list fills a page as quickly.
const MAX_CANDIDATES: usize = 2000;
/// The maximum number of rows that are read together.
const MAX_CHUNK: usize = 1000;
/// The maximum number of words in a search.
const MAX_TERMS: usize = 8;

/// A request to find objects of one kind.
#[derive(Clone, Debug)]
pub struct Find {
    kind: Kind,
    order: (OrderField, OrderDirection),
    filter: Filter,
    terms: Vec<String>,
}

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    /// The objects in order, each with its cursor.
    pub rows: Vec<(Arc<ObjectRow>, String)>,
    /// Whether there are more objects.
    pub more: bool,
}

impl Find {
    /// All objects of a kind.
    pub fn all(kind: Kind) -> Self {
        let field = if kind == Kind::VirtualExtension { OrderField::Number } else { OrderField::Name };
        Self { kind, order: (field, OrderDirection::Asc), filter: Filter::And(Vec::new()), terms: Vec::new() }
    }

    /// Sets the order.
    pub fn in_order(self, field: OrderField, direction: OrderDirection) -> Self {
        Self { order: (field, direction), ..self }
    }

    /// Keeps only objects that match a filter.
    pub fn filtered(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Keeps only objects that have, for each word of a text, a word that begins with it. A text without a word, such as
    /// `%`, keeps none; a blank text keeps all.
    ///
    /// # Errors
    /// One sentence if there are too many words.
    pub fn searched(self, text: &str) -> std::result::Result<Self, String> {
        let mut terms = words(text);
        terms.sort_unstable();
        terms.dedup();
        match terms.len() {
            0 if !text.trim().is_empty() => Ok(Self { filter: Filter::nothing(), ..self }),
            0..=MAX_TERMS => Ok(Self { terms, ..self }),
            many => Err(format!("search must have at most {MAX_TERMS} words; it has {many}.")),
        }
    }

    /// The cursor of an object in the list.
    fn cursor(&self, row: &ObjectRow) -> String {
        Cursor::text(self.order, row)
    }

    /// The place of a cursor; `None` for a text that is not a cursor of a list with this order.
    pub fn place(&self, cursor: &str) -> Option<Cursor> {
        Cursor::parse(self.order, cursor)
    }

    /// The page of at most `first` objects after a cursor.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn page(&self, query: &mut Query<'_>, first: usize, after: Option<&Cursor>) -> Result<Page> {
        let find = self.resolved(query)?;
        let mut span = find.span();
        if let Some(Cursor(position)) = after {
            match self.order.1 {
                OrderDirection::Asc => span.from = span.from.max(position.clone()),
                OrderDirection::Desc => span.to = span.to.min(position.clone()),
            }
        }
        let mut rows = Vec::new();
        find.for_each_match(query, span, first + 1, &mut |row| {
            rows.push(row);
            rows.len() <= first
        })?;
        let more = rows.len() > first;
        rows.truncate(first);
        let rows =
            rows.into_iter().map(|row| (self.cursor(&row), row)).map(|(cursor, row)| (Arc::new(row), cursor)).collect();
        Ok(Page { rows, more })
    }

    /// The number of objects.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn count(&self, query: &mut Query<'_>) -> Result<i64> {
        if self.is_everything() {
            return store::count_objects(query, self.kind);
        }
        if self.is_one_span() {
            return store::count_in_range(query, self.kind, self.order.0, &self.span());
        }
        let (find, mut count) = (self.resolved(query)?, 0);
        find.for_each_match(query, find.span(), MAX_CHUNK, &mut |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }

    fn resolved(&self, query: &mut Query<'_>) -> Result<Self> {
        Ok(Self { filter: self.filter.resolved(query)?, terms: self.terms.clone(), ..*self })
    }

    fn is_everything(&self) -> bool {
        self.terms.is_empty() && matches!(&self.filter, Filter::And(all) if all.is_empty())
    }

    /// Whether the result is exactly one part of the sorted list, so that an index alone can find and count it: there
    /// are no conditions, or only ones on the sort key.
    pub fn is_one_span(&self) -> bool {
        let is_of_leaves = match &self.filter {
            Filter::And(all) => all.iter().all(|filter| matches!(filter, Filter::Is(_))),
            Filter::Is(_) => true,
            Filter::Or(_) | Filter::Not(_) => false,
        };
        self.terms.is_empty()
            && is_of_leaves
            && self.filter.leaves().iter().all(|leaf| leaf.is_exact_span(self.order.0))
    }

    /// The part of the sorted list that contains all results.
    fn span(&self) -> SortRange {
        let leaves = self.filter.leaves().into_iter();
        leaves.filter_map(|leaf| leaf.span(self.order.0)).fold(self.order.0.full_range(), SortRange::intersection)
    }

    /// Visits the results in order, until `visit` returns false. `expected` is the number of results that may be
    /// needed.
    fn for_each_match(
        &self,
        query: &mut Query<'_>,
        mut span: SortRange,
        expected: usize,
        visit: &mut dyn FnMut(ObjectRow) -> bool,
    ) -> Result<()> {
        let (field, direction) = self.order;
        if let Some(ids) = self.candidate_ids(query)? {
            let mut rows: Vec<_> = store::load_objects(query, &ids)?.into_values().collect();
            rows.retain(|row| row.kind == self.kind && span.contains(&field.position(row)));
            rows.sort_by_cached_key(|row| field.position(row));
            if direction == OrderDirection::Desc {
                rows.reverse();
            }
            for chunk in rows.chunks(expected.clamp(100, MAX_CHUNK)) {
                if !self.matching(query, chunk.to_vec())?.into_iter().all(&mut *visit) {
                    break;
                }
            }
            return Ok(());
        }
        let mut size = expected.min(MAX_CHUNK);
        loop {
            let rows = store::objects_in_range(query, self.kind, self.order, &span, size)?;
            let Some(last) = rows.last().filter(|_| rows.len() == size).map(|row| field.position(row)) else {
                self.matching(query, rows)?.into_iter().all(visit);
                return Ok(());
            };
            if !self.matching(query, rows)?.into_iter().all(&mut *visit) {
                return Ok(());
            }
            match direction {
                OrderDirection::Asc => span.from = last,
                OrderDirection::Desc => span.to = last,
            }
            size = (size * 2).min(MAX_CHUNK);
        }
    }

    /// Ids that include those of all results, if an index finds few of them.
    fn candidate_ids(&self, query: &mut Query<'_>) -> Result<Option<Vec<i64>>> {
        if self.filter.is_nothing() {
            return Ok(Some(Vec::new()));
        }
        let term_probe = |term: &String| vec![Probe::Words(term.clone(), format!("{term}{LAST_CHARACTER}"))];
        let leaves = self.filter.leaves();
        // Conditions that limit the list itself need no other index.
        let leaves = leaves.iter().filter(|leaf| leaf.span(self.order.0).is_none()).filter_map(|leaf| leaf.probes());
        let mut fewest: Option<Vec<i64>> = None;
        for probes in leaves.chain(self.terms.iter().map(term_probe)).collect::<Vec<_>>() {
            let most = fewest.as_ref().map_or(MAX_CANDIDATES, Vec::len);
            if let Some(ids) = union(query, self.kind, &probes, most)? {
                fewest = Some(ids);
            }
        }
        Ok(fewest)
    }

    /// The rows that match the filter and the search, in order.
    fn matching(&self, query: &mut Query<'_>, mut rows: Vec<ObjectRow>) -> Result<Vec<ObjectRow>> {
        let mut facts = filter::FactValues::default();
        // First the conditions that depend on the rows alone.
        rows.retain(|row| self.filter.evaluate(row, &facts) != Some(false));
        if rows.iter().any(|row| self.filter.evaluate(row, &facts).is_none()) {
            let ids: Vec<_> = rows.iter().map(|row| row.id.local).collect();
            for fact in self.filter.facts() {
                facts.insert(fact, store::load_facts(query, fact, &ids)?);
            }
            rows.retain(|row| self.filter.evaluate(row, &facts) == Some(true));
        }
        for term in &self.terms {
            let ids: Vec<_> = rows.iter().map(|row| row.id.local).collect();
            if ids.is_empty() {
                break;
            }
            let found = store::objects_with_word(query, &ids, term)?;
            rows.retain(|row| found.contains(&row.id.local));
        }
        Ok(rows)
    }
}

/// The distinct results of several lookups; `None` if there are more than `most`.
fn union(query: &mut Query<'_>, kind: Kind, probes: &[Probe], most: usize) -> Result<Option<Vec<i64>>> {
    let mut ids = Vec::new();
    for probe in probes {
        match store::run_probe(query, kind, probe, most)? {
            Some(more) => ids.extend(more),
            None => return Ok(None),
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok((ids.len() <= most).then_some(ids))
}
