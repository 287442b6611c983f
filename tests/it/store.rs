//! The store's threads: group commit, and what a panic or a stop leaves.

use crate::engines::{Content, Engine, Live, on_each_engine};
use vext::domain::{TenantId, Value};
use vext::store::{Outcome, Result, Session, Store, StoreError, Tx};

/// A statement that can break a constraint: a token's key may be taken only once.
const INSERT: &str =
    "INSERT INTO token (token_id, hash, name, scopes, all_tenants, created_at) VALUES ($1, $2, $3, 'read', $4, 0)";
const COUNT: &str = "SELECT count(*) FROM token";

fn open(engine: Engine) -> (Live, Store) {
    let live = Live::new(engine, Content::Schema);
    let store = Store::open(&live.database, 1).unwrap();
    (live, store)
}

fn row(n: i64) -> [Value; 4] {
    [n.into(), n.to_string().as_bytes().into(), n.to_string().into(), true.into()]
}

fn insert(n: i64) -> impl Fn(&mut dyn Session) -> Result<Outcome<i64>> + Send + 'static {
    move |session| session.execute(INSERT, &row(n)).map(|_| Outcome::Commit(n))
}

/// What others see: only what is committed.
fn committed(live: &Live) -> String {
    live.texts("SELECT CAST(count(*) AS TEXT) FROM token").remove(0)
}

/// While one job is at work others queue up; they share one commit, and each stands or falls alone.
async fn jobs_share_a_commit_and_fail_alone(engine: Engine) {
    let (live, store) = open(engine);
    let live = std::sync::Arc::new(live);
    let (go, wait) = crossbeam_channel::bounded::<()>(0);
    let (begun, has_begun) = crossbeam_channel::bounded::<()>(1);
    let first = store.write_system(move |_| {
        begun.send(()).unwrap();
        wait.recv().unwrap();
        Ok(Outcome::Commit(0))
    });
    let look = std::sync::Arc::clone(&live);
    let others = async {
        // Whatever queues up before the first is begun could be of its group.
        while has_begun.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let others = async {
            futures_util::join!(
                store.write_system(insert(1)),
                store.write_system(insert(1)),
                store.write_system::<i64>(|session| {
                    session.execute(INSERT, &row(2))?;
                    panic!("a job that panics")
                }),
                store.write_system(|session| session.execute(INSERT, &row(3)).map(|_| Outcome::Rollback(3))),
                store.write_system(insert(4)),
                // The group is not committed before its last job has run.
                store.write_system(move |_| Ok(Outcome::Commit(committed(&look)))),
            )
        };
        futures_util::join!(others, async { go.send(()).unwrap() }).0
    };
    let (first, others) = futures_util::join!(first, others);
    let (one, twice, panicked, rolled_back, four, seen) = others;
    assert_eq!((first, one, rolled_back, four), (Ok(0), Ok(1), Ok(3), Ok(4)));
    assert_eq!(twice, Err(StoreError::Conflict { constraint: "token_pkey".into() }));
    assert!(matches!(panicked, Err(StoreError::Bug(_))), "{panicked:?}");
    assert_eq!((seen.unwrap().as_str(), committed(&live).as_str()), ("0", "2"));
}

async fn what_was_queued_is_written_before_the_writer_goes(engine: Engine) {
    let (live, store) = open(engine);
    for n in 1..=50 {
        // Nobody waits for the answer.
        let _ = futures_util::poll!(Box::pin(store.write_system(insert(n))));
    }
    drop(store);
    assert_eq!(committed(&live), "50");
}

/// A job that goes on after a statement has failed, and calls it a success, must not be told that it was one: on
/// PostgreSQL the transaction is lost by then.
async fn a_failed_statement_is_not_committed_over(engine: Engine) {
    let (live, store) = open(engine);
    let done = store.write_system(|session| {
        session.execute(INSERT, &row(1))?;
        let failed = session.execute(INSERT, &row(1)).is_err();
        Ok(Outcome::Commit(failed))
    });
    match done.await {
        Ok(failed) => assert_eq!((failed, committed(&live).as_str()), (true, "1")),
        Err(error) => assert_eq!((error, committed(&live).as_str()), (StoreError::Bug(A_MISTAKE.into()), "0")),
    }
}

const A_MISTAKE: &str = "a transaction went on after a statement had failed";

