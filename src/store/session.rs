//! What an engine gives: statements with parameters, inside a transaction that somebody else began.

use std::ops::{Deref, DerefMut};

use super::error::{Result, StoreError};
use crate::domain::{Counter, Row, TenantId, Value, ValueRef};

/// The value of column `i` as what it must be, or the row was not written by this program.
macro_rules! column {
    ($row:expr, $i:expr, $as:ident) => {
        $row.get($i)
            .and_then($crate::domain::Value::$as)
            .ok_or_else(|| $crate::store::StoreError::Corrupt(format!("column {} is not a {}", $i, stringify!($as))))
    };
}
pub(super) use column;

/// The row that a statement stands on.
pub trait Columns {
    /// How many columns there are.
    fn count(&self) -> usize;

    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// There is no such column, or it holds what no column of this program holds.
    fn get(&self, at: usize) -> Result<ValueRef<'_>>;
}

impl dyn Columns + '_ {
    /// The values of all columns.
    ///
    /// # Errors
    /// One holds what no column of this program holds.
    pub fn row(&self) -> Result<Row> {
        (0..self.count()).map(|at| self.get(at).map(Value::from)).collect()
    }

    /// The whole number in a column.
    ///
    /// # Errors
    /// It holds something else.
    pub fn int(&self, at: usize) -> Result<i64> {
        self.get(at)?.int().ok_or_else(|| StoreError::Corrupt(format!("column {at} is not a whole number")))
    }
}

/// Looks at the row that a statement stands on.
pub type Each<'a> = dyn FnMut(&dyn Columns) -> Result<()> + 'a;

/// Looks at the rows of several statements, which it is told by their places.
pub type EachOf<'a> = dyn FnMut(usize, &dyn Columns) -> Result<()> + 'a;

/// A connection inside a transaction. SQL is in the subset that all engines run: placeholders `$1…$n`, and
/// `= ANY($n)` for a list of ids.
pub trait Session {
    /// Runs a statement and stops at each row, in the statement's order, for `each` to look at it.
    ///
    /// # Errors
    /// What the engine answers, and what `each` answers.
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()>;

    /// Does the same for several statements that do not wait for each other: over a network they make one round trip. All
    /// rows of the first come first.
    ///
    /// # Errors
    /// As [`Session::scan`].
    fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        let mut asks = asks.iter().enumerate();
        asks.try_for_each(|(at, (sql, params))| self.scan(sql, params, &mut |columns| each(at, columns)))
    }

    /// Whether each statement waits for a network, so that fewer round trips are worth more than fewer rows.
    fn is_remote(&self) -> bool {
        false
    }

    /// Runs a statement that changes rows and says how many.
    ///
    /// # Errors
    /// What the engine answers.
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64>;

    /// Runs a statement that changes rows, of which nobody asks how many: at once, or with what is run next or makes the
    /// transaction last. Over a network all that wait so make one round trip with it.
    ///
    /// # Errors
    /// What the engine answers, to this or a statement that waited.
    fn later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        self.execute(sql, &params).map(drop)
    }
}

impl dyn Session + '_ {
    /// Runs a statement and hands each row to `each`, in the statement's order.
    ///
    /// # Errors
    /// What the engine answers, and what `each` answers.
    pub fn query(
        &mut self,
        sql: &'static str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.scan(sql, params, &mut |columns| each(columns.row()?))
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// What the engine answers.
    pub fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.query(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// What the engine answers.
    pub fn first(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.rows(sql, params)?.into_iter().next())
    }
}

/// Reads of one tenant in one snapshot. The tenant is always `$1`, bound here; parameters count from `$2`.
pub struct Query<'a> {
    session: &'a mut dyn Session,
    tenant: TenantId,
}

impl<'a> Query<'a> {
    /// Reads of a tenant, in the transaction of a session.
    pub fn new(session: &'a mut dyn Session, tenant: TenantId) -> Self {
        Self { session, tenant }
    }

    /// The tenant whose rows these statements see.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The transaction.
    pub fn session(&mut self) -> &mut dyn Session {
        self.session
    }

    fn with_tenant(&self, params: &[Value]) -> Vec<Value> {
        std::iter::once(Value::Int(self.tenant.0)).chain(params.iter().cloned()).collect()
    }

    /// Stops at each row of a statement for `each` to look at it.
    ///
    /// # Errors
    /// What the engine answers, and what `each` answers.
    pub fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        self.session.scan(sql, &self.with_tenant(params), each)
    }

    /// Stops at each row of several statements, see [`Session::scan_all`].
    ///
    /// # Errors
    /// What the engine answers, and what `each` answers.
    pub fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        let params: Vec<_> = asks.iter().map(|(_, params)| self.with_tenant(params)).collect();
        let asks: Vec<_> = asks.iter().zip(&params).map(|((sql, _), params)| (*sql, params.as_slice())).collect();
        self.session.scan_all(&asks, each)
    }

    /// Hands each row of a statement to `each`.
    ///
    /// # Errors
    /// What the engine answers, and what `each` answers.
    pub fn each(&mut self, sql: &'static str, params: &[Value], each: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        self.session.query(sql, &self.with_tenant(params), each)
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// What the engine answers.
    pub fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.session.rows(sql, &self.with_tenant(params))
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// What the engine answers.
    pub fn first(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        self.session.first(sql, &self.with_tenant(params))
    }
}

/// Reads and writes of one tenant in one transaction that holds the tenant's row.
pub struct Tx<'a> {
    query: Query<'a>,
    revision: i64,
}

impl<'a> Tx<'a> {
    const BUMP: &'static str = "UPDATE tenant SET revision = revision + 1 WHERE tenant_id = $1 RETURNING revision";

    /// Takes the tenant's row first: that makes the writers of one tenant wait for each other on every engine, and
    /// numbers their changes.
    ///
    /// # Errors
    /// What the engine answers; NO_TENANT when there is none; that it has come to its last revision.
    pub fn begin(session: &'a mut dyn Session, tenant: TenantId) -> Result<Self> {
        let bumped = session.first(Self::BUMP, &[Value::Int(tenant.0)])?.ok_or(StoreError::NoTenant)?;
        let revision = column!(bumped, 0, int)?;
        if revision > Counter::Revision.max() {
            return Err(StoreError::Exhausted(Counter::Revision));
        }
        Ok(Self { query: Query::new(session, tenant), revision })
    }

    /// For a migration, which is no change of the tenant: nobody else writes meanwhile.
    pub(super) fn of_no_change(session: &'a mut dyn Session, tenant: TenantId) -> Self {
        Self { query: Query::new(session, tenant), revision: 0 }
    }

    /// The number of this change of the tenant: one more than the last.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Runs a statement that changes rows and says how many.
    ///
    /// # Errors
    /// What the engine answers.
    pub fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let params = self.query.with_tenant(params);
        self.query.session.execute(sql, &params)
    }

    /// Runs a statement that changes rows, of which nobody asks how many: see [`Session::later`].
    ///
    /// # Errors
    /// What the engine answers, to this or a statement that waited.
    pub fn later(&mut self, sql: &'static str, params: &[Value]) -> Result<()> {
        let params = self.query.with_tenant(params);
        self.query.session.later(sql, params)
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = Query<'a>;

    fn deref(&self) -> &Query<'a> {
        &self.query
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.query
    }
}
