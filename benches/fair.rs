//! How much greedy clients slow down ordinary ones. Measures the latency of 16 connections with ordinary load, alone
//! and beside 4 greedy connections. These send in turn the most expensive requests that are accepted (the largest
//! pages, and requests that scan a tenant), one just below the limit of cheap requests, and a long invalid document.
//! Then measures the latency beside 60 connections that create extensions with two PINs and a password, or dry-run
//! that, and the memory that the process needs for it. All in one run, over real sockets. Only the ratio can be
//! compared across machines; it must stay below 2, and the memory below 150 MiB.
//!
//! `VEXT_BENCH_ROUNDS` sets the number of rounds (default 5). A round has three seconds without greedy clients and
//! three with them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark measures time and stops at the first surprise"
)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use vext::domain::Environment;
use vext::http::ServeOptions;
use vext::operations::demo;
use vext::service::{App, Database, NewToken, OpenOptions};

const EXTENSIONS: usize = 2000;
const ORDINARY: usize = 16;
const GREEDY: usize = 4;
/// Connections that save secrets.
const SECRETIVE: usize = 60;
/// How long a round lasts.
const ROUND: Duration = Duration::from_secs(3);
/// How long an ordinary client waits between two requests.
const THINKS: Duration = Duration::from_millis(20);

const FORM: &str = "query($n: ExtensionNumber!) { tenant { virtualExtension(by: {number: $n}) { id version number name description
  information { emails dnd inboundTimeoutSeconds members { id number name } callGroups { id name } pickupGroups { id name } }
  callSettings { txVolume rxVolume callWaitingServerSide } outboundRecording { recordingEmails } security { outboundMode locked }
  outboundCalls { externalCallerIdNumber routingProfile { id name } } followMe { enabled number delaySeconds timeoutSeconds }
  note { branch department referenceId additionalInfo } } } }";
const SAVE: &str =
    "mutation($id: ID!, $text: String!) { virtualExtensionNoteUpdate(input: {id: $id, note: {additionalInfo: $text}}) {
  object { version } userErrors { code } } }";
/// The longest page, with many objects below each form; the executor answers it.
const PAGE: &str = "{ tenant { virtualExtensions(first: 100) { totalCount nodes { id number name description version
  information { emails dnd members { id number name } callGroups { id name } pickupGroups { id name } }
  outboundCalls { externalCallerIdNumber routingProfile { id name } } followMe { enabled number }
  note { branch department referenceId additionalInfo } references(first: 5) { totalCount nodes { path } } } } } }";
/// The longest page of typical list columns with all references; a plan answers it, and it counts as cheap.
const LIST: &str = "{ tenant { virtualExtensions(first: 100) { nodes { number name description
  information { dnd inboundTimeoutSeconds members { number name } callGroups { kind name } pickupGroups { kind name }
    spyGroups { kind name } }
  security { locked } outboundCalls { routingProfile { name } } followMe { enabled number } note { department } } } } }";
/// Scans the whole tenant.
const LINT: &str = "{ tenantLint(first: 100) { nodes { code label path message } } }";
const RARE: &str =
    "{ tenant { virtualExtensions(first: 100, filter: {description: {contains: \"nobody wrote this\"}}) {
  totalCount nodes { id } } } }";

/// A mutation that creates an extension with secrets, or dry-runs that.
fn with_secrets(number: usize, dry_run: bool) -> String {
    format!(
        "mutation {{ virtualExtensionCreate(input: {{dryRun: {dry_run}, information: {{number: \"{number}\", name: \"Desk\",
           securityPin: \"7305\"}}, security: {{lockPin: \"2846\"}}, webUserPanel: {{webPassword: \"A very secret 1 word\"}}}}) {{
           userErrors {{ code }} }} }}"
    )
}

/// The memory of the process in MiB; `None` if the system does not report it.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// A request that no plan answers and that costs just less than an expensive one: few objects, with as many fields as a
/// document may have.
fn just_cheap() -> String {
    let unplanned = "note { branch } note { department }";
    format!("{{ tenant {{ virtualExtensions(first: 13) {{ nodes {{ {unplanned} {} }} }} }} }}", "name ".repeat(470))
}

/// As many fields as a document may have, all unknown.
fn invalid() -> String {
    format!("{{ {} }}", (0..1990).map(|i| format!("f{i} ")).collect::<String>())
}

