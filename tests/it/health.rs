//! `/healthz` and `/readyz`, as a load balancer sees them.

use std::process::Command;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::client;
use crate::engines::{Cluster, Engine, on_each_engine, postgres_or_skip};
use crate::harness::{Server, TOKEN};
use crate::process::{Process, vext};

async fn get(server: &Server, path: &str) -> (StatusCode, Value) {
    let answer = server.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let status = answer.status();
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Asks until the answer is what it should become.
pub fn until(address: &str, status: u16, words: &str) {
    let begun = Instant::now();
    loop {
        let answer = client::get(address, "/readyz", &[]);
        if answer.as_ref().is_some_and(|answer| answer.status == status && answer.body.contains(words)) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "not {status} {words} but {answer:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

async fn it_says_whether_it_is_ready_and_nothing_else(engine: Engine) {
    let server = Server::start(engine);
    assert_eq!(get(&server, "/healthz").await, (StatusCode::OK, json!({ "status": "ok" })));
    let checks = json!({ "database": "ok", "schema": "ok", "writer": "ok", "serving": "ok" });
    assert_eq!(get(&server, "/readyz").await, (StatusCode::OK, json!({ "status": "ok", "checks": checks })));
    // However many ask at the same time, the database is asked once; those that come later are free to ask it again.
    let before = server.app.statements();
    futures_util::future::join_all((0..50).map(|_| get(&server, "/readyz"))).await;
    assert!(server.app.statements() <= before + 2, "{before} {}", server.app.statements());
}

async fn another_schema_is_not_ready(engine: Engine) {
    let checks = json!({ "database": "ok", "schema": "failed", "writer": "ok", "serving": "ok" });
    for change in [
        "INSERT INTO migration VALUES (99, '0099_future', 'x', 0)",
        "DELETE FROM migration WHERE number = 1",
        "UPDATE migration SET checksum = 'x' WHERE number = 2",
    ] {
        let server = Server::start(engine);
        assert_eq!(server.live.execute(change), 1);
        let body = json!({ "status": "unavailable", "checks": checks });
        assert_eq!(get(&server, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, body), "{change}");
        assert_eq!(get(&server, "/healthz").await.0, StatusCode::OK);
    }
}

on_each_engine!(it_says_whether_it_is_ready_and_nothing_else, another_schema_is_not_ready);

/// After SIGTERM a load balancer has time to notice before connections are refused.
#[test]
fn a_server_that_is_to_stop_says_so_while_it_still_serves() {
    let mut server = Process::start(&["demo", "--token", TOKEN, "--shutdown-delay", "3s"]);
    assert_eq!(client::get(&server.address, "/readyz", &[]).unwrap().status, 200);
    server.signal("-TERM");
    until(&server.address, 503, r#""serving":"stopping""#);
    assert_eq!(client::get(&server.address, "/healthz", &[]).unwrap().status, 200);
    let answer = server.ask(TOKEN, "{ tenant { code } }", &json!({})).unwrap();
    assert_eq!(answer["data"]["tenant"]["code"], "CANISTRACCI");
    assert!(server.ended().success());
}

/// A PostgreSQL that hangs, comes back, and goes.
#[test]
fn a_server_without_its_database_is_alive_but_not_ready() {
    if !postgres_or_skip() {
        return;
    }
    let cluster = Cluster::start(&["fsync=off"]);
    cluster.sql("postgres", |client| client.batch_execute("CREATE DATABASE vext").unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (url, key) = (cluster.url("vext"), folder.path().join("vext.key"));
    let place = ["--database", &url, "--key-file", key.to_str().unwrap()];
    assert!(vext(&["migrate"]).args(place).output().unwrap().status.success());
    let server = Process::start(&[&["serve", "--readers", "1"], &place[..]].concat());
    until(&server.address, 200, r#""database":"ok""#);
    let backends = "SELECT pid::text FROM pg_stat_activity WHERE application_name = 'vext'";
    let backends = cluster.sql("vext", |client| client.query(backends, &[]).unwrap());
    let backends: Vec<String> = backends.iter().map(|row| row.get(0)).collect();
    let signal = |signal: &str| assert!(Command::new("kill").arg(signal).args(&backends).status().unwrap().success());
    signal("-STOP");
    until(&server.address, 503, r#""database":"failed","schema":"unknown""#);
    signal("-CONT");
    until(&server.address, 200, r#""database":"ok""#);
    drop(cluster);
    until(&server.address, 503, r#""database":"failed","schema":"unknown""#);
    assert_eq!(client::get(&server.address, "/healthz", &[]).unwrap().status, 200);
}
