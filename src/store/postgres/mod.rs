//! The PostgreSQL engine: the only folder that says `tokio_postgres::`.
//!
//! The client blocks and runs a small runtime of its own, so that it must neither be called nor dropped in an async
//! task: connections live on the store's threads only.
//!
//! A transaction is begun in the round trip of its first statement; statements that do not wait for each other make one
//! together (docs/decisions/0034-fewer-round-trips.md).

mod answer;
mod client;
mod inspect;
mod look;
mod server;
mod values;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{join3, try_join_all};
use tokio_postgres::{CancelToken, Client, Error, Row, Statement};

pub(super) use inspect::inspect;
pub(super) use look::look;
pub use server::PostgresServer;

use self::answer::{answer, ended_by_commit};
use self::client::Blocking;
use self::values::{Standing, parameters};
use super::connection::{Connection, StatementLog};
use super::error::{Result, StoreError};
use super::session::{Each, EachOf, Session};
use super::stop::Interrupt;
use crate::domain::Value;

/// Begins a read: one state for all of its statements. At READ COMMITTED each would see its own.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The most statements that wait for the next one.
const MOST_WAITING: usize = 30;

/// A connection to a server, with the statements that have been prepared on it.
pub(super) struct PostgresConnection {
    server: PostgresServer,
    client: Blocking,
    /// What begins the transaction, as long as that has not been sent.
    begins: Option<&'static str>,
    /// Statements that are sent with the next one.
    waiting: Vec<PendingStatement>,
    interrupt: Interrupt,
    /// What `interrupt` cancels.
    running: Arc<Mutex<Option<CancelToken>>>,
    /// Set by `interrupt`. The server may carry out a cancellation after the statement it was meant for, and then cancels
    /// the next one, whosever it is; tokio-postgres does not wait for it as libpq does.
    interrupted: Arc<AtomicBool>,
    prepared: HashMap<&'static str, Statement>,
    statements: Arc<StatementLog>,
    /// Whether a statement of this transaction has failed: COMMIT would then roll back and call it a success.
    failed: bool,
    broken: bool,
}