/// A keep-alive connection.
struct Client {
    stream: TcpStream,
    token: &'static str,
}

impl Client {
    fn connect(address: SocketAddr, token: &'static str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, token }
    }

    /// Sends a request and reads the whole answer.
    fn ask(&mut self, query: &str, variables: &Value) -> Vec<u8> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer ";
        let request = format!("{head}{}\r\ncontent-length: {}\r\n\r\n{body}", self.token, body.len());
        self.stream.write_all(request.as_bytes()).unwrap();
        let (mut answer, mut buffer) = (Vec::new(), [0; 1 << 16]);
        loop {
            let read = self.stream.read(&mut buffer).unwrap();
            assert!(read > 0, "the connection ended");
            answer.extend_from_slice(&buffer[..read]);
            let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            if answer.len() - end - 4 >= length.parse().unwrap() {
                return answer.split_off(end + 4);
            }
        }
    }

    fn json(&mut self, query: &str, variables: &Value) -> Value {
        serde_json::from_slice(&self.ask(query, variables)).unwrap()
    }
}

/// Starts a server and fills its tenant through the API.
fn start(folder: &Path) -> (Runtime, SocketAddr, Vec<String>) {
    let options = OpenOptions {
        database: Database::Sqlite(folder.join("bench.db")),
        key_file: folder.join("key"),
        readers: thread::available_parallelism().unwrap().get(),
        environment: Environment::system(),
    };
    let app = App::open(&options).unwrap();
    let runtime = Runtime::new().unwrap();
    let address = runtime.block_on(async {
        demo::fill(&app).await.unwrap();
        for token in ["ordinary", "greedy"] {
            let tenants = vec!["CANISTRACCI".into()];
            let new =
                NewToken { name: token.into(), tenants, all_tenants: false, write: true, delete: true, explore: false };
            app.create_token(new, Some(token.into())).await.unwrap().unwrap();
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(vext::http::serve(app, listener, ServeOptions::default(), std::future::pending()));
        address
    });
    let create = "mutation($input: VirtualExtensionCreateInput!) { virtualExtensionCreate(input: $input) {
        object { id } userErrors { message } } }";
    // In parallel, so that they share commits.
    let fill = |part: usize| {
        let mut client = Client::connect(address, "ordinary");
        let numbers = (0..EXTENSIONS / ORDINARY).map(|i| 5000 + part * EXTENSIONS / ORDINARY + i);
        let make = |number: usize| {
            let input = json!({ "information": { "number": number.to_string(), "name": format!("Desk {number}") },
                "note": { "branch": "Rome", "department": "Sales", "additionalInfo": format!("Room {number}") } });
            let answer = client.json(create, &json!({ "input": input }));
            let payload = &answer["data"]["virtualExtensionCreate"];
            payload["object"]["id"].as_str().unwrap_or_else(|| unreachable!("{answer}")).to_owned()
        };
        numbers.map(make).collect::<Vec<_>>()
    };
    let ids = thread::scope(|scope| {
        let parts: Vec<_> = (0..ORDINARY).map(|part| scope.spawn(move || fill(part))).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    });
    (runtime, address, ids)
}

/// The document that a greedy connection sends in a turn.
type Greedy<'a> = &'a (dyn Fn(usize, usize) -> String + Sync);

