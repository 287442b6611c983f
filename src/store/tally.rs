//! What one request asks of the store: how many statements, and on demand which.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::Result;
use super::session::{Each, EachOf, Session};
use crate::domain::Value;

/// Counts what one request asks of the store. A save that is run again counts again.
#[derive(Debug, Default)]
pub struct Tally {
    statements: AtomicU64,
    list: Option<Mutex<Listing>>,
}

/// What a request has asked, by name, each in the order of its first time.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The texts of its statements, which hold no value, and how often each was run.
    pub statements: Vec<(&'static str, u64)>,
    /// Its batches of look-ups: what was looked up, and how many keys.
    pub batches: Vec<(&'static str, usize)>,
}

impl Tally {
    /// One that also remembers names, for who wants to see them.
    pub fn with_names() -> Self {
        Self { list: Some(Mutex::default()), ..Self::default() }
    }

    /// How many statements have been run, without those that begin and end transactions.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    /// The names; `None` if they are not remembered.
    pub fn names(&self) -> Option<Listing> {
        // A poisoned lock only means that another thread panicked; the lists are whole.
        self.list.as_ref().map(|list| list.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn remember(&self, what: impl FnOnce(&mut Listing)) {
        if let Some(list) = &self.list {
            what(&mut list.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    pub(super) fn statement(&self, sql: &'static str) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.remember(|listing| match listing.statements.iter_mut().find(|(known, _)| *known == sql) {
            Some((_, times)) => *times += 1,
            None => listing.statements.push((sql, 1)),
        });
    }

    pub(super) fn batch(&self, of: &'static str, keys: usize) {
        self.remember(|listing| listing.batches.push((of, keys)));
    }
}

/// A session whose statements are counted for a request.
pub(super) struct Tallied<'a> {
    pub(super) session: &'a mut dyn Session,
    pub(super) tally: &'a Tally,
}

impl Session for Tallied<'_> {
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        self.tally.statement(sql);
        self.session.scan(sql, params, each)
    }

    fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        asks.iter().for_each(|(sql, _)| self.tally.statement(sql));
        self.session.scan_all(asks, each)
    }

    fn is_remote(&self) -> bool {
        self.session.is_remote()
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        self.tally.statement(sql);
        self.session.execute(sql, params)
    }

    fn later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        self.tally.statement(sql);
        self.session.later(sql, params)
    }
}