/// A statement that waits for the next round trip.
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
    pub(super) fn open(server: &PostgresServer, statements: Arc<StatementLog>) -> Result<Self> {
        let client = server.connect()?;
        let (running, interrupted) = (Arc::new(Mutex::new(client.cancel_token())), Arc::default());
        let interrupt = interrupt(&running, server, &interrupted);
        Ok(Self {
            server: server.clone(),
            client,
            begins: None,
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

    /// Takes a new connection in place of one that is lost.
    fn renew(&mut self) -> Result<()> {
        self.client = self.server.connect()?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = self.client.cancel_token();
        self.prepared.clear();
        (self.failed, self.broken) = (false, false);
        Ok(())
    }

    /// Takes a result apart, remembering what it says of the connection and of its transaction.
    fn note<T>(&mut self, result: std::result::Result<T, Error>) -> Result<T> {
        result.map_err(|error| {
            self.failed = true;
            self.broken |= answer::breaks(&error);
            answer(&error)
        })
    }

    fn prepare(&mut self, sql: &'static str) -> Result<Statement> {
        self.statements.count();
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        self.statements.note(sql);
        let prepared = self.client.block_on(async |client| client.prepare(sql).await);
        let statement = self.note(prepared)?;
        self.prepared.insert(sql, statement.clone());
        Ok(statement)
    }

    /// The rows of several statements, in one round trip. A read that was to begin with them begins anew on a new
    /// connection when this one is lost: it has seen nothing yet.
    fn query_all(&mut self, asks: &[(&'static str, &[Value])]) -> Result<Vec<Vec<Row>>> {
        let begins = self.begins;
        let answered = self.query_all_here(asks);
        if answered.is_ok() || begins != Some(BEGIN_READ) || !self.broken {
            return answered;
        }
        self.renew()?;
        self.begins = begins;
        self.query_all_here(asks)
    }

    fn query_all_here(&mut self, asks: &[(&'static str, &[Value])]) -> Result<Vec<Vec<Row>>> {
        let statements = asks.iter().map(|(sql, _)| self.prepare(sql)).collect::<Result<Vec<_>>>()?;
        let params: Vec<_> = asks.iter().map(|(_, params)| parameters(params)).collect();
        self.send(async |client| {
            let asked = statements.iter().zip(&params).map(|(statement, params)| client.query(statement, params));
            try_join_all(asked).await
        })
    }

    /// Sends what is asked, in one round trip with what begins the transaction and with what waits.
    fn send<T>(&mut self, ask: impl AsyncFnOnce(&Client) -> std::result::Result<T, Error>) -> Result<T> {
        let (begins, waiting) = (self.begins.take(), std::mem::take(&mut self.waiting));
        let answered = self.client.block_on(async |client| {
            let begin = async {
                match begins {
                    Some(sql) => client.batch_execute(sql).await,
                    None => Ok(()),
                }
            };
            let waiting = try_join_all(waiting.iter().map(|waiting| waiting.run(client)));
            // What is polled first is sent first, and fails first.
            let (begun, before, answer) = join3(begin, waiting, ask(client)).await;
            begun.and(before).and(answer)
        });
        self.note(answered)
    }

    fn wait(&mut self, waiting: PendingStatement) -> Result<()> {
        self.waiting.push(waiting);
        if self.waiting.len() < MOST_WAITING { Ok(()) } else { self.flush() }
    }
}

/// Asks the server over another connection, as its protocol wants it, to cancel what is running.
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
        self.begins = Some(BEGIN_READ);
        Ok(())
    }

    /// READ COMMITTED is enough, because every writer takes the tenant's row first.
    fn begin_write(&mut self) -> Result<()> {
        self.failed = false;
        self.begins = Some("BEGIN ISOLATION LEVEL READ COMMITTED");
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        if self.failed {
            return Err(StoreError::Bug("a transaction went on after a statement had failed".into()));
        }
        // Not with COMMIT, of which it is to be known whether it was heard.
        self.flush()?;
        if self.begins.take().is_some() {
            return Ok(());
        }
        // Never cancelled: while it waits for a synchronous standby, a cancelled COMMIT answers a success that only
        // holds until this server is lost. (`statement_timeout` does not reach it.)
        let ended = self.client.block_on(async |client| client.batch_execute("COMMIT").await);
        if let Err(error) = &ended {
            self.broken |= answer::breaks(error);
        }
        ended.map_err(|error| ended_by_commit(&error))
    }

    fn rollback(&mut self) {
        // On a connection that is lost the server does it; on any other on which it fails, nobody shall begin anew.
        self.waiting.clear();
        if self.begins.take().is_none() {
            self.broken |= self.batch("ROLLBACK").is_err();
        }
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let undoes = sql.starts_with("ROLLBACK");
        if undoes {
            // What it undoes need not be done; where it goes back to has to be.
            self.waiting.retain(|waiting| matches!(waiting, PendingStatement::Plain(_)));
        }
        self.send(async |client| client.batch_execute(sql).await)?;
        // What was undone is forgotten.
        self.failed &= !undoes;
        Ok(())
    }

    fn plain(&mut self, sql: &'static str) -> Result<()> {
        if sql.starts_with("ROLLBACK") { self.batch(sql) } else { self.wait(PendingStatement::Plain(sql)) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.send(async |_| Ok(())) }
    }

    fn claim(&mut self) -> Result<()> {
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
    fn scan(&mut self, sql: &'static str, params: &[Value], each: &mut Each<'_>) -> Result<()> {
        let rows = self.query_all(&[(sql, params)])?;
        rows.iter().flatten().try_for_each(|row| each(&Standing(row)))
    }

    fn scan_all(&mut self, asks: &[(&'static str, &[Value])], each: &mut EachOf<'_>) -> Result<()> {
        for (at, rows) in self.query_all(asks)?.iter().enumerate() {
            rows.iter().try_for_each(|row| each(at, &Standing(row)))?;
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

    fn later(&mut self, sql: &'static str, params: Vec<Value>) -> Result<()> {
        let statement = self.prepare(sql)?;
        self.wait(PendingStatement::Prepared(statement, params))
    }
}