/// The sorted latencies of the ordinary connections during a round, and the number of answers to the greedy ones.
fn round(address: SocketAddr, ids: &[String], greedy: Greedy<'_>, connections: usize) -> (Vec<Duration>, usize) {
    let over = &AtomicBool::new(false);
    thread::scope(|scope| {
        let attacks: Vec<_> = (0..connections)
            .map(|i| {
                scope.spawn(move || {
                    let (mut client, mut answered) = (Client::connect(address, "greedy"), 0);
                    while !over.load(Ordering::Relaxed) {
                        client.ask(&greedy(i, answered), &json!({}));
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        let ordinary: Vec<_> = (0..ORDINARY)
            .map(|connection| {
                scope.spawn(move || {
                    let (mut client, mut latencies) = (Client::connect(address, "ordinary"), Vec::new());
                    let begun = Instant::now();
                    let mut turn = connection;
                    while begun.elapsed() < ROUND {
                        let sent = Instant::now();
                        let answer = if turn % 10 == 0 {
                            client.ask(SAVE, &json!({ "id": ids[turn % ids.len()], "text": format!("Turn {turn}") }))
                        } else {
                            client.ask(FORM, &json!({ "n": (5000 + turn % EXTENSIONS).to_string() }))
                        };
                        latencies.push(sent.elapsed());
                        let wrong = String::from_utf8_lossy(&answer).contains("\"errors\"");
                        assert!(!wrong, "{}", String::from_utf8_lossy(&answer));
                        turn += ORDINARY + 1;
                        thread::park_timeout(THINKS);
                    }
                    latencies
                })
            })
            .collect();
        let mut latencies: Vec<_> = ordinary.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        latencies.sort();
        (latencies, attacks.into_iter().map(|thread| thread.join().unwrap()).sum())
    })
}

fn quantile(sorted: &[Duration], permille: usize) -> f64 {
    sorted[(sorted.len() - 1) * permille / 1000].as_secs_f64() * 1000.0
}

/// Runs rounds without and with greedy connections, in turn. Prints each round, and the ratios of the p99 latencies.
fn compare(rounds: usize, name: &str, round: impl Fn(usize) -> (Vec<Duration>, usize), connections: usize) {
    println!("\n| Round | | Requests | Median | p99 | Greedy answers |\n|---|---|---|---|---|---|");
    let mut ratios = Vec::new();
    for number in 1..=rounds {
        let mut p99 = [0.0; 2];
        for (place, connections) in [0, connections].into_iter().enumerate() {
            let (latencies, answered) = round(connections);
            p99[place] = quantile(&latencies, 990);
            let (name, count, median) = (["quiet", "beside"][place], latencies.len(), quantile(&latencies, 500));
            println!("| {number} | {name} | {count} | {median:.2} ms | {:.2} ms | {answered} |", p99[place]);
        }
        ratios.push(p99[1] / p99[0]);
    }
    ratios.sort_by(f64::total_cmp);
    let (median, worst) = (ratios[ratios.len() / 2], ratios[ratios.len() - 1]);
    println!("\np99 beside {name} / p99 quiet: median {median:.2}, worst {worst:.2}");
}

/// How much the memory of the process grew at most during some work.
fn growth(work: impl FnOnce()) -> Option<u64> {
    let (before, over, most) = (memory()?, AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                most.fetch_max(memory().unwrap_or_default(), Ordering::Relaxed);
                thread::park_timeout(THINKS);
            }
        });
        work();
        over.store(true, Ordering::Relaxed);
    });
    Some(most.into_inner().saturating_sub(before))
}

fn main() {
    let rounds = common::rounds(5);
    let folder = tempfile::tempdir().unwrap();
    let (runtime, address, ids) = start(folder.path());
    let greedy = [PAGE.to_owned(), LIST.to_owned(), LINT.to_owned(), RARE.to_owned(), just_cheap(), invalid()];
    for (i, query) in greedy.iter().enumerate() {
        let begun = Instant::now();
        let answer = Client::connect(address, "greedy").json(query, &json!({}));
        assert_eq!(answer.get("errors").is_none(), i < 5, "{answer}");
        let (length, took) = (answer.to_string().len(), begun.elapsed().as_secs_f64() * 1000.0);
        println!("greedy: {} bytes: {length} bytes in {took:.1} ms alone", query.len());
    }
    let all: Greedy<'_> = &|connection, turn| greedy[(connection + turn) % greedy.len()].clone();
    round(address, &ids, all, 0);
    compare(rounds, "greedy clients", |connections| round(address, &ids, all, connections), GREEDY);

    // Numbers that are not used yet, different in each round.
    let numbers = AtomicUsize::new(100_000);
    let secretive: Greedy<'_> = &|connection, turn| {
        with_secrets(numbers.fetch_add(1, Ordering::Relaxed), (connection + turn).is_multiple_of(2))
    };
    let saving = || {
        let round = |connections| round(address, &ids, secretive, connections);
        compare(rounds, "saves with secrets", round, SECRETIVE);
    };
    match growth(saving) {
        Some(more) => println!("the memory of the process grew by at most {more} MiB"),
        None => saving(),
    }
    runtime.shutdown_background();
}
