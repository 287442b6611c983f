//! Fair use: what one client may take, over the real router with a clock that the test sets, and over real sockets.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use vext::domain::Clock;
use vext::http::{FairUse, ServeOptions};
use vext::service::App;

use crate::client;
use crate::engines::{Content, Engine, Live, on_each_engine};
use crate::harness::{MOLLOY, READ, Server, TOKEN};
use crate::process::Process;

pub const ASK: &str = "{ tenant { code } }";

/// Stands still until it is set.
struct Still(AtomicI64);

impl Clock for Still {
    fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A server with a clock that stands still.
pub struct Timed {
    pub server: Server,
    clock: Arc<Still>,
}

/// What comes back.
pub struct Answer {
    pub status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// All values of a header.
    fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The `extensions` of the only error.
    pub fn refusal(&self) -> &Value {
        &self.body["errors"][0]["extensions"]
    }
}

impl Timed {
    pub fn start(engine: Engine, fair: FairUse) -> Self {
        let live = Live::new(engine, Content::Demo);
        let clock = Arc::new(Still(AtomicI64::new(1_795_424_400_000)));
        let mut options = live.options();
        options.environment.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let app = App::open(&options).unwrap();
        Self {
            server: Server::serving(live, app, ServeOptions { fair, explorable: true, ..ServeOptions::default() })
                .unwrap(),
            clock,
        }
    }

    pub fn wait(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Sends a query from an address.
    pub async fn ask(&self, from: &str, headers: &[(&str, &str)], query: &str) -> Answer {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(json!({ "query": query }).to_string())).unwrap();
        if !from.is_empty() {
            let peer = SocketAddr::new(from.parse().unwrap(), 4711);
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        let response = self.server.send(request).await;
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, body: serde_json::from_slice(&bytes).unwrap() }
    }

