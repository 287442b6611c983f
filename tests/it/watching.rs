//! What is told of the server's work: metrics, the log of slow operations, plans, spans. By the real program, as a
//! scraper and a collector see it.

#![expect(clippy::float_cmp, reason = "a sample is a number in floating point, and these are whole")]

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{EXPLORE, READ, Server, TOKEN};
use crate::process::Process;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const IVY: &str = r#"query Ivy($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { name note { additionalInfo }
  information { members { number name } } } } }"#;

/// An address that was free a moment ago.
pub fn free() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// What a scrape finds: samples by their name with labels. Every line must be one of the format.
pub fn scrape(address: &str) -> HashMap<String, f64> {
    let answer = client::get(address, "/metrics", &[]).unwrap();
    assert_eq!(answer.status, 200);
    let (mut samples, mut family) = (HashMap::new(), String::new());
    for line in answer.body.lines() {
        if let Some(described) = line.strip_prefix("# ") {
            family = described.split(' ').nth(1).unwrap().to_owned();
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with(&family) && family.starts_with("vext_"), "{line} in {family}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "twice: {line}");
    }
    samples
}

/// Waits until a sample has this value.
pub fn until(metrics: &str, name: &str, value: f64) {
    let begun = Instant::now();
    while scrape(metrics).get(name) != Some(&value) {
        assert!(begun.elapsed() < Duration::from_secs(4), "{name} is not {value}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The sum of the samples whose name has all these parts.
fn sum(samples: &HashMap<String, f64>, parts: &[&str]) -> f64 {
    samples.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part))).map(|(_, value)| value).sum()
}

async fn metrics_tell_what_was_done(engine: Engine) {
    let live = Live::new(engine, Content::Demo);
    let (url, key, metrics) = (live.url(), live.folder.path().join("vext.key"), free());
    let serve = ["serve", "--database", &url, "--key-file", key.to_str().unwrap(), "--readers", "2"];
    let server = Process::start(&[&serve[..], &["--metrics-listen", &metrics]].concat());
    let ask = |token: &str, query: &str| server.ask(token, query, &json!({ "n": "108" })).unwrap();
    // Bound before the first request is taken.
    assert!(ask(TOKEN, "{ tenant { code } }").get("errors").is_none());
    for _ in 0..3 {
        assert!(ask(TOKEN, IVY).get("errors").is_none());
    }
    ask(READ, "mutation Save { objectDelete(input: {id: \"x\"}) { userErrors { code } } }");
    // A name counts only when the document is valid and the token too.
    assert_eq!(
        ask("wrong", "query Stranger { tenant { code } }")["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED"
    );
    assert!(ask(TOKEN, "query Wrong { nothing }")["errors"].is_array());
    assert!(ask(TOKEN, "query {")["errors"].is_array());
    let large = "x".repeat(70_000);
    assert_eq!(ask(TOKEN, &large)["errors"][0]["extensions"]["code"], "QUERY_TOO_LARGE");

    let found = scrape(&metrics);
    for (name, value) in [
        (r#"vext_requests_total{operation="Ivy",type="query",outcome="ok"}"#, 3.0),
        (r#"vext_request_duration_seconds_count{operation="Ivy",type="query"}"#, 3.0),
        (r#"vext_requests_total{operation="none",type="query",outcome="ok"}"#, 1.0),
        (r#"vext_requests_total{operation="other",type="query",outcome="refused"}"#, 2.0),
        (r#"vext_requests_total{operation="none",type="none",outcome="refused"}"#, 2.0),
        (r#"vext_rejected_total{code="UNAUTHENTICATED"}"#, 1.0),
        (r#"vext_rejected_total{code="QUERY_TOO_LARGE"}"#, 1.0),
        (r#"vext_executed_total{by="plan"}"#, 4.0),
        (r#"vext_executed_total{by="kept"}"#, 1.0),
        ("vext_requests_in_flight", 0.0),
        ("vext_pool_connections", 16.0),
        ("vext_pool_waiting", 0.0),
        ("vext_writer_queue", 0.0),
        ("vext_spans_dropped_total", 0.0),
        (concat!("vext_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1.0),
    ] {
        assert_eq!(found.get(name), Some(&value), "{name} in {found:#?}");
    }
    assert_eq!(sum(&found, &["vext_requests_total{", "Save"]), 1.0, "{found:#?}");
    assert_eq!(sum(&found, &["vext_loader_batches_total{", "\"information\""]), 2.0, "{found:#?}");
    assert!(sum(&found, &["vext_loader_keys_total{", "\"information\""]) >= 2.0, "{found:#?}");
    assert!(found["vext_uptime_seconds"] > 0.0 && found["vext_pool_wait_seconds_count"] >= 5.0, "{found:#?}");

    // A stream counts when it begins, or when it is refused, and only once.
    let follow = |token: &str| {
        let authorization = format!("Bearer {token}");
        let headers = [("accept", "text/event-stream"), ("authorization", &authorization)];
        let body = json!({ "query": "subscription Follow { objectChanged { cursor } }" }).to_string();
        client::open(&server.address, "/graphql", &headers, Some(body.as_bytes())).unwrap()
    };
    assert_eq!(follow("wrong").status(), 401);
    let stream = follow(TOKEN);
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let begun = r#"vext_requests_total{operation="Follow",type="subscription",outcome="ok"}"#;
    // The answer begins before the operation does.
    let mut looks = std::iter::repeat_with(|| {
        std::thread::sleep(Duration::from_millis(20));
        scrape(&metrics)
    });
    let streamed =
        looks.by_ref().take(500).find(|found| found.contains_key(begun)).expect("a subscription that is counted");
    for (name, value) in [
        (begun, 1.0),
        (r#"vext_requests_total{operation="other",type="subscription",outcome="refused"}"#, 1.0),
        (r#"vext_rejected_total{code="UNAUTHENTICATED"}"#, 2.0),
    ] {
        assert_eq!(streamed.get(name), Some(&value), "{name} in {streamed:#?}");
    }
    drop(stream);

    // Statements are those of the plan and of nothing else.
    let before = scrape(&metrics)["vext_statements_total"];
    let body = json!({ "query": IVY, "variables": { "n": "108" }, "extensions": { "plan": true } });
    let answer = client::ask(&server.address, EXPLORE, &body).unwrap();
    let planned = answer["extensions"]["plan"]["statementCount"].as_f64().unwrap();
    assert_eq!(scrape(&metrics)["vext_statements_total"] - before, planned);

    // Every save is in one commit.
    let save = r#"mutation($n: ExtensionNumber!) { virtualExtensionCreate(input: {information: {number: $n, name: "x"}}) {
      userErrors { message } } }"#;
    std::thread::scope(|scope| {
        for i in 0..8 {
            let server = &server;
            scope.spawn(move || {
                let answer = server.ask(TOKEN, save, &json!({ "n": format!("99{i}") })).unwrap();
                assert_eq!(answer["data"]["virtualExtensionCreate"]["userErrors"], json!([]), "{answer}");
            });
        }
    });
    let after = scrape(&metrics);
    let grown = |name: &str| after[name] - found[name];
    assert_eq!(grown("vext_commit_saves_sum"), 8.0);
    assert!((1.0..=8.0).contains(&grown("vext_commit_saves_count")));
    assert_eq!(grown("vext_commit_saves_count"), grown("vext_commit_seconds_count"));
    assert_eq!(grown("vext_writer_wait_seconds_count"), 8.0);

    // However many names clients think up, the series are bounded.
    for i in 0..110 {
        ask(TOKEN, &format!("query Name{i} {{ __typename }}"));
    }
    let many = scrape(&metrics);
    let names = many.keys().filter(|name| name.starts_with("vext_request_duration_seconds_count{")).count();
    assert!((101..=110).contains(&names), "{names}");
    assert!(sum(&many, &["vext_requests_total{", "other", "ok"]) >= 10.0);

    // Each listener has its own paths.
    assert_eq!(client::get(&server.address, "/metrics", &[]).unwrap().status, 404);
    assert_eq!(client::get(&metrics, "/graphql", &[]).unwrap().status, 404);
}

async fn the_plan_shows_what_a_request_did(engine: Engine) {
    let server = Server::start(engine);
    let ask = async |token: &str, query: &str, plan: Value| {
        let authorization = format!("Bearer {token}");
        let body = json!({ "query": query, "variables": { "n": "108" }, "extensions": { "plan": plan, "cost": true } });
        server.post(&[("authorization", &authorization)], &body).await
    };
    // New to the server, then remembered.
    for _ in 0..2 {
        let before = server.app.statements();
        let (status, answer) = ask(EXPLORE, IVY, json!(true)).await;
        assert_eq!((status, answer.get("errors")), (StatusCode::OK, None), "{answer:#}");
        let plan = &answer["extensions"]["plan"];
        let statements = plan["statements"].as_array().unwrap();
        let times: u64 = statements.iter().map(|statement| statement["times"].as_u64().unwrap()).sum();
        assert_eq!(plan["statementCount"], times);
        assert_eq!(plan["cost"], answer["extensions"]["cost"]);
        assert_eq!(server.app.statements() - before, times);
        let known = server.app.statement_texts();
        assert!(statements.iter().all(|statement| known.contains(&statement["text"].as_str().unwrap())), "{plan:#}");
        assert!(
            plan["batches"].as_array().unwrap().contains(&json!({ "loader": "information", "keys": 1 })),
            "{plan:#}"
        );
        let stages: Vec<_> = plan["microseconds"].as_object().unwrap().keys().collect();
        assert_eq!(stages, ["admission", "parse", "identify", "execute", "serialise"]);
        assert!(plan["microseconds"]["execute"].as_u64().unwrap() > 0, "{plan:#}");
        assert!(!plan["statements"].to_string().contains("108"), "no value stands in it: {plan:#}");
    }
    // What a save asks of the writer's thread is there too.
    let save = "mutation { virtualExtensionCreate(input: {information: {number: \"777\", name: \"x\"}}) { userErrors { code } } }";
    let (_, answer) = ask(EXPLORE, save, json!(true)).await;
    let texts = answer["extensions"]["plan"]["statements"].to_string();
    assert!(texts.contains("SET revision = revision + 1"), "{answer:#}");

    for plan in [json!(false), json!(null)] {
        let (status, answer) = ask(READ, IVY, plan).await;
        let plan = answer["extensions"].get("plan");
        assert_eq!((status, plan, answer.get("errors")), (StatusCode::OK, None, None));
    }
    let (status, answer) = ask(READ, IVY, json!(true)).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (StatusCode::FORBIDDEN, &json!("FORBIDDEN")));
    assert!(answer.get("data").is_none() && answer.get("extensions").is_none(), "{answer}");
    let (status, answer) = ask(EXPLORE, IVY, json!("yes")).await;
    assert_eq!((status, &answer["errors"][0]["extensions"]["code"]), (StatusCode::BAD_REQUEST, &json!("BAD_REQUEST")));
    let nobody = json!({ "query": IVY, "variables": { "n": "108" }, "extensions": { "plan": true } });
    assert_eq!(server.post(&[], &nobody).await.0, StatusCode::FORBIDDEN);
}

/// The third time the answer is one that was kept.
async fn the_cost_is_told_to_whoever_asks_for_it(engine: Engine) {
    let server = Server::start(engine);
    let authorization = format!("Bearer {READ}");
    let ask = async |extensions: Value| {
        let body = json!({ "query": IVY, "variables": { "n": "108" }, "extensions": extensions });
        server.post(&[("authorization", &authorization)], &body).await
    };
    for _ in 0..3 {
        for unasked in [json!(null), json!({}), json!({ "cost": false }), json!({ "cost": null })] {
            let (status, answer) = ask(unasked).await;
            assert_eq!((status, answer.get("extensions"), answer.get("errors")), (StatusCode::OK, None, None));
        }
        let (_, answer) = ask(json!({ "cost": true })).await;
        let cost = answer["extensions"]["cost"].as_object().unwrap();
        assert_eq!(cost.keys().collect::<Vec<_>>(), ["requested", "actual"], "{answer}");
    }
    let (status, answer) = ask(json!({ "cost": 1, "plan": "yes" })).await;
    let sentence =
        "The request cannot be read: extensions.cost must be true or false; extensions.plan must be true or false.";
    assert_eq!((status, &answer["errors"][0]["message"]), (StatusCode::BAD_REQUEST, &json!(sentence)));
}

on_each_engine!(metrics_tell_what_was_done, the_plan_shows_what_a_request_did, the_cost_is_told_to_whoever_asks_for_it,);

#[test]
fn a_port_in_use_for_metrics_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let demo = ["demo", "--listen", "127.0.0.1:0", "--metrics-listen", &address];
    let output = crate::process::output(&mut crate::process::vext(&demo));
    let said = crate::process::error(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("--metrics-listen"), "{said}");
}

/// One line says which operation, how long, how many statements and in which trace, and holds no value.
#[test]
fn a_slow_operation_is_logged_without_values() {
    let server = Process::demo(&["--token", "T", "--slow-operation", "0s", "--log-format", "json"]);
    let query = r#"query Look($n: ExtensionNumber!) { tenant { a: virtualExtension(by: {number: $n}) { name }
      b: virtualExtension(by: {number: "554433"}) { name } } }"#;
    let body = json!({ "query": query, "variables": { "n": "667788" } }).to_string();
    let headers = [("authorization", "Bearer T"), ("traceparent", PARENT)];
    let answer = client::post(&server.address, &headers, body.as_bytes()).unwrap();
    let said = server.says("a slow operation");
    let line: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((answer.status, &line["level"], &line["operation"]), (200, &json!("WARN"), &json!("Look")), "{line:#}");
    assert_eq!(line["type"], "query");
    assert_eq!(line["span"]["trace_id"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(line["span"]["id"], answer.header("x-request-id"));
    let hash: String = Sha256::digest(query).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(line["document"], hash);
    assert_eq!(line["cost"], 1, "the tenant, and no extension of these numbers: {line:#}");
    assert!(line["statements"].as_u64().unwrap() >= 3 && line["milliseconds"].is_u64(), "{line:#}");
    for value in ["554433", "667788", "virtualExtension", "Bearer"] {
        assert!(!said.contains(value), "{value}: {said}");
    }
    // What is no trace is passed over, and the request has one of its own.
    let headers = [("authorization", "Bearer T"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-0-01")];
    client::post(&server.address, &headers, body.as_bytes()).unwrap();
    let line: Value = serde_json::from_str(&server.says("a slow operation")).unwrap();
    let trace = line["span"]["trace_id"].as_str().unwrap();
    assert!(trace.len() == 32 && trace != "0af7651916cd43dd8448eb211c80319c", "{trace}");
}

/// A client that does not wait for its answer is seen all the same.
#[test]
fn a_request_that_is_abandoned_is_counted_and_logged() {
    let live = Live::new(Engine::Sqlite, Content::Demo);
    let (url, key, metrics) = (live.url(), live.folder.path().join("vext.key"), free());
    let serve = ["serve", "--database", &url, "--key-file", key.to_str().unwrap(), "--metrics-listen", &metrics];
    let server = Process::start(&[&serve[..], &["--slow-operation", "0s"]].concat());
    assert!(server.ask(TOKEN, "{ tenant { code } }", &json!({})).is_some());
    // Somebody else holds the file, so that a save has to wait.
    let other = rusqlite::Connection::open(live.database.file().unwrap()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let save = r#"mutation Wait { virtualExtensionCreate(input: {information: {number: "991", name: "x"}}) {
      userErrors { code } } }"#;
    let body = json!({ "query": save }).to_string();
    let client = client::sent(&server.address, client::bytes(TOKEN, &body));
    until(&metrics, "vext_requests_in_flight", 1.0);
    drop(client);
    until(&metrics, r#"vext_requests_total{operation="other",type="mutation",outcome="abandoned"}"#, 1.0);
    assert!(server.says("operation=\"Wait\"").contains("abandoned=true"));
    other.execute_batch("ROLLBACK").unwrap();
}

/// One line for each request, whatever brings it and however it ends, without any value.
#[test]
fn every_request_is_logged_where_that_is_asked_for() {
    let server = Process::demo(&["--token", "T", "--log-requests", "--log-format", "json"]);
    let line = || serde_json::from_str::<Value>(&server.says("vext::requests")).unwrap();
    let ask = |token: &str, query: &str, accept: &str| {
        let authorization = format!("Bearer {token}");
        let body = json!({ "query": query }).to_string();
        client::post(&server.address, &[("authorization", &authorization), ("accept", accept)], body.as_bytes())
            .unwrap()
    };
    let answer = ask("T", "query Look { tenant { code } }", "application/json");
    let look = line();
    assert_eq!((&look["level"], &look["operation"], &look["type"]), (&json!("INFO"), &json!("Look"), &json!("query")));
    assert_eq!((&look["tenant"], &look["client"]), (&json!("CANISTRACCI"), &json!("127.0.0.1")), "{look:#}");
    assert_eq!((&look["status"], &look["outcome"]), (&json!(200), &json!("ok")), "{look:#}");
    assert!(look["token"].as_str().is_some_and(|name| name.starts_with("demo ")), "the name: {look:#}");
    assert!(look["milliseconds"].is_f64() && look["request"] == answer.header("x-request-id"), "{look:#}");
    ask("wrong", "{ tenant { code } }", "application/json");
    let refused = line();
    assert_eq!((&refused["status"], &refused["code"]), (&json!(401), &json!("UNAUTHENTICATED")), "{refused:#}");
    assert!(refused.get("token").is_none() && refused["outcome"] == "refused", "{refused:#}");
    ask("T", "{ tenant { code } }", "text/event-stream");
    assert_eq!((&line()["status"], &line_of_socket(&server, line)["outcome"]), (&json!(200), &json!("ok")));
}

/// The line of a query over a socket, which has no status.
fn line_of_socket(server: &Process, line: impl Fn() -> Value) -> Value {
    let mut socket = client::socket_of(&server.address, "T");
    let ask = json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ tenant { code } }" } });
    socket.send(ask.to_string().into()).unwrap();
    let line = line();
    assert!(line.get("status").is_none() && line["tenant"] == "CANISTRACCI", "{line:#}");
    line
}

#[test]
fn an_operation_that_is_not_slow_is_not_logged() {
    let mut server = Process::demo(&["--token", "T", "--slow-operation", "10m"]);
    assert!(server.ask("T", "{ tenant { code } }", &json!({})).is_some());
    server.signal("-TERM");
    assert!(server.ended().success());
    let rest = server.rest();
    assert!(rest.contains("stopping") && !rest.contains("slow operation"), "{rest}");
}

/// A collector: answers every POST with 200 and hands over what it got, with the path.
fn collector() -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (got, spans) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, got) = (stream.unwrap(), got.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                loop {
                    let head: Vec<String> =
                        reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                    let Some(first) = head.first() else { return };
                    let header = |name: &str| {
                        let mut fields = head.iter().filter_map(|line| line.split_once(": "));
                        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
                    };
                    assert_eq!(header("content-type").as_deref(), Some("application/json"));
                    let mut body = vec![0; header("content-length").unwrap().parse().unwrap()];
                    reader.read_exact(&mut body).unwrap();
                    write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
                    )
                    .unwrap();
                    drop(got.send((first.clone(), serde_json::from_slice(&body).unwrap())));
                }
            });
        }
    });
    (format!("http://{address}"), spans)
}

/// The spans of what a collector got, until there are enough.
fn spans(got: &mpsc::Receiver<(String, Value)>, enough: usize) -> Vec<Value> {
    let (mut spans, begun) = (Vec::new(), Instant::now());
    while spans.len() < enough {
        let patience = Duration::from_secs(30).saturating_sub(begun.elapsed());
        let (line, body) = got.recv_timeout(patience).unwrap_or_else(|_| panic!("only {spans:#?}"));
        assert_eq!(line, "POST /v1/traces HTTP/1.1");
        let resource = &body["resourceSpans"][0];
        let service = json!({ "key": "service.name", "value": { "stringValue": "vext" } });
        assert_eq!(resource["resource"]["attributes"][0], service);
        spans.extend(resource["scopeSpans"][0]["spans"].as_array().unwrap().iter().cloned());
    }
    spans
}

fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a Value> {
    let found = span["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == key);
    found.and_then(|attribute| attribute["value"].as_object()?.values().next())
}

/// Spans reach a collector and go on with the client's trace; what waits is sent before the end.
#[test]
fn spans_reach_a_collector() {
    let (url, got) = collector();
    let mut server = Process::demo(&["--token", "T", "--otlp-endpoint", &url]);
    let body = json!({ "query": IVY, "variables": { "n": "108" } }).to_string();
    let send = |headers: &[(&str, &str)]| client::post(&server.address, headers, body.as_bytes()).unwrap();
    let answer = send(&[("authorization", "Bearer T"), ("traceparent", PARENT)]);
    assert!(answer.json().get("errors").is_none(), "{answer:?}");
    let found = spans(&got, 1);
    let span = &found[0];
    assert_eq!(span["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(span["parentSpanId"], "b7ad6b7169203331");
    assert_eq!(span["spanId"], answer.header("x-request-id"));
    assert_eq!((&span["name"], &span["kind"], &span["status"]), (&json!("query"), &json!(2), &json!({})));
    assert_eq!(attribute(span, "graphql.operation.name"), Some(&json!("Ivy")));
    assert!(attribute(span, "vext.statements").unwrap().as_str().unwrap().parse::<u64>().unwrap() >= 3, "{span:#}");
    let nanoseconds = |key: &str| span[key].as_str().unwrap().parse::<u128>().unwrap();
    let (begun, ended) = (nanoseconds("startTimeUnixNano"), nanoseconds("endTimeUnixNano"));
    assert!(begun > 1_700_000_000_000_000_000 && begun < ended && ended - begun < 60_000_000_000, "{span:#}");
    let keys: Vec<_> = span["attributes"].as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    let stages = ["admission", "parse", "identify", "execute"].map(|stage| format!("vext.{stage}.microseconds"));
    let known = ["vext.statements", "vext.cost", "graphql.operation.type", "graphql.operation.name"];
    assert_eq!(keys, known.into_iter().chain(stages.iter().map(String::as_str)).collect::<Vec<_>>());

    // What the client does not record is not recorded here either; an error shows; and a stop sends what is left.
    let unsampled = PARENT.replace("-01", "-00");
    send(&[("authorization", "Bearer T"), ("traceparent", &unsampled)]);
    send(&[("authorization", "Bearer wrong")]);
    server.signal("-TERM");
    assert!(server.ended().success());
    let found = spans(&got, 1);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(attribute(&found[0], "error.type"), Some(&json!("UNAUTHENTICATED")));
    assert_eq!((&found[0]["status"]["code"], &found[0]["parentSpanId"]), (&json!(2), &json!("")));
}

/// `docs/watching.md` names every series that there is, with its type, and no other.
#[test]
fn every_series_is_documented() {
    let metrics = free();
    let server = Process::demo(&["--token", "T", "--metrics-listen", &metrics]);
    // A series with labels is there once it has one: a look-up in a batch, a refusal, and an error of an execution.
    assert!(server.ask("T", IVY, &json!({ "n": "108" })).unwrap().get("errors").is_none());
    assert!(server.ask("T", "query {", &json!({})).unwrap().get("data").is_none());
    let nobody = client::post(&server.address, &[], br#"{"query":"{ tenant { code } }"}"#).unwrap().json();
    assert_eq!(nobody["data"], json!({ "tenant": null }));
    let text = client::get(&metrics, "/metrics", &[]).unwrap().body;
    let mut found: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
    let page = include_str!("../../docs/watching.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `vext_"));
    let mut documented: Vec<_> = rows
        .map(|row| {
            let mut cells = row.split(" | ");
            format!("vext_{} {}", cells.next().unwrap().trim_end_matches('`'), cells.next().unwrap())
        })
        .collect();
    found.sort();
    documented.sort();
    assert_eq!(found, documented);
}
