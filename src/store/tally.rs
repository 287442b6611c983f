//! Counts the statements of one request, and lists them on demand.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::Result;
use super::session::{RowVisitor, Session, StatementRowVisitor};
use crate::domain::Value;

/// Counts the statements of one request. A save that runs again counts again.
#[derive(Debug, Default)]
pub struct Tally {
    statements: AtomicU64,
    details: Option<Mutex<TallyDetails>>,
}

/// The statements and batches of a request, in the order of their first use.
#[derive(Clone, Debug, Default)]
pub struct TallyDetails {
    /// The texts of the statements, which contain no values, and how often each was run.
    pub statements: Vec<(&'static str, u64)>,
    /// The batches of its loaders: the loader's name, and the number of keys.
    pub batches: Vec<(&'static str, usize)>,
}

impl Tally {
    /// A tally that also keeps the [`TallyDetails`].
    pub fn with_details() -> Self {
        Self { details: Some(Mutex::default()), ..Self::default() }
    }

    /// The number of statements run, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The details; `None` if they are not kept.
    pub fn details(&self) -> Option<TallyDetails> {
        // A poisoned lock only means that another thread panicked; the lists are intact.
        self.details.as_ref().map(|details| details.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn remember(&self, add: impl FnOnce(&mut TallyDetails)) {
        if let Some(details) = &self.details {
            add(&mut details.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub(super) fn count_statement(&self, sql: &'static str) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.remember(|details| match details.statements.iter_mut().find(|(known, _)| *known == sql) {
            Some((_, times)) => *times += 1,
            None => details.statements.push((sql, 1)),
        });
    }

    pub(super) fn count_batch(&self, of: &'static str, keys: usize) {
        self.remember(|details| details.batches.push((of, keys)));
    }
}

/// A session that counts its statements in a [`Tally`].
pub(super) struct CountingSession<'a> {
    pub(super) session: &'a mut dyn Session,
    pub(super) tally: &'a Tally,
}

impl Session for CountingSession<'_> {
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        self.tally.count_statement(sql);
        self.session.visit_rows(sql, params, each)
    }

    fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        queries.iter().for_each(|(sql, _)| self.tally.count_statement(sql));
        self.session.visit_all_rows(queries, each)
    }

    fn is_remote(&self) -> bool {
        self.session.is_remote()
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.tally.count_statement(sql);
        self.session.execute(sql, params)
    }

    fn execute_later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        self.tally.count_statement(sql);
        self.session.execute_later(sql, params)
    }
}
