//! Running statements with parameters, inside a transaction that someone else began and will end.

use std::ops::{Deref, DerefMut};

use super::error::{Result, StoreError};
use crate::domain::{Counter, Row, TenantId, Value, ValueRef};

/// The value of column `i`, converted by the accessor `$as`. Another type means that this program did not write the
/// row.
macro_rules! column {
    ($row:expr, $i:expr, $as:ident) => {
        $row.get($i)
            .and_then($crate::domain::Value::$as)
            .ok_or_else(|| $crate::store::StoreError::Corrupt(format!("column {} is not a {}", $i, stringify!($as))))
    };
}
pub(super) use column;

/// The current row of a statement.
pub trait Columns {
    /// The number of columns.
    fn count(&self) -> usize;

    /// The value of a column, counted from 0.
    ///
    /// # Errors
    /// There is no such column, or it contains a type of value that this program never stores.
    fn get(&self, at: usize) -> Result<ValueRef<'_>>;
}

impl dyn Columns + '_ {
    /// The values of all columns.
    ///
    /// # Errors
    /// A column contains a type of value that this program never stores.
    pub fn row(&self) -> Result<Row> {
        (0..self.count()).map(|at| self.get(at).map(Value::from)).collect()
    }

    /// The integer in a column.
    ///
    /// # Errors
    /// The column contains something else.
    pub fn int(&self, at: usize) -> Result<i64> {
        self.get(at)?.int().ok_or_else(|| StoreError::Corrupt(format!("column {at} is not a whole number")))
    }
}

/// A callback for each row of a statement.
pub type RowVisitor<'a> = dyn FnMut(&dyn Columns) -> Result<()> + 'a;

/// A callback for each row of several statements. It gets the index of the statement.
pub type StatementRowVisitor<'a> = dyn FnMut(usize, &dyn Columns) -> Result<()> + 'a;

/// A connection inside a transaction. SQL uses only what all engines understand: placeholders `$1…$n`, and
/// `= ANY($n)` for a list of ids.
pub trait Session {
    /// Runs a statement and calls `each` for every row, in order, without copying the row.
    ///
    /// # Errors
    /// The errors of the engine and of `each`.
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()>;

    /// Does the same for several independent statements; over a network, they need one round trip. All rows of the
    /// first statement come first.
    ///
    /// # Errors
    /// As [`Session::visit_rows`].
    fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        let mut queries = queries.iter().enumerate();
        queries.try_for_each(|(at, (sql, params))| self.visit_rows(sql, params, &mut |columns| each(at, columns)))
    }

    /// Whether statements go over a network, so that fewer round trips are worth more than fewer rows.
    fn is_remote(&self) -> bool {
        false
    }

    /// Runs a statement that changes rows and returns their number.
    ///
    /// # Errors
    /// An engine error.
    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64>;

    /// Runs a statement whose number of changed rows is not needed: at once, or queued until the next statement or the
    /// commit. Over a network, all queued statements and that one need a single round trip.
    ///
    /// # Errors
    /// An engine error of this or of a queued statement.
    fn execute_later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        self.execute(sql, &params).map(drop)
    }
}

impl dyn Session + '_ {
    /// Runs a statement and passes a copy of each row to `each`, in order.
    ///
    /// # Errors
    /// The errors of the engine and of `each`.
    pub fn for_each_row(
        &mut self,
        sql: &'static str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.visit_rows(sql, params, &mut |columns| each(columns.row()?))
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// An engine error.
    pub fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        self.for_each_row(sql, params, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// An engine error.
    pub fn first(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        Ok(self.rows(sql, params)?.into_iter().next())
    }
}

/// Reads the data of one tenant in one transaction. `$1` is always the tenant and is bound here; parameters start at
/// `$2`.
pub struct Query<'a> {
    session: &'a mut dyn Session,
    tenant: TenantId,
}

impl<'a> Query<'a> {
    /// Reads a tenant in the transaction of a session.
    pub fn new(session: &'a mut dyn Session, tenant: TenantId) -> Self {
        Self { session, tenant }
    }

