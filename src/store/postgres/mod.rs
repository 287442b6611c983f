//! The PostgreSQL engine: the only folder that uses `tokio_postgres::`.
//!
//! The client blocks and has its own small runtime, so it must not be called or dropped in an async task: connections
//! exist only on the store's threads.
//!
//! A transaction begins in the round trip of its first statement, and independent statements share one round trip
//! (docs/decisions/0034-fewer-round-trips.md).

mod client;
mod errors;
mod inspect;
mod server;
mod values;
mod view;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join3, try_join_all};
use tokio_postgres::{CancelToken, Client, Error, Row, Statement};

pub(super) use inspect::inspect;
pub use server::PostgresServer;
pub(super) use view::open_view;

use self::client::BlockingClient;
use self::errors::{commit_error, store_error};
use self::values::{PostgresRow, parameters};
use super::cancellation::Interrupt;
use super::connection::{Connection, StatementStats};
use super::error::{Result, StoreError};
use super::session::{RowVisitor, Session, StatementRowVisitor};
use crate::domain::Value;

/// Begins a read transaction in which all statements see one state. With READ COMMITTED, each would see its own.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// The maximum number of queued statements.
const MOST_WAITING: usize = 30;

/// A connection to a server, with its prepared statements.
pub(super) struct PostgresConnection {
    server: PostgresServer,
    client: BlockingClient,
    /// The statement that begins the transaction, until it is sent.
    pending_begin: Option<&'static str>,
    /// Queued statements, which are sent together with the next one.
    waiting: Vec<PendingStatement>,
    interrupt: Interrupt,
    /// The token that `interrupt` uses.
    running: Arc<Mutex<Option<CancelToken>>>,
    /// Set by `interrupt`. The server may process a cancellation after its statement has ended, and then it cancels the
    /// next one, even of another request. Unlike libpq, tokio-postgres does not wait until it is processed.
    interrupted: Arc<AtomicBool>,
    prepared: HashMap<&'static str, Statement>,
    statements: Arc<StatementStats>,
    /// Whether a statement of this transaction has failed. COMMIT would then roll back but report success.
    failed: bool,
    broken: bool,
}

/// A queued statement.
enum PendingStatement {
    Prepared(Statement, Vec<Value>),
    Plain(&'static str),
}

impl PendingStatement {
    async fn run(&self, client: &Client) -> std::result::Result<(), Error> {
        match self {
            Self::Prepared(statement, params) => client.execute(statement, &parameters(params)).await.map(drop),
            Self::Plain(sql) => client.batch_execute(sql).await,
        }
    }
}

impl PostgresConnection {
    pub(super) fn open(server: &PostgresServer, statements: Arc<StatementStats>) -> Result<Self> {
        let client = server.connect()?;
        let (running, interrupted) = (Arc::new(Mutex::new(client.cancel_token())), Arc::default());
        let interrupt = interrupt(&running, server, &interrupted);
        Ok(Self {
            server: server.clone(),
            client,
            pending_begin: None,
            waiting: Vec::new(),
            interrupt,
            running,
            interrupted,
            prepared: HashMap::new(),
            statements,
            failed: false,
            broken: false,
        })
    }

    /// Replaces a lost connection with a new one.
    fn reconnect(&mut self) -> Result<()> {
        self.client = self.server.connect()?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = self.client.cancel_token();
        self.prepared.clear();
        (self.failed, self.broken) = (false, false);
        Ok(())
    }

