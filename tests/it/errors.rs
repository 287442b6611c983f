//! Every answer that a store can give besides data, provoked on both engines through the real thing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::engines::{Content, Engine, Live, cluster, on_each_engine, postgres_or_skip};
use crate::harness::{Server, TOKEN};
use serde_json::json;
use vext::domain::{TenantId, Value};
use vext::store::{self, Outcome, PostgresServer, Session, Store, StoreError};

/// The demo's first tenant, and the second.
const OIL: TenantId = TenantId(1);

fn open(live: &Live) -> Store {
    Store::open(&live.database, 1).unwrap()
}

/// What comes of one statement in a save of the tenant.
async fn write(store: &Store, sql: &'static str, params: Vec<Value>) -> StoreError {
    let done = store.write(OIL, move |tx| tx.execute(sql, &params).map(Outcome::Commit)).await;
    done.expect_err(sql)
}

fn conflict(constraint: &str) -> StoreError {
    StoreError::Conflict { constraint: constraint.into() }
}

/// One row for each rule of the database itself: the same answer on every engine, constraints by the same names.
async fn a_broken_rule_is_named(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = open(&live);
    let before = store.snapshot().read(OIL, store::current_tenant).await.unwrap();
    let of = |sql| write(&store, sql, Vec::new());
    let number = "UPDATE pbx_object SET number = '101' WHERE tenant_id = $1 AND number = '102'";
    assert_eq!(of(number).await, conflict("pbx_object_number"));
    let key = "INSERT INTO note (tenant_id, object_id, branch, department, reference_id, additional_info)
      SELECT tenant_id, object_id, branch, department, reference_id, additional_info FROM note WHERE tenant_id = $1";
    assert_eq!(of(key).await, conflict("note_pkey"));
    let code = "UPDATE tenant SET code = 'MOLLOY' WHERE tenant_id = $1";
    assert_eq!(of(code).await, conflict("tenant_code"));
    let login = "UPDATE web_user_panel SET web_user = 'everybody' WHERE tenant_id = $1";
    assert_eq!(of(login).await, conflict("web_user_panel_web_user"));
    let token = "UPDATE token SET name = 'one' WHERE token_id > $1 - 1";
    assert_eq!(of(token).await, conflict("token_name"));

    let dangling = "UPDATE call_settings SET parking_lot_id = 999999 WHERE tenant_id = $1";
    assert_eq!(of(dangling).await, StoreError::Reference);
    let in_use = "DELETE FROM pbx_object WHERE tenant_id = $1 AND kind = 'MEDIA_FILE'";
    assert_eq!(of(in_use).await, StoreError::Reference);

    let empty = "UPDATE note SET branch = NULL WHERE tenant_id = $1";
    let both = "UPDATE destination SET number = '12', hangup = 'BUSY' WHERE tenant_id = $1";
    for sql in [empty, both] {
        let answer = of(sql).await;
        assert!(matches!(answer, StoreError::Invalid(_)), "{answer:?}");
    }
    let typed =
        write(&store, "UPDATE call_settings SET tx_volume = $2 WHERE tenant_id = $1", vec!["loud".into()]).await;
    assert!(matches!(&typed, StoreError::Invalid(why) if !why.contains("loud")), "{typed:?}");

    let nobody = store.write(TenantId(99), |_| Ok(Outcome::Commit(()))).await;
    assert_eq!(nobody, Err(StoreError::NoTenant));
    let mistake = of("UPDATE nowhere SET nothing = 1 WHERE tenant_id = $1").await;
    assert!(matches!(mistake, StoreError::Bug(_)), "{mistake:?}");
    assert_eq!(store.snapshot().read(OIL, store::current_tenant).await.unwrap(), before, "nothing is half saved");
}

