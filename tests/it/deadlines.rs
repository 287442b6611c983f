//! Deadlines: a request that takes too long, or whose client has gone, stops, in the database and in the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::json;
use tokio::net::TcpListener;
use vext::domain::TenantId;
use vext::graphql::Limits;
use vext::http::ServeOptions;
use vext::service::{App, OpenOptions};
use vext::store::{Outcome, Session, Store, StoreError, Tx};

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{Server, TOKEN};

/// Counts for minutes, inside one statement.
const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000)
  SELECT count(*) FROM n";
/// The demo's first tenant.
const OIL: TenantId = TenantId(1);
/// What must be over by then. A statement that is not interrupted goes on until the server's own ten seconds are over.
const SOON: Duration = Duration::from_secs(6);
/// The same for requests in the expensive lane: on a busy machine, its low-priority threads wait for all others.
const IN_THE_END: Duration = Duration::from_secs(60);

/// Waits until the database runs nothing endless any more.
async fn rests(live: &Live, store: &Store) {
    let begun = Instant::now();
    // The only thread that reads a file is free.
    let one = |session: &mut dyn Session| session.first("SELECT 1", &[]);
    assert!(store.snapshot().read_system(one).await.is_ok());
    if live.name().is_some() {
        let running = "SELECT count(*)::text FROM pg_stat_activity
          WHERE datname = current_database() AND state = 'active' AND query LIKE 'WITH RECURSIVE n (i)%'";
        while live.texts(running) != ["0"] {
            assert!(begun.elapsed() < SOON, "the statement goes on");
            tokio::task::yield_now().await;
        }
    }
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

async fn a_statement_is_interrupted_at_the_deadline(engine: Engine) {
    let live = Live::new(engine, Content::Schema);
    let store = Store::open(&live.database, 1).unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        let snapshot = store.snapshot().with_time_limit(Duration::from_millis(100));
        let read = snapshot.read_system(|session| session.first(ENDLESS, &[])).await;
        let Err(StoreError::Deadline { limit: 100, actual: 100.. }) = read else { panic!("{read:?}") };
        // What comes after it is told so at once, whatever it would read.
        let late = snapshot.read_system(|session| session.first("SELECT 1", &[])).await;
        assert!(matches!(late, Err(StoreError::Deadline { .. })), "{late:?}");
        assert!(begun.elapsed() < SOON);
        rests(&live, &store).await;
    }
}

/// Work in the program, between many statements that are each short.
async fn a_walk_is_stopped_at_the_deadline(engine: Engine) {
    let live = Live::new(engine, Content::Schema);
    let store = Store::open(&live.database, 1).unwrap();
    let (ended, end) = std::sync::mpsc::channel();
    let walk = move |session: &mut dyn Session| {
        let error = loop {
            if let Err(error) = session.first("SELECT 1", &[]) {
                break error;
            }
        };
        let _ = ended.send(error.clone());
        Err::<(), _>(error)
    };
    let read = store.snapshot().with_time_limit(Duration::from_millis(50)).read_system(walk).await;
    assert!(matches!(read, Err(StoreError::Deadline { .. })), "{read:?}");
    assert!(matches!(end.recv_timeout(SOON), Ok(StoreError::Busy(_))), "the walk goes on");
    rests(&live, &store).await;
}

/// Whoever asked has gone: the task that waited is dropped.
async fn a_statement_is_interrupted_when_nobody_waits(engine: Engine) {
    let live = Live::new(engine, Content::Schema);
    let store = Store::open(&live.database, 1).unwrap();
    let (started, start) = tokio::sync::oneshot::channel();
    let read = store.snapshot();
    let task = tokio::spawn(async move {
        let endless = |session: &mut dyn Session| {
            let _ = started.send(());
            session.first(ENDLESS, &[])
        };
        read.read_system(endless).await
    });
    start.await.unwrap();
    task.abort();
    rests(&live, &store).await;
}