/// A save that has begun is carried out whether or not anybody waits for it, and those who watch its tenant hear of it.
async fn a_save_whose_client_has_gone_is_told(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = Store::open(&live.database, 1).unwrap();
    let tenant = TenantId(1);
    let revision = store.snapshot().read(tenant, vext::store::current_tenant).await.unwrap().revision;
    let mut watching = store.watch(tenant, revision);
    let (go, wait) = crossbeam_channel::bounded::<()>(0);
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let begun = std::sync::Mutex::new(Some(begun));
    let in_time = store.with_deadline_of(&store.snapshot().with_time_limit(std::time::Duration::from_secs(60)));
    let save = tokio::spawn(async move {
        let work = move |_: &mut Tx<'_>| {
            begun.lock().unwrap().take().unwrap().send(()).unwrap();
            wait.recv().unwrap();
            Ok(Outcome::Commit(()))
        };
        in_time.write(tenant, work).await
    });
    has_begun.await.unwrap();
    save.abort();
    assert!(save.await.unwrap_err().is_cancelled());
    go.send(()).unwrap();
    tokio::time::timeout(std::time::Duration::from_secs(30), watching.changed()).await.unwrap().unwrap();
    assert_eq!(*watching.borrow(), revision + 1);
}

/// Tenants do not wait for each other where the engine can write them at the same time.
async fn one_tenant_does_not_hold_up_another(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let store = Store::open(&live.database, 1).unwrap();
    let (go, wait) = crossbeam_channel::bounded::<()>(0);
    let first = store.write(TenantId(1), move |_| Ok(Outcome::Commit(wait.recv().is_ok())));
    let second = async {
        if engine == Engine::Postgres {
            // Answered although the first is still at work.
            assert_eq!(store.write(TenantId(2), |_| Ok(Outcome::Commit(2))).await, Ok(2));
        }
        go.send(()).unwrap();
    };
    assert_eq!(futures_util::join!(first, second).0, Ok(true));
}

/// A client does not wait for ever. A save that was begun may be there or not; one that was not is never begun.
async fn a_save_that_waits_too_long_is_given_up(engine: Engine) {
    let (live, store) = open(engine);
    let (go, wait) = crossbeam_channel::bounded::<()>(0);
    let (begun, has_begun) = crossbeam_channel::bounded::<()>(1);
    let first = store.write_system(move |_| {
        begun.send(()).unwrap();
        wait.recv().unwrap();
        Ok(Outcome::Commit(0))
    });
    let second = async {
        while has_begun.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        store.write_system(insert(1)).await
    };
    let (first, second) = futures_util::join!(first, second);
    assert!(matches!(first, Err(StoreError::Unknown(_))), "{first:?}");
    assert!(matches!(&second, Err(StoreError::Busy(why)) if why.contains("not begun")), "{second:?}");
    go.send(()).unwrap();
    assert_eq!(store.write_system(insert(2)).await, Ok(2));
    assert_eq!(live.texts("SELECT name FROM token"), ["2"]);
}

async fn a_read_that_panics_takes_no_thread_with_it(engine: Engine) {
    let (_live, store) = open(engine);
    for _ in 0..3 {
        let panicked = store.snapshot().read_system(|_| -> Result<()> { panic!("a read") }).await;
        assert!(matches!(panicked, Err(StoreError::Bug(_))), "{panicked:?}");
        let row = store.snapshot().read_system(|session| session.first(COUNT, &[])).await;
        assert_eq!(row, Ok(Some(vec![Value::Int(0)])));
    }
}

/// All reads of a request see one state, whatever is committed meanwhile, until it is renewed.
async fn a_snapshot_stands_still(engine: Engine) {
    let (_live, store) = open(engine);
    let (snapshot, count) = (store.snapshot(), |session: &mut dyn Session| session.first(COUNT, &[]));
    let seen = |n: i64| Ok(Some(vec![Value::Int(n)]));
    assert_eq!(snapshot.read_system(count).await, seen(0));
    store.write_system(insert(1)).await.unwrap();
    assert_eq!(snapshot.read_system(count).await, seen(0));
    snapshot.renew().await;
    assert_eq!(snapshot.read_system(count).await, seen(1));
}

/// A request that still runs when everything else is gone: it reads on, and its end is the end of the threads.
async fn a_snapshot_outlives_its_store(engine: Engine) {
    let (_live, store) = open(engine);
    let snapshot = store.snapshot();
    assert!(snapshot.read_system(|session| session.first(COUNT, &[])).await.is_ok());
    drop(store);
    assert!(snapshot.read_system(|session| session.first(COUNT, &[])).await.is_ok());
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        drop(snapshot);
        done.send(())
    });
    assert_eq!(is_done.recv_timeout(std::time::Duration::from_secs(20)), Ok(()));
}

on_each_engine!(
    a_save_that_waits_too_long_is_given_up,
    a_snapshot_outlives_its_store,
    jobs_share_a_commit_and_fail_alone,
    what_was_queued_is_written_before_the_writer_goes,
    a_failed_statement_is_not_committed_over,
    a_save_whose_client_has_gone_is_told,
    one_tenant_does_not_hold_up_another,
    a_read_that_panics_takes_no_thread_with_it,
    a_snapshot_stands_still,
);
