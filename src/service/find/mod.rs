//! Finding objects: pages of a kind in any order, filtered and searched.
//!
//! The filter is evaluated here, on rows that come in order: those that an index names, when something in the filter or
//! a word of the search is rare enough; otherwise those of the list itself, chunk by chunk until the page is full.

mod cursor;
mod filter;
mod measure;

pub use cursor::Cursor;
pub use filter::{Filter, Leaf, TextTest};
pub use measure::Measure;

use std::sync::Arc;

use crate::domain::{BEHIND_ALL, Kind, words};
use crate::store::{self, ObjectRow, OrderDirection, OrderField, Probe, Query, Result, SortRange};

/// An index that names more objects than this is not asked further: the list itself fills a page as quickly.
const FEW: usize = 2000;
/// The most rows that are looked at together.
const CHUNK: usize = 1000;
/// The most words of a search.
const TERMS: usize = 8;

/// What is looked for in the objects of one kind.
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
    /// Whether there are more behind them.
    pub more: bool,
}

impl Find {
    /// All objects of a kind.
    pub fn all(kind: Kind) -> Self {
        let field = if kind == Kind::VirtualExtension { OrderField::Number } else { OrderField::Name };
        Self { kind, order: (field, OrderDirection::Asc), filter: Filter::And(Vec::new()), terms: Vec::new() }
    }

    /// In this order.
    pub fn in_order(self, field: OrderField, direction: OrderDirection) -> Self {
        Self { order: (field, direction), ..self }
    }

    /// Only those that a filter lets through.
    pub fn filtered(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// Only those that have, for each word of a text, a word that begins with it.
    ///
    /// # Errors
    /// One sentence when there are too many words.
    pub fn searched(self, text: &str) -> std::result::Result<Self, String> {
        let mut terms = words(text);
        terms.sort_unstable();
        terms.dedup();
        match terms.len() {
            0..=TERMS => Ok(Self { terms, ..self }),
            many => Err(format!("search must have at most {TERMS} words; it has {many}.")),
        }
    }

    /// Where an object stands in the list.
    fn cursor(&self, row: &ObjectRow) -> String {
        Cursor::text(self.order, row)
    }

    /// The place behind a cursor; `None` for what no list of this order has answered.
    pub fn place(&self, cursor: &str) -> Option<Cursor> {
        Cursor::parse(self.order, cursor)
    }

    /// The page of at most `first` objects behind a cursor.
    ///
    /// # Errors
    /// What the store answers.
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
        find.each(query, span, first + 1, &mut |row| {
            rows.push(row);
            rows.len() <= first
        })?;
        let more = rows.len() > first;
        rows.truncate(first);
        let rows =
            rows.into_iter().map(|row| (self.cursor(&row), row)).map(|(cursor, row)| (Arc::new(row), cursor)).collect();
        Ok(Page { rows, more })
    }

    /// How many objects there are.
    ///
    /// # Errors
    /// What the store answers.
    pub fn count(&self, query: &mut Query<'_>) -> Result<i64> {
        if self.is_everything() {
            return store::count_objects(query, self.kind);
        }
        if self.is_one_span() {
            return store::count_in_range(query, self.kind, self.order.0, &self.span());
        }
        let (find, mut count) = (self.resolved(query)?, 0);
        find.each(query, find.span(), CHUNK, &mut |_| {
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

    /// Whether what is looked for is all that lies between two places of the sorted list, so that an index alone finds and
    /// counts it: nothing is asked, or what the order knows.
    pub fn is_one_span(&self) -> bool {
        let is_of_leaves = match &self.filter {
            Filter::And(all) => all.iter().all(|filter| matches!(filter, Filter::Is(_))),
            Filter::Is(_) => true,
            Filter::Or(_) | Filter::Not(_) => false,
        };
        self.terms.is_empty() && is_of_leaves && self.filter.leaves().iter().all(|leaf| leaf.is_span(self.order.0))
    }

    /// What of the sorted list can hold anything that is looked for.
    fn span(&self) -> SortRange {
        let leaves = self.filter.leaves().into_iter();
        leaves.filter_map(|leaf| leaf.span(self.order.0)).fold(self.order.0.full_range(), SortRange::intersection)
    }

    /// Hands out what is looked for, in order, until `each` wants no more. `expected` says how many that may be.
    fn each(
        &self,
        query: &mut Query<'_>,
        mut span: SortRange,
        expected: usize,
        each: &mut dyn FnMut(ObjectRow) -> bool,
    ) -> Result<()> {
        let (field, direction) = self.order;
        if let Some(ids) = self.few(query)? {
            let mut rows: Vec<_> = store::load_objects(query, &ids)?.into_values().collect();
            rows.retain(|row| row.kind == self.kind && span.contains(&field.position(row)));
            rows.sort_by_cached_key(|row| field.position(row));
            if direction == OrderDirection::Desc {
                rows.reverse();
            }
            for chunk in rows.chunks(expected.clamp(100, CHUNK)) {
                if !self.matching(query, chunk.to_vec())?.into_iter().all(&mut *each) {
                    break;
                }
            }
            return Ok(());
        }
        let mut size = expected.min(CHUNK);
        loop {
            let rows = store::objects_in_range(query, self.kind, self.order, &span, size)?;
            let Some(last) = rows.last().filter(|_| rows.len() == size).map(|row| field.position(row)) else {
                self.matching(query, rows)?.into_iter().all(each);
                return Ok(());
            };
            if !self.matching(query, rows)?.into_iter().all(&mut *each) {
                return Ok(());
            }
            match direction {
                OrderDirection::Asc => span.from = last,
                OrderDirection::Desc => span.to = last,
            }
            size = (size * 2).min(CHUNK);
        }
    }

    /// The ids among which everything is that is looked for, when an index names few of them.
    fn few(&self, query: &mut Query<'_>) -> Result<Option<Vec<i64>>> {
        let of_term = |term: &String| vec![Probe::Words(term.clone(), format!("{term}{BEHIND_ALL}"))];
        let leaves = self.filter.leaves();
        // What bounds the list itself needs no index besides.
        let leaves = leaves.iter().filter(|leaf| leaf.span(self.order.0).is_none()).filter_map(|leaf| leaf.probes());
        let mut fewest: Option<Vec<i64>> = None;
        for probes in leaves.chain(self.terms.iter().map(of_term)).collect::<Vec<_>>() {
            let most = fewest.as_ref().map_or(FEW, Vec::len);
            if let Some(ids) = union(query, self.kind, &probes, most)? {
                fewest = Some(ids);
            }
        }
        Ok(fewest)
    }

    /// Those rows that the filter and the search let through, in their order.
    fn matching(&self, query: &mut Query<'_>, mut rows: Vec<ObjectRow>) -> Result<Vec<ObjectRow>> {
        let mut facts = filter::FactValues::default();
        // What the rows alone decide needs no more reading.
        rows.retain(|row| self.filter.judge(row, &facts) != Some(false));
        if rows.iter().any(|row| self.filter.judge(row, &facts).is_none()) {
            let ids: Vec<_> = rows.iter().map(|row| row.id.local).collect();
            for fact in self.filter.facts() {
                facts.insert(fact, store::load_facts(query, fact, &ids)?);
            }
            rows.retain(|row| self.filter.judge(row, &facts) == Some(true));
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

/// What any of some probes finds, without repetition; `None` when it is more than `most`.
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