/// An interruption that comes too late must not meet whoever has the connection next.
async fn who_goes_away_disturbs_nobody(engine: Engine) {
    /// Counts for about a millisecond.
    const SHORT: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
      SELECT count(*) FROM n";
    let live = Live::new(engine, Content::Schema);
    let store = Store::open(&live.database, 1).unwrap();
    let read = async |sql| store.snapshot().read_system(move |session| session.first(sql, &[])).await;
    let leaving = join_all((0..4).map(async |client| {
        for i in 0..150 {
            let patience = Duration::from_micros((i * 37 + client * 11) % 1500);
            let _ = tokio::time::timeout(patience, read(SHORT)).await;
        }
    }));
    let staying = join_all((0..4).map(async |_| {
        for _ in 0..300 {
            let answer = read("SELECT 1").await;
            assert!(answer.is_ok(), "{answer:?}");
        }
    }));
    tokio::join!(leaving, staying);
}

/// Gives the tenant a crowd of so many paging groups.
fn crowd(live: &Live, count: usize) {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
    let rows = format!(
        "INSERT INTO pbx_object (tenant_id, object_id, kind, number, name, description, enabled, version, created_at,
           changed_at, name_folded)
         {numbers} SELECT o.tenant_id, 1000000 + i, o.kind, CAST(1000000 + i AS TEXT), o.name, '', o.enabled, 1,
           o.created_at, o.changed_at, o.name_folded FROM pbx_object o, n WHERE o.tenant_id = 1 AND o.number = '442'"
    );
    let details = format!(
        "INSERT INTO paging_group (tenant_id, object_id, duplex, skip_busy, ring_timeout_seconds)
         {numbers} SELECT p.tenant_id, 1000000 + i, p.duplex, p.skip_busy, p.ring_timeout_seconds FROM paging_group p
           JOIN pbx_object o ON o.tenant_id = p.tenant_id AND o.object_id = p.object_id, n
           WHERE o.tenant_id = 1 AND o.number = '442'"
    );
    assert_eq!((live.execute(&rows), live.execute(&details)), (count as u64, count as u64));
}

/// What looks at everything that a tenant has, and finds nothing.
const LINT: &str = "{ tenantLint(severity: ERROR, codes: [MATCHES_NOTHING]) { nodes { label } } }";
const LONG: [&str; 2] = [
    r#"{ tenant { pagingGroups(filter: {description: {contains: "nowhere"}}) { nodes { id } } } }"#,
    r#"{ tenant { pagingGroups(filter: {description: {contains: "e"}}, first: 1) { totalCount } } }"#,
];

async fn requests_that_look_at_a_whole_tenant_end(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    crowd(&live, 100_000);
    let limits = Limits { request_timeout: Duration::from_millis(200), ..Limits::default() };
    let server = Server::limited(live, limits);
    for query in LONG {
        let begun = Instant::now();
        let answer = server.answer(TOKEN, query, json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "DEADLINE_EXCEEDED", "{answer}");
        assert_eq!(error["extensions"]["limit"], 200, "{answer}");
        assert!(error["extensions"]["actual"].as_u64().unwrap() >= 200 && error["path"].is_array(), "{answer}");
        assert_eq!(answer["extensions"]["cost"]["actual"], answer["extensions"]["cost"]["requested"], "{answer}");
        assert!(begun.elapsed() < IN_THE_END, "{query}");
    }
    // Both readers are free, or small reads would have to wait.
    let snapshots = [server.app.snapshot(), server.app.snapshot()];
    let begun = Instant::now();
    for snapshot in &snapshots {
        assert!(snapshot.read_system(|session| session.first("SELECT 1", &[])).await.is_ok());
    }
    assert!(begun.elapsed() < SOON);
    // With time enough, they are answered.
    let patient = Limits { request_timeout: Duration::from_secs(300), ..Limits::default() };
    let server = Server::limited(server.live, patient);
    for query in LONG {
        let answer = server.answer(TOKEN, query, json!({})).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    }
}

