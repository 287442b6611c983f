//! The PostgreSQL engine: the only folder that says `tokio_postgres::`.
//!
//! The client blocks and runs a small runtime of its own, so that it must neither be called nor dropped in an async
//! task: connections live on the store's threads only.
//!
//! A transaction is begun in the round trip of its first statement; statements that do not wait for each other make one
//! together (docs/decisions/0034-fewer-round-trips.md).

mod answer;
mod client;
mod look;
mod server;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use futures_util::future::{join3, try_join_all};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};
use tokio_postgres::{CancelToken, Client, Error, Row, Statement};

pub(super) use look::look;
pub use server::Server;

use self::answer::{answer, ended_by_commit};
use self::client::Blocking;
use super::engine::{Connection, Found, Statements};
use super::error::{Result, StoreError};
use super::session::{Columns, Each, EachOf, Session};
use super::stop::Interrupt;
use crate::domain::{Value, ValueRef};

/// What every session gets unless the URL's `options` set it: no statement, no wait for a lock and no idle transaction
/// goes on for ever.
const PARAMETERS: [(&str, &str); 3] =
    [("statement_timeout", "10s"), ("lock_timeout", "5s"), ("idle_in_transaction_session_timeout", "30s")];

/// Begins a read: one state for all of its statements. At READ COMMITTED each would see its own.
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The most statements that wait for the next one.
const MOST_WAITING: usize = 30;

/// How to create a database that sorts as vext needs it.
const CREATE: &str = "CREATE DATABASE vext TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'";

/// A connection to a server, with the statements that have been prepared on it.
pub(super) struct PostgresConnection {
    server: Server,
    client: Blocking,
    /// What begins the transaction, as long as that has not been sent.
    begins: Option<&'static str>,
    /// Statements that are sent with the next one.
    waiting: Vec<Waiting>,
    interrupt: Interrupt,
    /// What `interrupt` cancels.
    running: Arc<Mutex<Option<CancelToken>>>,
    /// Set by `interrupt`. The server may carry out a cancellation after the statement it was meant for, and then cancels
    /// the next one, whosever it is; tokio-postgres does not wait for it as libpq does.
    interrupted: Arc<AtomicBool>,
    prepared: HashMap<&'static str, Statement>,
    statements: Arc<Statements>,
    /// Whether a statement of this transaction has failed: COMMIT would then roll back and call it a success.
    failed: bool,
    broken: bool,
}

/// A statement that waits for the next round trip.
enum Waiting {
    Prepared(Statement, Vec<Value>),
    Plain(&'static str),
}

impl Waiting {
    async fn run(&self, client: &Client) -> std::result::Result<(), Error> {
        match self {
            Self::Prepared(statement, params) => client.execute(statement, &parameters(params)).await.map(drop),
            Self::Plain(sql) => client.batch_execute(sql).await,
        }
    }
}

impl PostgresConnection {
    pub(super) fn open(server: &Server, statements: Arc<Statements>) -> Result<Self> {
        let client = connect(server)?;
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
        self.client = connect(&self.server)?;
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

    fn wait(&mut self, waiting: Waiting) -> Result<()> {
        self.waiting.push(waiting);
        if self.waiting.len() < MOST_WAITING { Ok(()) } else { self.flush() }
    }
}

/// A connection with the parameters that vext wants.
fn connect(server: &Server) -> Result<Blocking> {
    let mut client = server.connect()?;
    for (parameter, value) in PARAMETERS.into_iter().filter(|(parameter, _)| !server.sets(parameter)) {
        let set = format!("SET {parameter} = '{value}'");
        client.block_on(async |client| client.batch_execute(&set).await).map_err(|error| answer(&error))?;
    }
    Ok(client)
}

/// Asks the server over another connection, as its protocol wants it, to cancel what is running.
fn interrupt(running: &Arc<Mutex<Option<CancelToken>>>, server: &Server, interrupted: &Arc<AtomicBool>) -> Interrupt {
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
        if self.begins.take().is_none() {
            self.broken |= self.batch("ROLLBACK").is_err();
        }
        self.waiting.clear();
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        let undoes = sql.starts_with("ROLLBACK");
        if undoes {
            // What it undoes need not be done; where it goes back to has to be.
            self.waiting.retain(|waiting| matches!(waiting, Waiting::Plain(_)));
        }
        self.send(async |client| client.batch_execute(sql).await)?;
        // What was undone is forgotten.
        self.failed &= !undoes;
        Ok(())
    }

