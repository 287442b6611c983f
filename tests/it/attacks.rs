//! Attacks on the real binary, one after another: each gets its answer, in time, of few bytes, and the process is the
//! same afterwards, alive and hardly larger.
//!
//! `VEXT_ATTACKED` names another binary than the one under test, such as the release build. With `--nocapture` the table
//! of docs/security.md is printed.

use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tungstenite::Message;
use vext::graphql::DocumentHash;
use vext::selftest::{ATTACKS, Attack};

use crate::client;
use crate::process::{Process, vext};

/// The longest that an attack may keep the server busy: far more than any takes, so that a slow machine passes.
const TIME: Duration = Duration::from_secs(10);
/// The longest answer to an attack.
const BYTES: usize = 64 * 1024;
/// How much the process may grow over all attacks, in KiB.
const GROWTH: u64 = 128 * 1024;

/// A server that is attacked.
struct Target {
    server: Process,
    id: u32,
}

impl Target {
    fn start() -> Self {
        let arguments = ["demo", "--token", "T", "--listen", "127.0.0.1:0"];
        let server = match std::env::var_os("VEXT_ATTACKED") {
            Some(binary) => {
                let mut command = std::process::Command::new(binary);
                command.args(arguments).env_clear().stdin(std::process::Stdio::null());
                Process::listening(command)
            }
            None => Process::listening({
                let mut command = vext(&arguments);
                command.env_clear();
                command
            }),
        };
        let id = server.id();
        Self { server, id }
    }

    /// The status, the bytes and the body of the answer to a whole request.
    fn send(&self, request: &[u8]) -> (u16, usize, Value) {
        let text = client::exchange(&self.server.address, request);
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, text.len(), serde_json::from_str(body).unwrap_or_default())
    }

    fn post(&self, body: &str) -> (u16, usize, Value) {
        self.send(client::bytes("T", body).as_bytes())
    }

    fn get(&self, query: &str) -> (u16, usize, Value) {
        let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
        self.send(
            format!(
                "GET /graphql?query={query} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer T\r\n\r\n"
            )
            .as_bytes(),
        )
    }

    /// What comes back for an operation that is sent over a WebSocket: the payload of `error` or `next`.
    fn socket(&self, query: &str) -> (u16, usize, Value) {
        let mut socket = client::socket_of(&self.server.address, "T");
        // A message that is too long is not read to its end.
        let _ = socket
            .send(Message::text(json!({ "type": "subscribe", "id": "1", "payload": { "query": query } }).to_string()));
        let mut bytes = 0;
        loop {
            let Ok(Message::Text(text)) = socket.read() else { return (0, bytes, Value::Null) };
            bytes += text.len();
            let mut message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str() {
                Some("error") => return (101, bytes, json!({ "errors": message["payload"] })),
                Some("next") => return (101, bytes, message["payload"].take()),
                _ => {}
            }
        }
    }

    /// The memory that the process has, in KiB.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The same process answers an ordinary question.
    fn lives(&self, after: &str) {
        let (status, _, body) = self.post(r#"{"query":"{ tenant { code } }"}"#);
        assert_eq!((status, &body["data"]["tenant"]["code"]), (200, &json!("CANISTRACCI")), "after {after}: {body}");
        assert!(fs::metadata(format!("/proc/{}", self.id)).is_ok());
    }
}

/// Sends a text in one way.
type Way<'a> = Box<dyn Fn() -> (u16, usize, Value) + 'a>;

/// The code of the last error that has one.
fn code(body: &Value) -> String {
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let mut codes = errors.iter().rev().filter_map(|error| error["extensions"]["code"].as_str());
    codes.next().unwrap_or_default().to_owned()
}