/// What nobody waits for is done all the same, and fails where it belongs: of saves that are committed together, those
/// whose statement breaks a rule fail and no other, whether they ask for something after it or not.
async fn what_waits_fails_with_its_own_save(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = open(&live);
    let branch = "UPDATE note SET branch = branch || $2 WHERE tenant_id = $1 AND object_id = $3";
    let broken = "UPDATE note SET branch = NULL WHERE tenant_id = $1 AND object_id = $3 AND department <> $2";
    let object = "SELECT min(object_id) FROM note WHERE tenant_id = $1";
    let id = store.snapshot().read(OIL, move |query| query.first(object, &[])).await.unwrap().unwrap()[0].clone();
    live.execute("UPDATE note SET branch = '' WHERE tenant_id = 1");
    let saves = (0..60).map(|i| {
        let id = id.clone();
        store.write(OIL, move |tx| {
            // More than are sent at once.
            for _ in 0..i {
                tx.execute_later(branch, &["x".into(), id.clone()])?;
            }
            if i % 3 == 0 {
                tx.execute_later(broken, &["?".into(), id.clone()])?;
            }
            if i % 7 == 3 {
                // It fails before it is run.
                tx.execute("UPDATE nowhere SET nothing = 1 WHERE tenant_id = $1", &[])?;
            }
            if i % 2 == 0 {
                tx.first(object, &[])?;
            }
            Ok(if i % 5 == 1 { Outcome::Rollback(()) } else { Outcome::Commit(()) })
        })
    });
    let answers = futures_util::future::join_all(saves).await;
    let mut length = 0;
    for (i, answer) in answers.iter().enumerate() {
        // What is undone anyway may be undone before it was sent.
        let undone = i % 5 == 1;
        match answer {
            Err(StoreError::Invalid(_)) => assert_eq!(i % 3, 0, "{i}"),
            Err(StoreError::Bug(_)) => assert_eq!(i % 7, 3, "{i}"),
            answer => assert!(*answer == Ok(()) && i % 7 != 3 && (i % 3 > 0 || undone), "{i}: {answer:?}"),
        }
        length += if i % 3 == 0 || i % 7 == 3 || undone { 0 } else { i };
    }
    let saved = live.texts("SELECT branch FROM note WHERE tenant_id = 1 AND branch <> ''");
    assert_eq!(saved, ["x".repeat(length)]);
}

/// A value that breaks the rule of its type was not written by this program.
async fn a_foreign_value_is_corrupt(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    live.execute("UPDATE pbx_object SET kind = 'TELEGRAPH' WHERE tenant_id = 1 AND number = '101'");
    let read = open(&live).snapshot().read(OIL, |query| store::object_by_number(query, "101")).await;
    assert!(matches!(&read, Err(StoreError::Corrupt(_))), "{read:?}");
}

/// What reads cannot write: neither engine lets it.
async fn a_read_cannot_write(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let write = |session: &mut dyn Session| session.execute("UPDATE tenant SET name = 'x' WHERE tenant_id = 1", &[]);
    let answer = open(&live).snapshot().read_system(write).await;
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
}

/// Somebody else holds the lock for longer than a save waits.
async fn a_lock_that_is_held_is_busy(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = open(&live);
    let save = || store.write(OIL, |_| Ok(Outcome::Commit(())));
    let lock = "UPDATE tenant SET revision = revision WHERE tenant_id = 1";
    let answer = match engine {
        Engine::Sqlite => {
            let other = rusqlite::Connection::open(live.folder.path().join("vext.db")).unwrap();
            other.execute_batch(&format!("BEGIN IMMEDIATE; {lock}")).unwrap();
            save().await
        }
        Engine::Postgres => {
            let (held, hold) = std::sync::mpsc::channel::<()>();
            let name = live.url().rsplit('/').next().unwrap().to_owned();
            let other = std::thread::spawn(move || {
                cluster().sql(&name, move |client| {
                    client.batch_execute(&format!("BEGIN; {lock}")).unwrap();
                    hold.recv().unwrap_err();
                });
            });
            // The other one has the lock as soon as it is in a transaction that wrote.
            let waiting = "SELECT count(*)::text FROM pg_locks WHERE locktype = 'transactionid' AND granted
              AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
            while live.texts(waiting) == ["0"] {
                tokio::task::yield_now().await;
            }
            let answer = save().await;
            drop(held);
            other.join().unwrap();
            answer
        }
    };
    assert!(matches!(answer, Err(StoreError::Busy(_))), "{answer:?}");
    assert_eq!(save().await, Ok(()), "afterwards it works");
}