    fn plain(&mut self, sql: &'static str) -> Result<()> {
        if sql.starts_with("ROLLBACK") { self.batch(sql) } else { self.wait(Waiting::Plain(sql)) }
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
        self.wait(Waiting::Prepared(statement, params))
    }
}

fn parameters(params: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

struct Standing<'a>(&'a Row);

impl Columns for Standing<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn get(&self, at: usize) -> Result<ValueRef<'_>> {
        let value = self.0.try_get::<_, Option<ValueRef<'_>>>(at);
        Ok(value.map_err(|error| StoreError::Corrupt(error.to_string()))?.unwrap_or(ValueRef::Null))
    }
}

type Conversion<T> = std::result::Result<T, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Conversion<IsNull> {
        match (self, of) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Bool(b), &Type::BOOL) => b.to_sql(of, out),
            (Value::Int(n), &Type::INT8) => n.to_sql(of, out),
            (Value::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(of, out),
            (Value::Text(text), _) if <&str as ToSql>::accepts(of) => text.to_sql(of, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(of, out),
            (Value::Ids(ids), &Type::INT8_ARRAY) => (&**ids).to_sql(of, out),
            (Value::Texts(texts), &Type::TEXT_ARRAY) => (&**texts).to_sql(of, out),
            _ => Err(Unfit(of.clone()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// A parameter that its column cannot hold. Does not repeat the value, which may be a secret's.
#[derive(Debug, thiserror::Error)]
#[error("the parameter is no {0}")]
struct Unfit(Type);

impl<'a> FromSql<'a> for ValueRef<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Conversion<Self> {
        Ok(match *of {
            Type::BOOL => ValueRef::Bool(bool::from_sql(of, raw)?),
            Type::INT8 => ValueRef::Int(i64::from_sql(of, raw)?),
            Type::INT4 => ValueRef::Int(i32::from_sql(of, raw)?.into()),
            Type::BYTEA => ValueRef::Bytes(<&[u8]>::from_sql(of, raw)?),
            _ => ValueRef::Text(<&str>::from_sql(of, raw)?),
        })
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::BOOL | Type::INT8 | Type::INT4 | Type::BYTEA) || <&str as FromSql>::accepts(of)
    }
}

/// Sorts as bytes do: capitals before small letters, no sign passed over, letters beyond ASCII behind all others.
const BYTE_ORDER: &str = "SELECT 'B' < 'a' AND 'a-c' < 'ab' AND 'z' < 'é' AND '+1' < '0'";
const SETTINGS: &str =
    "SELECT current_setting('server_encoding'), datcollate FROM pg_database WHERE datname = current_database()";
const TABLES: &str = "SELECT count(*), coalesce(sum(CASE WHEN table_name = 'migration' THEN 1 ELSE 0 END), 0)::bigint
  FROM information_schema.tables WHERE table_schema = current_schema()";

/// Looks whether a database can be reached and is fit for use.
pub(super) fn inspect(server: &Server) -> std::result::Result<Found, String> {
    let mut connection =
        PostgresConnection::open(server, Arc::default()).map_err(|error| format!("{server}: {error}"))?;
    let session = connection.session();
    let mut one = |sql| session.first(sql, &[]).map(Option::unwrap_or_default).map_err(|e| format!("{server}: {e}"));
    let settings = one(SETTINGS)?;
    let text = |i: usize| settings.get(i).and_then(Value::text).unwrap_or("?").to_owned();
    if text(0) != "UTF8" {
        return Err(format!("{server} keeps text as {}, not as UTF8; create it with: {CREATE}", text(0)));
    }
    if one(BYTE_ORDER)? != [Value::Bool(true)] {
        return Err(format!("{server} sorts text by the rules of {}, not by bytes; create it with: {CREATE}", text(1)));
    }
    match one(TABLES)?.as_slice() {
        [Value::Int(0), _] => Ok(Found::Nothing),
        [_, Value::Int(1)] => Ok(Found::Ours),
        _ => Err(format!("{server} has tables, but not those of vext")),
    }
}