    /// Sends a query of a token from nowhere in particular.
    async fn ask_as(&self, token: &str) -> Answer {
        self.ask("", &[("authorization", &format!("Bearer {token}"))], ASK).await
    }
}

async fn a_token_that_has_spent_its_quota_waits(engine: Engine) {
    let timed = Timed::start(engine, FairUse { rate_token: 3, ..FairUse::default() });
    for left in [2, 1, 0] {
        let answer = timed.ask_as(TOKEN).await;
        assert_eq!(answer.body["data"]["tenant"]["code"], "CANISTRACCI", "{}", answer.body);
        assert_eq!(answer.all("ratelimit-policy"), [r#""token";q=3;w=60"#]);
        assert_eq!(answer.all("ratelimit"), [format!(r#""token";r={left};t={}"#, (3 - left) * 20)]);
    }
    let refused = timed.ask_as(TOKEN).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.all("retry-after"), ["20"]);
    assert_eq!(refused.all("ratelimit"), [r#""token";r=0;t=60"#]);
    let told = json!({ "code": "RATE_LIMITED", "limit": 3, "actual": 4, "scope": "TOKEN", "retryAfter": 20 });
    assert_eq!(refused.refusal(), &told);
    assert!(refused.body.get("data").is_none(), "{}", refused.body);
    // Nobody else's quota, not even that of another token of the tenant.
    assert_eq!(timed.ask_as(READ).await.status, StatusCode::OK);
    timed.wait(19);
    assert_eq!(timed.ask_as(TOKEN).await.all("retry-after"), ["1"]);
    timed.wait(1);
    assert_eq!(timed.ask_as(TOKEN).await.status, StatusCode::OK);
}

async fn a_tenants_tokens_share_its_quota(engine: Engine) {
    let timed = Timed::start(engine, FairUse { rate_tenant: 2, rate_token: 100, ..FairUse::default() });
    timed.ask_as(TOKEN).await;
    let last = timed.ask_as(READ).await;
    assert_eq!(last.all("ratelimit"), [r#""token";r=99;t=1"#, r#""tenant";r=0;t=60"#]);
    let refused = timed.ask_as(TOKEN).await;
    assert_eq!(refused.refusal()["scope"], "TENANT");
    // What the token paid is given back: it has one request behind it, not two.
    assert_eq!(refused.all("ratelimit"), [r#""token";r=99;t=1"#, r#""tenant";r=0;t=60"#]);
    assert_eq!(timed.ask_as(MOLLOY).await.status, StatusCode::OK);
}

async fn an_address_pays_for_all_that_it_sends(engine: Engine) {
    let timed = Timed::start(engine, FairUse { rate_address: 6, ..FairUse::default() });
    let bearer = format!("Bearer {TOKEN}");
    let signed = [("authorization", bearer.as_str())];
    // A request costs its address one for being read, and then what it costs; what cannot be parsed is read only.
    assert_eq!(timed.ask("2001:db8::1", &signed, ASK).await.all("ratelimit"), [r#""address";r=4;t=20"#]);
    assert_eq!(timed.ask("2001:db8::2", &[], ASK).await.all("ratelimit"), [r#""address";r=2;t=40"#]);
    assert_eq!(timed.ask("2001:db8::3", &[], "{").await.all("ratelimit"), [r#""address";r=1;t=50"#]);
    let refused = timed.ask("2001:db8::4", &signed, ASK).await;
    assert_eq!((refused.status, &refused.refusal()["scope"]), (StatusCode::TOO_MANY_REQUESTS, &json!("ADDRESS")));
    timed.ask("2001:db8::5", &[], "{").await;
    let before = timed.server.app.statements();
    let refused = timed.ask("2001:db8::6", &signed, ASK).await;
    assert_eq!(refused.all("retry-after"), ["10"]);
    assert_eq!(timed.server.app.statements(), before, "nothing is looked up for it");
    // Another subscriber's network.
    assert_eq!(timed.ask("2001:db8:0:1::1", &signed, ASK).await.status, StatusCode::OK);
}

async fn only_a_trusted_proxy_names_the_client(engine: Engine) {
    let trusted_proxy = vec!["10.0.0.0/8".parse().unwrap()];
    let timed = Timed::start(engine, FairUse { rate_address: 2, trusted_proxy, ..FairUse::default() });
    let status =
        async |from: &str, forwarded: &str| timed.ask(from, &[("x-forwarded-for", forwarded)], ASK).await.status;
    // Whatever a stranger writes into the header, it is one client.
    assert_eq!(status("203.0.113.9", "198.51.100.1").await, StatusCode::OK);
    assert_eq!(status("203.0.113.9", "198.51.100.2").await, StatusCode::TOO_MANY_REQUESTS);
    // Behind the proxy each client is one, and what it wrote itself stands further left.
    assert_eq!(status("10.0.0.1", "203.0.113.7").await, StatusCode::OK);
    assert_eq!(status("10.0.0.1", "203.0.113.8").await, StatusCode::OK);
    assert_eq!(status("10.0.0.1", "198.51.100.3, 203.0.113.8").await, StatusCode::TOO_MANY_REQUESTS);
    // The stranger's own address, by way of the proxy, has not been given a second quota.
    assert_eq!(status("10.0.0.2", "203.0.113.9").await, StatusCode::TOO_MANY_REQUESTS);
}

async fn guessing_tokens_ends_soon_and_costs_the_database_nothing(engine: Engine) {
    let timed = Timed::start(engine, FairUse::default());
    let ask = async |from: &str, token: &str| timed.ask(from, &[("authorization", token)], ASK).await;
    let good = format!("Bearer {TOKEN}");
    assert_eq!(ask("192.0.2.1", &good).await.status, StatusCode::OK);
    for i in 0..10 {
        let scheme = if i == 0 { "Basic" } else { "Bearer" };
        assert_eq!(ask("192.0.2.1", &format!("{scheme} guess-{i}")).await.status, StatusCode::UNAUTHORIZED);
    }
    let before = timed.server.app.statements();
    let refused = ask("192.0.2.1", "Bearer guess-10").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let told = json!({ "code": "RATE_LIMITED", "limit": 10, "actual": 11, "scope": "SIGN_IN", "retryAfter": 6 });
    assert_eq!(refused.refusal(), &told);
    assert_eq!(refused.all("retry-after"), ["6"]);
    for i in 0..20 {
        assert_eq!(ask("192.0.2.1", &format!("Bearer more-{i}")).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(timed.server.app.statements() - before, 1, "the marks of valid tokens were read, nothing was looked up");
    // Valid tokens work, also one that is new there, and so does everybody elsewhere, and who has none is told so.
    assert_eq!(ask("192.0.2.1", &good).await.status, StatusCode::OK);
    assert_eq!(ask("192.0.2.1", &format!("Bearer {READ}")).await.status, StatusCode::OK);
    assert_eq!(ask("192.0.2.2", &format!("Bearer {READ}")).await.status, StatusCode::OK);
    assert_eq!(timed.ask("192.0.2.1", &[], ASK).await.refusal()["code"], "UNAUTHENTICATED");
    // One more every six seconds.
    timed.wait(6);
    assert_eq!(ask("192.0.2.1", "Bearer guess-11").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("192.0.2.1", "Bearer guess-12").await.status, StatusCode::TOO_MANY_REQUESTS);
    // A revoked token is a wrong one at once.
    timed.server.app.revoke_token(TOKEN).await.unwrap();
    assert_eq!(ask("192.0.2.1", &good).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask("192.0.2.1", &good).await.status, StatusCode::TOO_MANY_REQUESTS);
}

/// With the threads of low priority everything answers as with the others.
async fn expensive_requests_are_answered_apart(engine: Engine) {
    let timed = Timed::start(engine, FairUse { expensive_cost: 1, ..FairUse::default() });
    let usual = Timed::start(engine, FairUse::default());
    let list = "{ tenant { virtualExtensions(first: 100) { totalCount nodes { number name information { members { number } } } } } }";
    let mut tries = Vec::new();
    for timed in [&timed, &usual] {
        tries.push(timed.server.data(list, json!({})).await);
        let (id, version) = timed.server.extension("108").await;
        let input = json!({ "id": id, "expectedVersion": version, "note": { "branch": "Rome" } });
        tries.push(timed.server.mutate("virtualExtensionNoteUpdate", input).await["changes"].clone());
    }
    assert_eq!(tries[..2], tries[2..]);
    assert!(tries[0]["tenant"]["virtualExtensions"]["totalCount"].as_i64().unwrap() > 5);
    assert!(tries[1].to_string().contains("Rome"));
    #[cfg(target_os = "linux")]
    assert!(priorities("expensive").contains(&19) && priorities("expensive-rd-0").contains(&19));
    #[cfg(target_os = "linux")]
    assert_eq!(priorities("reader-0").iter().max(), Some(&0), "the others keep theirs");
}

/// Whether a server has run anything in the expensive lane: the lane's threads start with its first request.
#[cfg(target_os = "linux")]
fn uses_expensive_lane(server: &Process) -> bool {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    tasks.into_iter().any(|task| {
        std::fs::read_to_string(task.unwrap().path().join("comm")).is_ok_and(|name| name.trim() == "expensive")
    })
}

#[cfg(target_os = "linux")]
fn names(server: &Process, list: &str) -> Value {
    let query = format!("{{ tenant {{ virtualExtensions({list}) {{ nodes {{ number }} }} }} }}");
    let answer = server.ask("T", &query, &json!({})).unwrap();
    answer["data"]["tenant"]["virtualExtensions"]["nodes"].clone()
}

/// A request with a high cost runs in the expensive lane, and a page of a hundred does not.
#[cfg(target_os = "linux")]
#[test]
fn a_high_cost_runs_in_the_expensive_lane() {
    let server = Process::demo(&["--token", "T"]);
    let uses_expensive_lane = || uses_expensive_lane(&server);
    let names = |list: &str| names(&server, list);
    assert!(names("first: 50").as_array().unwrap().len() > 3);
    assert!(!uses_expensive_lane());
    // A page of a hundred with what it refers to is ordinary, as a plan answers it: the text is known by then.
    let page = "query($n: Int!, $after: String) { tenant { queues(after: $after) { nodes { id } } virtualExtensions(first: $n) {
      nodes { number name information { members { number name } callGroups { name } } } } } }";
    for n in [1, 100] {
        let answer = server.ask("T", page, &json!({ "n": n, "after": null })).unwrap();
        assert!(answer["data"]["tenant"]["virtualExtensions"]["nodes"].is_array(), "{answer}");
    }
    assert!(!uses_expensive_lane());
    // When the plan gives up, the executor would take long: it waits for its place among those that do.
    let answer = server.ask("T", page, &json!({ "n": 100, "after": "x" })).unwrap();
    assert_eq!((&answer["errors"][0]["path"], uses_expensive_lane()), (&json!(["tenant", "queues"]), true), "{answer}");
}

/// A request that may scan a whole tenant runs in the expensive lane, even if it returns and costs next to nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_scan_runs_in_the_expensive_lane() {
    let server = Process::demo(&["--token", "T"]);
    let uses_expensive_lane = || uses_expensive_lane(&server);
    let names = |list: &str| names(&server, list);
    assert!(names("first: 50").as_array().unwrap().len() > 3);
    assert!(!uses_expensive_lane());
    let ivy = names("first: 1, filter: {name: {contains: \"Ivy\"}}");
    assert_eq!((ivy, uses_expensive_lane()), (json!([{ "number": "108" }]), true));
}

/// The nice values of this process's threads of a name.
#[cfg(target_os = "linux")]
pub fn priorities(name: &str) -> Vec<i64> {
    let stats = std::fs::read_dir("/proc/self/task").unwrap();
    // Threads of other tests end meanwhile.
    let stats = stats.filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("stat")).ok());
    let nice = stats.filter_map(|stat| {
        let (head, tail) = stat.rsplit_once(')')?;
        // Field 19 of proc_pid_stat(5); the name, field 2, ended just before.
        (head.split_once('(')?.1 == name).then(|| tail.split_whitespace().nth(16).unwrap().parse().unwrap())
    });
    nice.collect()
}

on_each_engine!(
    a_token_that_has_spent_its_quota_waits,
    a_tenants_tokens_share_its_quota,
    an_address_pays_for_all_that_it_sends,
    only_a_trusted_proxy_names_the_client,
    guessing_tokens_ends_soon_and_costs_the_database_nothing,
    expensive_requests_are_answered_apart,
);

/// A save holds the only slot while another program holds the file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_is_refused_at_once() {
    let one = std::num::NonZeroUsize::MIN;
    let timed =
        Timed::start(Engine::Sqlite, FairUse { max_concurrent: Some(one), max_waiting: 1, ..FairUse::default() });
    let (id, version) = timed.server.extension("108").await;
    let blocker = rusqlite::Connection::open(timed.server.live.database.file().unwrap()).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let save = format!(
        "mutation {{ virtualExtensionNoteUpdate(input: {{id: \"{id}\", expectedVersion: {version}, note: {{branch: \"x\"}}}}) {{ userErrors {{ code }} }} }}"
    );
    let bearer = format!("Bearer {TOKEN}");
    let signed = [("authorization", bearer.as_str())];
    let before = timed.server.app.statements();
    let saving = timed.ask("", &signed, &save);
    let others = async {
        // The save has its slot once its token has been looked up.
        while timed.server.app.statements() == before {
            tokio::task::yield_now().await;
        }
        let waiting = timed.ask_as(TOKEN);
        let refused = async {
            let begun = Instant::now();
            let refused = timed.ask_as(TOKEN).await;
            for query in [ASK, "subscription { objectChanged { cursor } }"] {
                let stream = timed.server.send(stream_of(query)).await;
                assert_eq!(stream.status(), StatusCode::SERVICE_UNAVAILABLE, "before its first event: {query}");
            }
            assert!(begun.elapsed() < Duration::from_secs(2), "at once, not after a wait");
            let page = timed.server.send(Request::get("/playground/").body(Body::empty()).unwrap()).await;
            assert_eq!(page.status(), StatusCode::OK, "files are not counted");
            blocker.execute_batch("COMMIT").unwrap();
            refused
        };
        futures_util::future::join(waiting, refused).await
    };
    let (saved, (waited, refused)) = futures_util::future::join(saving, others).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.refusal(), &json!({ "code": "OVERLOADED", "limit": 1, "actual": 2 }));
    assert_eq!(refused.all("retry-after"), ["1"]);
    assert_eq!(saved.body["data"]["virtualExtensionNoteUpdate"]["userErrors"], json!([]), "{}", saved.body);
    assert_eq!(waited.status, StatusCode::OK, "whoever had a place got a slot");
    assert_eq!(timed.ask_as(TOKEN).await.status, StatusCode::OK, "and all is as before");
}

/// The headers of a stream show what it has paid.
#[tokio::test]
async fn an_event_stream_shows_what_is_left() {
    for query in [ASK, "subscription { objectChanged { cursor } }"] {
        let timed = Timed::start(Engine::Sqlite, FairUse { rate_address: 100, ..FairUse::default() });
        let answer = timed.server.send(stream_of(query)).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["ratelimit-policy"], r#""address";q=100;w=60"#);
        assert_eq!(answer.headers()["ratelimit"], r#""address";r=98;t=2"#, "{query}");
    }
}

/// A request for a stream of events.
fn stream_of(query: &str) -> Request<Body> {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = request.header("accept", "text/event-stream").header("authorization", format!("Bearer {TOKEN}"));
    let mut request = request.body(Body::from(json!({ "query": query }).to_string())).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
    request
}

/// A server with a client's time of a second.
fn impatient(options: &[&str]) -> Process {
    Process::demo(&[&["--token", "T", "--client-timeout", "1s"], options].concat())
}

/// The status of a small request on a connection of its own; `None` when there is no answer.
fn status(server: &Process) -> Option<u16> {
    let body = json!({ "query": ASK }).to_string();
    Some(client::post(&server.address, &[("authorization", "Bearer T")], body.as_bytes())?.status)
}

/// Waits until a small request gets this status.
fn until(server: &Process, wanted: u16) {
    let begun = Instant::now();
    let mut last = None;
    while last != Some(wanted) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{last:?}, not {wanted}");
        last = status(server);
    }
}

/// Sends bytes one by one until the server closes the connection; what it said.
fn trickle(stream: &mut TcpStream, bytes: impl Iterator<Item = u8>) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (begun, mut said, mut buffer) = (Instant::now(), Vec::new(), [0; 4096]);
    for byte in bytes {
        assert!(begun.elapsed() < Duration::from_secs(30), "the server goes on reading");
        if stream.write_all(&[byte]).is_err() {
            break;
        }
        // The wait between two bytes.
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => said.extend_from_slice(&buffer[..read]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
    }
    String::from_utf8(said).unwrap()
}

#[test]
fn a_client_that_dawdles_is_cut_off_while_others_are_served() {
    let server = impatient(&[]);
    std::thread::scope(|scope| {
        let header = scope.spawn(|| {
            let mut stream = client::sent(&server.address, "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ");
            trickle(&mut stream, std::iter::repeat(b'a'))
        });
        let body = scope.spawn(|| {
            let head =
                "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
            trickle(&mut client::sent(&server.address, head), std::iter::repeat(b' '))
        });
        let idle = scope.spawn(|| client::exchange(&server.address, "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"));
        assert_eq!(status(&server), Some(200));
        header.join().unwrap();
        let said = body.join().unwrap();
        assert!(said.starts_with("HTTP/1.1 408 ") && said.contains(r#""code":"REQUEST_TIMEOUT""#), "{said}");
        assert!(said.contains("connection: close"), "{said}");
        assert!(idle.join().unwrap().starts_with("HTTP/1.1 404 "), "answered, and closed when nothing more came");
    });
    assert_eq!(status(&server), Some(200));
}

/// The client reads why, whatever it was sending, and the connection can be used again; but not for a body without end.
#[test]
fn a_client_may_send_what_is_refused_to_its_end() {
    let server = Process::demo(&["--token", "T", "--max-body", "1000"]);
    let send = |stream: &mut TcpStream, path: &str, pieces: usize| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
        stream.write_all(format!("{head}content-length: {}\r\n\r\n", pieces * 10_000).as_bytes())?;
        for _ in 0..pieces {
            stream.write_all(&[b' '; 10_000])?;
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok::<_, std::io::Error>(())
    };
    let mut stream = client::connect(&server.address);
    stream.set_nodelay(true).unwrap();
    for (path, status) in [("/graphql", "413"), ("/nowhere", "404"), ("/healthz", "405"), ("/graphql", "413")] {
        send(&mut stream, path, 60).unwrap();
        let said = client::say(&mut stream, "");
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {said}");
    }
    assert!(send(&mut stream, "/graphql", 2000).is_err(), "20 MB are taken in");
    // Who waits for a word before the body is not told to send one that nobody wants.
    let head = "POST /nowhere HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n";
    let said = client::say(&mut client::connect(&server.address), head);
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    // Nor is anybody listened to for as long as the bytes come.
    let mut stream =
        client::sent(&server.address, "POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n");
    let said = trickle(&mut stream, std::iter::repeat(b' '));
    assert!(said.starts_with("HTTP/1.1 404 "), "{said}");
    assert_eq!(status(&server), Some(200));
}

/// Whoever asks for much and takes nothing has the only connection, until it is taken away.
#[test]
fn an_answer_that_nobody_takes_is_thrown_away() {
    let server = impatient(&["--max-connections", "1"]);
    let stream = client::sent(&server.address, "GET /playground/index.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200));
    until(&server, 503);
    until(&server, 200);
    drop(stream);
}

#[test]
fn a_connection_too_many_is_told_so() {
    for limit in ["--max-connections", "--max-connections-per-address"] {
        let server = Process::demo(&["--token", "T", limit, "2"]);
        // Who only waits would make room; these are in the middle of a request.
        let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
        let held = [(); 2].map(|()| client::sent(&server.address, head));
        until(&server, 503);
        let refused = client::ask(&server.address, "T", &json!({ "query": ASK })).unwrap();
        assert_eq!(refused["errors"][0]["extensions"]["code"], "OVERLOADED");
        assert_eq!(status(&server), Some(503));
        drop(held);
        until(&server, 200);
    }
}

#[test]
fn the_bytes_of_a_header_are_bounded() {
    let server = Process::demo(&["--token", "T"]);
    let answer = |head: &str| client::exchange(&server.address, head);
    let many = "x-many: 1\r\n".repeat(101);
    let long = format!("x-long: {}\r\n", "a".repeat(1 << 18));
    for (headers, statuses) in [(many, &["431"][..]), (long, &["431", ""]), (String::new(), &["404"])] {
        let answer = answer(&format!("GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"));
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(statuses.contains(&status), "{answer}");
    }
    // The longest address that HTTP libraries take fits.
    let query = format!("{{tenant{{code}}}}{}", "%20".repeat(20_000));
    let headers = [("authorization", "Bearer T")];
    let answer = client::get(&server.address, &format!("/graphql?query={query}"), &headers).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
}