/// Every text over every way in: POST, GET, WebSocket, and as a persisted query.
#[test]
fn no_text_of_a_query_takes_the_server_down() {
    let target = Target::start();
    target.lives("the start");
    let before = target.memory();
    let mut table =
        String::from("| Attack | Bytes sent | Longest time | Most bytes back | Answer |\n|---|---|---|---|---|\n");
    let attacks = ATTACKS.iter().flat_map(|attack| attack.sizes.iter().map(move |&size| (attack, size)));
    for (Attack { name, text, codes, .. }, size) in attacks {
        let text = text(size);
        let persisted = json!({ "query": text, "extensions": { "persistedQuery": { "version": 1,
            "sha256Hash": DocumentHash::of(&text).to_string() } } });
        let body = json!({ "query": text }).to_string();
        let (mut longest, mut most, mut said) = (Duration::ZERO, 0, String::new());
        let mut ways: Vec<(&str, Way<'_>)> = vec![
            ("POST", Box::new(|| target.post(&body))),
            ("persisted", Box::new(|| target.post(&persisted.to_string()))),
            ("WebSocket", Box::new(|| target.socket(&text))),
        ];
        // Longer addresses are refused before anybody reads them.
        if text.len() < 8000 {
            ways.push(("GET", Box::new(|| target.get(&text))));
        }
        for (way, send) in ways {
            let begun = Instant::now();
            let (status, bytes, body) = send();
            let took = begun.elapsed();
            let shown: String = body.to_string().chars().take(300).collect();
            assert!(took < TIME && bytes < BYTES, "{name}, {} bytes over {way}: {took:?}, {bytes} bytes", text.len());
            // What is too large for a body or a message is refused before it is a query.
            let too_large =
                body["errors"][0]["extensions"]["code"] == "BODY_TOO_LARGE" || (way == "WebSocket" && body.is_null());
            let code = code(&body);
            let too_long = code == "QUERY_TOO_LARGE" && text.len() > 65_536;
            let fits =
                (too_long || codes.contains(&code.as_str())) && (body.get("errors").is_some() || codes.contains(&""));
            assert!(
                fits || (too_large && text.len() > 200_000),
                "{name}, {} bytes over {way}: {status} {shown}",
                text.len()
            );
            (longest, most) = (longest.max(took), most.max(bytes));
            if !code.is_empty() {
                said = code;
            }
            target.lives(name);
        }
        let _ = writeln!(table, "| {name} | {} | {} ms | {most} | {said} |", text.len(), longest.as_millis());
    }
    let grown = target.memory().saturating_sub(before);
    println!("{table}\nThe process has grown by {grown} KiB, from {before} KiB.");
    assert!(grown < GROWTH, "the process has grown by {grown} KiB");
}

/// What is wrong with the request around the query.
#[test]
fn no_request_around_a_query_takes_the_server_down() {
    let target = Target::start();
    let before = target.memory();
    let query = "query($x: String) { __typename }";
    let nested = |n: usize| format!(r#"{{"query":"{query}","variables":{{"x":{}{}}}}}"#, "[".repeat(n), "]".repeat(n));
    let keys = (0..20_000).fold(String::new(), |mut text, i| {
        let _ = write!(text, "\"k{i}\":0,");
        text
    });
    let bodies = [
        nested(17),
        nested(100),
        nested(1000),
        nested(100_000),
        format!(r#"{{"query":"{query}","variables":{{{keys}"x":null}}}}"#),
        format!(r#"{{"query":"{query}","variables":{{"x":"{}"}}}}"#, "x".repeat(200_000)),
        format!(r#"{{"query":"{query}","variables":{{"x":1e{}}}}}"#, "9".repeat(10_000)),
        "[".repeat(200_000),
        r#"{"query":"\uD800"}"#.to_owned(),
        "{\"query\":\"{ __typename }\u{0}\"}".to_owned(),
        r#"{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}"#.to_owned(),
        r#"{"documentId":"../../etc/passwd"}"#.to_owned(),
        " ".repeat(300_000),
    ];
    for body in &bodies {
        let begun = Instant::now();
        let (status, bytes, answer) = target.post(body);
        let shown: String = body.chars().take(60).collect();
        assert!(begun.elapsed() < TIME && bytes < BYTES, "{shown}");
        // Some are valid and harmless; none is a mistake of the server.
        assert!((200..500).contains(&status), "{shown}: {status} {answer}");
        target.lives(&shown);
    }
    let heads: [&[u8]; 6] = [
        b"GET /graphql HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\nconnection: close\r\n\r\n{}{}{}",
        b"POST /graphql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-type: application/json\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
        b"GET /graphql?query=%ff%fe HTTP/1.1\r\nhost: x\r\nx-tenant: a\r\nconnection: close\r\n\r\n",
    ];
    for head in heads {
        let (status, bytes, _) = target.send(head);
        assert!(bytes < BYTES && status < 500, "{}: {status}", String::from_utf8_lossy(head));
        target.lives(&String::from_utf8_lossy(head));
    }
    let long = format!("GET /graphql?query={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "a".repeat(200_000));
    let (status, bytes, _) = target.send(long.as_bytes());
    assert!(bytes < BYTES && status < 500, "{status}");
    target.lives("a long address");
    let grown = target.memory().saturating_sub(before);
    assert!(grown < GROWTH, "the process has grown by {grown} KiB");
}