/// A save that waits behind another one is given up when its time is over, or when nobody waits for it, and never saved;
/// of the one that has begun it is not known.
async fn a_save_that_has_not_begun_is_given_up(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = Store::open(&live.database, 1).unwrap();
    let runs = Arc::<AtomicU32>::default();
    let in_time = |millis| store.with_deadline_of(&store.snapshot().with_time_limit(Duration::from_millis(millis)));
    let counted = || {
        let runs = Arc::clone(&runs);
        move |_: &mut Tx<'_>| {
            runs.fetch_add(1, Ordering::SeqCst);
            Ok(Outcome::Commit(()))
        }
    };
    let (started, mut start) = tokio::sync::mpsc::unbounded_channel();
    let (end, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let slow = move |tx: &mut Tx<'_>| {
        started.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap_err();
        tx.execute("UPDATE tenant SET name = 'begun' WHERE tenant_id = $1", &[]).map(Outcome::Commit)
    };
    let begun = in_time(300);
    let begun = tokio::spawn(async move { begun.write(OIL, slow).await });
    start.recv().await.unwrap();
    let late = in_time(50).write(OIL, counted()).await;
    assert!(matches!(late, Err(StoreError::Deadline { limit: 50, .. })), "{late:?}");
    let gone = tokio::time::timeout(Duration::from_millis(1), in_time(60_000).write(OIL, counted())).await;
    assert!(gone.is_err());
    let unknown = begun.await.unwrap();
    assert!(matches!(unknown, Err(StoreError::Unknown(_))), "{unknown:?}");
    drop(end);
    // Behind all of them in the queue.
    assert_eq!(store.write(OIL, counted()).await, Ok(()));
    assert_eq!(runs.load(Ordering::SeqCst), 1, "a save was carried out after it had been given up");
    let tenant = store.snapshot().read(OIL, vext::store::current_tenant).await.unwrap();
    assert_eq!(tenant.settings.name.as_str(), "begun", "what had begun is whole");
}

/// Over a socket: the client closes its connection while the one reader works for it.
async fn a_client_that_goes_away_stops_its_request(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    crowd(&live, 30_000);
    let app = App::open(&OpenOptions { readers: 1, ..live.options() }).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits { request_timeout: Duration::from_secs(300), ..Limits::default() };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options = ServeOptions { limits, ..ServeOptions::default() };
    let served = tokio::spawn(vext::http::serve(app.clone(), listener, options, async { drop(stopped.await) }));
    // As many as there are threads that read; each looks at the whole tenant, which takes seconds.
    let mut clients = Vec::new();
    let count = if engine == Engine::Sqlite { 1 } else { 8 };
    for _ in 0..count {
        let body = json!({ "query": LINT }).to_string();
        clients.push(client::sent(&address.to_string(), client::bytes(TOKEN, &body)));
    }
    let begun = Instant::now();
    let before = app.statements();
    while app.statements() < before + 100 {
        assert!(begun.elapsed() < IN_THE_END, "the requests do not begin");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(clients);
    let begun = Instant::now();
    let mut seen = app.statements();
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let now = app.statements();
        if std::mem::replace(&mut seen, now) == now {
            break;
        }
        assert!(begun.elapsed() < IN_THE_END, "the requests go on");
    }
    // They have not come to their end.
    let lint = Server::limited(live, Limits { request_timeout: Duration::from_secs(300), ..Limits::default() });
    let until = lint.app.statements();
    assert!(lint.answer(TOKEN, LINT, json!({})).await.get("errors").is_none());
    assert!(seen - before < (lint.app.statements() - until) * count, "{seen} {before}");
    drop(stop);
    served.await.unwrap().unwrap();
}

on_each_engine!(
    a_statement_is_interrupted_at_the_deadline,
    a_walk_is_stopped_at_the_deadline,
    a_statement_is_interrupted_when_nobody_waits,
    who_goes_away_disturbs_nobody,
    requests_that_look_at_a_whole_tenant_end,
    a_save_that_has_not_begun_is_given_up,
    a_client_that_goes_away_stops_its_request,
);