/// A save whose view has become stale is run again, as often as it takes, and then counts once.
async fn a_stale_save_is_run_again(engine: Engine) {
    let live = Arc::new(Live::new(engine, Content::Demo));
    let store = open(&live);
    let again = |fails: u32| {
        let (live, runs) = (Arc::clone(&live), Arc::<AtomicU32>::default());
        let seen = Arc::clone(&runs);
        let work = move |session: &mut dyn Session| {
            let run = runs.fetch_add(1, Ordering::SeqCst);
            // The store's own transactions cannot become stale: SQLite's take the lock first, PostgreSQL's take the
            // tenant's row first and see what is committed. So this one begins anew, or asks for more.
            match engine {
                Engine::Sqlite => drop((session.execute("ROLLBACK", &[])?, session.execute("BEGIN", &[])?)),
                Engine::Postgres => drop(session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", &[])?),
            }
            session.first("SELECT name FROM tenant WHERE tenant_id = 1", &[])?;
            if run < fails {
                live.execute("UPDATE tenant SET name = name || 'x' WHERE tenant_id = 1");
            }
            session.execute("UPDATE tenant SET revision = revision + 1000 WHERE tenant_id = 1", &[])?;
            Ok(Outcome::Commit(()))
        };
        (work, seen)
    };
    let revision = async || store.snapshot().read(OIL, store::current_tenant).await.unwrap().revision;
    let before = revision().await;
    let (work, runs) = again(3);
    store.write_system(work).await.unwrap();
    assert_eq!((runs.load(Ordering::SeqCst), revision().await), (4, before + 1000));
    let (work, runs) = again(u32::MAX);
    let given_up = store.write_system(work).await;
    assert!(matches!(given_up, Err(StoreError::Stale(_))), "{given_up:?}");
    assert_eq!((runs.load(Ordering::SeqCst), revision().await), (10, before + 1000));
}

/// Clients go away at any moment: what they had asked for ends by itself, and gives back what it held.
async fn a_read_that_is_given_up_gives_back_its_connection(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = open(&live);
    for patience in 0..300 {
        let snapshot = store.snapshot();
        let read = snapshot.read(OIL, store::current_tenant);
        let give_up = async {
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = read => {} () = give_up => {} }
    }
    // As many as there are connections, all at once.
    let snapshots: Vec<_> = (0..8).map(|_| store.snapshot()).collect();
    let all = snapshots.iter().map(|snapshot| snapshot.read(OIL, store::current_tenant));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
}

on_each_engine!(
    a_read_that_is_given_up_gives_back_its_connection,
    a_broken_rule_is_named,
    what_waits_fails_with_its_own_save,
    a_foreign_value_is_corrupt,
    a_read_cannot_write,
    a_lock_that_is_held_is_busy,
    a_stale_save_is_run_again,
);

/// Two saves that take two tenants' rows in opposite order: PostgreSQL ends one of them, and it is run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlocks_are_run_again() {
    if !postgres_or_skip() {
        return;
    }
    let live = Live::new(Engine::Postgres, Content::Demo);
    let (one, two) = (open(&live), open(&live));
    let (runs, barrier) = (Arc::<AtomicU32>::default(), Arc::new(std::sync::Barrier::new(2)));
    let save = |first: i64, second: i64| {
        let (runs, barrier) = (Arc::clone(&runs), Arc::clone(&barrier));
        move |session: &mut dyn Session| {
            let bump = "UPDATE tenant SET revision = revision + 1 WHERE tenant_id = $1";
            session.execute(bump, &[first.into()])?;
            if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                barrier.wait();
            }
            session.execute(bump, &[second.into()])?;
            Ok(Outcome::Commit(()))
        }
    };
    let before = one.snapshot().read_system(store::list_tenants).await.unwrap();
    let done = futures_util::join!(one.write_system(save(1, 2)), two.write_system(save(2, 1)));
    assert_eq!(done, (Ok(()), Ok(())));
    // Once more for the one that was ended; if that was quicker than the other was to go on, again.
    assert!(runs.load(Ordering::SeqCst) >= 3);
    let after = one.snapshot().read_system(store::list_tenants).await.unwrap();
    assert!(before.iter().zip(&after).all(|(before, after)| after.revision == before.revision + 2), "each counts once");
}