    /// Converts an error, and records what it means for the transaction and the connection.
    fn track_failure<T>(&mut self, result: std::result::Result<T, Error>) -> Result<T> {
        result.map_err(|error| {
            self.failed = true;
            self.broken |= errors::breaks_connection(&error);
            store_error(&error)
        })
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement> {
        self.statements.count_run();
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        self.statements.record_text(sql);
        let prepared = self.client.block_on(async |client| client.prepare(sql).await);
        let statement = self.track_failure(prepared)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// The rows of several statements, in one round trip. If the connection is lost at the start of a read transaction,
    /// they are repeated on a new one, which is safe because the transaction has seen nothing yet.
    fn query_all(&mut self, queries: &[(&'static str, &[Value])]) -> Result<Vec<Vec<Row>>> {
        let pending_begin = self.pending_begin;
        let answered = self.query_all_once(queries);
        if answered.is_ok() || pending_begin != Some(BEGIN_READ) || !self.broken {
            return answered;
        }
        self.reconnect()?;
        self.pending_begin = pending_begin;
        self.query_all_once(queries)
    }

    fn query_all_once(&mut self, queries: &[(&'static str, &[Value])]) -> Result<Vec<Vec<Row>>> {
        let statements = queries.iter().map(|(sql, _)| self.prepare(sql)).collect::<Result<Vec<_>>>()?;
        let params: Vec<_> = queries.iter().map(|(_, params)| parameters(params)).collect();
        self.send(async |client| {
            let requests = statements.iter().zip(&params).map(|(statement, params)| client.query(statement, params));
            try_join_all(requests).await
        })
    }

    /// Sends a request in one round trip, together with the start of the transaction and the queued statements.
    fn send<T>(&mut self, request: impl AsyncFnOnce(&Client) -> std::result::Result<T, Error>) -> Result<T> {
        let (pending_begin, waiting) = (self.pending_begin.take(), std::mem::take(&mut self.waiting));
        let answered = self.client.block_on(async |client| {
            let begin = async {
                match pending_begin {
                    Some(sql) => client.batch_execute(sql).await,
                    None => Ok(()),
                }
            };
            let waiting = try_join_all(waiting.iter().map(|waiting| waiting.run(client)));
            // They are sent in the order in which they are polled, and the first error counts.
            let (begun, before, answer) = join3(begin, waiting, request(client)).await;
            begun.and(before).and(answer)
        });
        self.track_failure(answered)
    }

    fn queue_statement(&mut self, waiting: PendingStatement) -> Result<()> {
        self.waiting.push(waiting);
        if self.waiting.len() < MOST_WAITING { Ok(()) } else { self.flush() }
    }
}

/// A function that asks the server to cancel the running statement: over another connection, as the protocol requires.
fn interrupt(
    running: &Arc<Mutex<Option<CancelToken>>>,
    server: &PostgresServer,
    interrupted: &Arc<AtomicBool>,
) -> Interrupt {
    let (running, tls, interrupted) = (Arc::clone(running), server.tls(), Arc::clone(interrupted));
    Arc::new(move || {
        interrupted.store(true, Ordering::SeqCst);
        let Some(token) = running.lock().unwrap_or_else(PoisonError::into_inner).clone() else { return };
        match client::cancel(&token, tls.clone()) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a statement could not be cancelled"),
            Err(error) => tracing::debug!(%error, "a statement could not be cancelled"),
        }
    })
}

impl Connection for PostgresConnection {
    fn begin_read(&mut self) -> Result<()> {
        self.failed = false;
        self.pending_begin = Some(BEGIN_READ);
        Ok(())
    }

    /// READ COMMITTED is enough, because every writer locks the tenant's row first.
    fn begin_write(&mut self) -> Result<()> {
        self.failed = false;
        self.pending_begin = Some("BEGIN ISOLATION LEVEL READ COMMITTED");
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.failed {
            return Err(StoreError::Bug("a transaction went on after a statement had failed".into()));
        }
        // Send these before COMMIT, so that only COMMIT itself can have an unknown result.
        self.flush()?;
        if self.pending_begin.take().is_some() {
            return Ok(());
        }
        // COMMIT is never cancelled: if it is cancelled while it waits for a synchronous standby, it reports a success
        // that is lost with this server. (`statement_timeout` does not apply to it.)
        let ended = self.client.block_on(async |client| client.batch_execute("COMMIT").await);
        if let Err(error) = &ended {
            self.broken |= errors::breaks_connection(error);
        }
        ended.map_err(|error| commit_error(&error))
    }

    fn rollback(&mut self) {
        // If the connection is lost, the server rolls back. If ROLLBACK fails for another reason, the connection must
        // not be used again.
        self.waiting.clear();
        if self.pending_begin.take().is_none() {
            self.broken |= self.batch("ROLLBACK").is_err();
        }
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let undoes = sql.starts_with("ROLLBACK");
        if undoes {
            // The queued changes need not be sent, because they would be undone; the savepoint to return to must be.
            self.waiting.retain(|waiting| matches!(waiting, PendingStatement::Plain(_)));
        }
        self.send(async |client| client.batch_execute(sql).await)?;
        // The failed statement is undone.
        self.failed &= !undoes;
        Ok(())
    }

    fn control(&mut self, sql: &'static str) -> Result<()> {
        if sql.starts_with("ROLLBACK") { self.batch(sql) } else { self.queue_statement(PendingStatement::Plain(sql)) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.send(async |_| Ok(())) }
    }

    fn mark_as_ours(&mut self) -> Result<()> {
        Ok(())
    }

    fn is_broken(&self) -> bool {
        self.broken || self.interrupted.load(Ordering::SeqCst) || self.client.is_closed()
    }

    fn interrupt(&self) -> Interrupt {
        Arc::clone(&self.interrupt)
    }

    fn session(&mut self) -> &mut dyn Session {
        self
    }
}

impl Session for PostgresConnection {
    fn visit_rows(&mut self, sql: &'static str, params: &[Value], each: &mut RowVisitor<'_>) -> Result<()> {
        let rows = self.query_all(&[(sql, params)])?;
        rows.iter().flatten().try_for_each(|row| each(&PostgresRow(row)))
    }

    fn visit_all_rows(
        &mut self,
        queries: &[(&'static str, &[Value])],
        each: &mut StatementRowVisitor<'_>,
    ) -> Result<()> {
        for (at, rows) in self.query_all(queries)?.iter().enumerate() {
            rows.iter().try_for_each(|row| each(at, &PostgresRow(row)))?;
        }
        Ok(())
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64> {
        let statement = self.prepare(sql)?;
        let params = parameters(params);
        self.send(async |client| client.execute(&statement, &params).await)
    }

    fn execute_later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        let statement = self.prepare(sql)?;
        self.queue_statement(PendingStatement::Prepared(statement, params))
    }
}