    /// The tenant.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The session without the tenant.
    pub fn session(&mut self) -> &mut dyn Session {
        self.session
    }

    fn with_tenant(&self, params: &[Value]) -> Vec<Value> {
        std::iter::once(Value::Int(self.tenant.0)).chain(params.iter().cloned()).collect()
    }

    /// Calls `each` for every row of a statement, see [`Session::visit_rows`].
    ///
    /// # Errors
    /// The errors of the engine and of `each`.
    pub fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        self.session.visit_rows(sql, &self.with_tenant(params), each)
    }

    /// Calls `each` for every row of several statements, see [`Session::visit_all_rows`].
    ///
    /// # Errors
    /// The errors of the engine and of `each`.
    pub fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        let params: Vec<_> = queries.iter().map(|(_, params)| self.with_tenant(params)).collect();
        let queries: Vec<_> = queries.iter().zip(&params).map(|((sql, _), params)| (*sql, params.as_slice())).collect();
        self.session.visit_all_rows(&queries, each)
    }

    /// Passes a copy of each row of a statement to `each`.
    ///
    /// # Errors
    /// The errors of the engine and of `each`.
    pub fn for_each_row(
        &mut self,
        sql: &'static str,
        params: &[Value],
        each: &mut dyn FnMut(Row) -> Result<()>,
    ) -> Result<()> {
        self.session.for_each_row(sql, &self.with_tenant(params), each)
    }

    /// All rows of a statement.
    ///
    /// # Errors
    /// An engine error.
    pub fn rows(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>> {
        self.session.rows(sql, &self.with_tenant(params))
    }

    /// The first row of a statement, if there is one.
    ///
    /// # Errors
    /// An engine error.
    pub fn first(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>> {
        self.session.first(sql, &self.with_tenant(params))
    }
}

/// Reads and writes the data of one tenant in one transaction, which holds the lock on the tenant's row.
pub struct Tx<'a> {
    query: Query<'a>,
    revision: i64,
}

impl<'a> Tx<'a> {
    const NEXT_REVISION: &'static str =
        "UPDATE tenant SET revision = revision + 1 WHERE tenant_id = $1 RETURNING revision";

    /// Updates the tenant's row first. On every engine, this makes the writers of one tenant wait for each other, and
    /// it numbers their changes.
    ///
    /// # Errors
    /// An engine error; `NoTenant` if there is no such tenant; `Exhausted` if it has reached its last revision.
    pub fn begin(session: &'a mut dyn Session, tenant: TenantId) -> Result<Self> {
        let bumped = session.first(Self::NEXT_REVISION, &[Value::Int(tenant.0)])?.ok_or(StoreError::NoTenant)?;
        let revision = column!(bumped, 0, int)?;
        if revision > Counter::Revision.max() {
            return Err(StoreError::Exhausted(Counter::Revision));
        }
        Ok(Self { query: Query::new(session, tenant), revision })
    }

    /// A transaction for a migration. It does not lock the row or count a change, since nothing else writes meanwhile.
    pub(super) fn for_migration(session: &'a mut dyn Session, tenant: TenantId) -> Self {
        Self { query: Query::new(session, tenant), revision: 0 }
    }

    /// The number of this change: one more than the tenant's last revision.
    pub fn revision(&self) -> i64 {
        self.revision
    }

    /// Runs a statement that changes rows and returns their number.
    ///
    /// # Errors
    /// An engine error.
    pub fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let params = self.query.with_tenant(params);
        self.query.session.execute(sql, &params)
    }

    /// Runs a statement whose number of changed rows is not needed, see [`Session::execute_later`].
    ///
    /// # Errors
    /// An engine error of this or of a queued statement.
    pub fn execute_later(&mut self, sql: &'static str, params: &[Value]) -> Result<()> {
        let params = self.query.with_tenant(params);
        self.query.session.execute_later(sql, params)
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