/// Before COMMIT a lost connection means that nothing was written: the save is run again on another one. At COMMIT
/// nobody knows: it is said so, and never run again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_replaced_but_a_commit_is_never_repeated() {
    if !postgres_or_skip() {
        return;
    }
    let live = Live::new(Engine::Postgres, Content::Demo);
    let store = open(&live);
    let runs = Arc::<AtomicU32>::default();
    let save = |lost: u32, sql: &'static str| {
        let runs = Arc::clone(&runs);
        runs.store(0, Ordering::SeqCst);
        move |tx: &mut store::Tx<'_>| {
            if runs.fetch_add(1, Ordering::SeqCst) < lost {
                tx.rows("SELECT pg_terminate_backend(pg_backend_pid()) FROM tenant WHERE tenant_id = $1", &[])?;
            }
            tx.execute(sql, &[]).map(Outcome::Commit)
        }
    };
    let rename = "UPDATE tenant SET name = 'renamed' WHERE tenant_id = $1";
    assert_eq!(store.write(OIL, save(2, rename)).await, Ok(1));
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    let lost = store.write(OIL, save(u32::MAX, rename)).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");

    // Readers replace connections that were lost while nobody used them, whether they have heard of it or not.
    for _ in 0..30 {
        live.texts(
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert_eq!(store.snapshot().read(OIL, store::current_tenant).await.unwrap().settings.name.as_str(), "renamed");
    }

    // A constraint that is checked at COMMIT, and ends the connection there.
    for sql in [
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER lose AFTER UPDATE ON note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()",
    ] {
        live.execute(sql);
    }
    let unknown = store.write(OIL, save(0, "UPDATE note SET branch = 'x' WHERE tenant_id = $1")).await;
    assert!(matches!(unknown, Err(StoreError::Unknown(_))), "{unknown:?}");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(store.write(OIL, save(0, rename)).await, Ok(1), "afterwards it works");

    // So clients hear it.
    let server = Server::over(live);
    let (id, _) = server.extension("108").await;
    let query = "mutation($id: ID!) { virtualExtensionNoteUpdate(input: {id: $id, note: {branch: \"y\"}}) { userErrors { code } } }";
    let answer = server.answer(TOKEN, query, json!({ "id": id })).await;
    let said = &answer["errors"][0]["extensions"];
    assert_eq!((&said["code"], &said["outcome"]), (&json!("UNAVAILABLE"), &json!("UNKNOWN")), "{answer}");
}

/// What only PostgreSQL can answer, by its codes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_of_postgresql() {
    if !postgres_or_skip() {
        return;
    }
    let live = Live::new(Engine::Postgres, Content::Schema);
    let store = open(&live);
    let raise = async |sql: &'static str| {
        let work = move |session: &mut dyn Session| session.execute(sql, &[]);
        store.snapshot().read_system(work).await.unwrap_err()
    };
    let damaged = raise("DO $$ BEGIN RAISE 'invalid page in block 0' USING ERRCODE = 'XX001'; END $$").await;
    assert!(matches!(damaged, StoreError::Corrupt(_)), "{damaged:?}");
    for sql in [
        "DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '53100'; END $$",
        "DO $$ BEGIN RAISE 'the database system is shutting down' USING ERRCODE = '57P03'; END $$",
    ] {
        let full = raise(sql).await;
        assert!(matches!(full, StoreError::Unavailable(_)), "{full:?}");
    }
    // Statements that take too long are ended: here after a tenth of a second, as the URL says.
    let hasty = format!("{}?options=-c%20statement_timeout%3D100", live.url());
    let hasty = Store::open(&store::Database::Postgres(PostgresServer::parse(&hasty).unwrap()), 1).unwrap();
    let slow = hasty.snapshot().read_system(|session| session.first("SELECT 1 FROM pg_sleep(20)", &[])).await;
    assert!(matches!(slow, Err(StoreError::Busy(_))), "{slow:?}");
    // A transaction that sits idle for longer than allowed is ended by the server, and its connection replaced.
    let idle = format!("{}?options=-c%20idle_in_transaction_session_timeout%3D50", live.url());
    let idle = Store::open(&store::Database::Postgres(PostgresServer::parse(&idle).unwrap()), 1).unwrap();
    let snapshot = idle.snapshot();
    let one = |session: &mut dyn Session| session.first("SELECT 1", &[]);
    assert!(snapshot.read_system(one).await.is_ok());
    let (gone, mut answer) = (std::time::Instant::now(), snapshot.read_system(one).await);
    while answer.is_ok() && gone.elapsed().as_secs() < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        answer = snapshot.read_system(one).await;
    }
    assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{answer:?}");
    assert!(idle.snapshot().read_system(one).await.is_ok());
}
