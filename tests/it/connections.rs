//! Connections over real sockets: who says nothing is closed, who waits makes room, and HTTP/2 is not spoken.

use std::io::{ErrorKind, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, connect, exchange, rest, say, sent};
use crate::process::Process;
use crate::watching::free;

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const GET: &str = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";

fn demo(options: &[&str]) -> Process {
    Process::demo(&[&["--token", "T"], options].concat())
}

/// Connections that say nothing, from one of the addresses of the loopback network.
fn silent_from(from: [u8; 4], to: &str, count: usize) -> Vec<TcpStream> {
    let to: SocketAddr = to.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let open = || async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        let stream = socket.connect(to).await.unwrap().into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    };
    (0..count).map(|_| runtime.block_on(open())).collect()
}

/// Whether the connection is still open. Nothing is expected on it.
fn is_open(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    peeked.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// The status of a request on a connection of its own, from the usual address of this machine.
fn status(address: &str) -> u16 {
    client::get(address, "/healthz", &[]).unwrap().status
}

/// Waits until a request gets this status.
fn until(address: &str, wanted: u16) {
    let begun = Instant::now();
    while status(address) != wanted {
        assert!(begun.elapsed() < LONG, "not {wanted}");
    }
}

#[test]
fn who_does_not_go_on_is_closed_in_the_clients_time() {
    let metrics = free();
    let server = demo(&["--client-timeout", "1s", "--metrics-listen", &metrics]);
    for address in [&server.address, &metrics] {
        let begun = Instant::now();
        let mut waiting: Vec<_> = [&b""[..], b"G", b"GET", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n", &PREFACE[..10]]
            .iter()
            .map(|bytes| sent(address, bytes))
            .collect();
        // Also after a request, and in the next one.
        for more in ["", "P"] {
            let mut stream = connect(address);
            assert!(say(&mut stream, "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n").starts_with("HTTP/1.1 404 "));
            stream.write_all(more.as_bytes()).unwrap();
            waiting.push(stream);
        }
        for (which, stream) in waiting.iter_mut().enumerate() {
            let said = rest(stream);
            assert!(said.is_empty(), "{which}: {said}");
        }
        assert!(begun.elapsed() >= Duration::from_millis(900), "nobody is hurried");
    }
    assert_eq!(status(&server.address), 200);
}

/// The attack as it was found: as many as the server takes, from as many addresses as that needs.
#[test]
fn silent_connections_from_four_addresses_keep_nobody_out() {
    let server = demo(&["--client-timeout", "300s"]);
    let mut crowds: Vec<_> = (1..=4).map(|last| silent_from([127, 0, 0, last], &server.address, 128)).collect();
    // From an address of theirs: its oldest makes room. From another one: one of those.
    assert_eq!(status(&server.address), 200);
    assert_eq!(rest(&mut crowds[0][0]), "");
    let closed = |crowds: &[Vec<TcpStream>]| crowds.iter().flatten().filter(|stream| !is_open(stream)).count();
    assert_eq!(closed(&crowds), 1, "and nobody else");
    // The seats of these two are free again when they have gone; who stays takes one from the crowds.
    let mut stays = silent_from([127, 0, 0, 5], &server.address, 3);
    for stream in &mut stays {
        assert!(say(stream, GET).starts_with("HTTP/1.1 200 "));
    }
    let begun = Instant::now();
    while closed(&crowds) < 3 {
        assert!(begun.elapsed() < LONG, "{} closed", closed(&crowds));
    }
    assert!(closed(&crowds) <= 4, "{} closed for 4", closed(&crowds));
    // Newcomers go on to take the places of the silent, and not of those that have asked for something.
    let more = silent_from([127, 0, 0, 6], &server.address, 128);
    assert_eq!(status(&server.address), 200);
    assert!(stays.iter_mut().all(|stream| say(stream, GET).starts_with("HTTP/1.1 200 ")));
    drop(more);
}

#[test]
fn silent_connections_from_four_addresses_go_by_themselves() {
    let server = demo(&["--client-timeout", "2s"]);
    let mut crowds: Vec<_> = (1..=4).flat_map(|last| silent_from([127, 0, 0, last], &server.address, 128)).collect();
    for (nth, stream) in crowds.iter_mut().enumerate() {
        match nth % 3 {
            0 => {}
            1 => drop(stream.write_all(b"P")),
            _ => drop(stream.write_all(&PREFACE[..14])),
        }
    }
    let begun = Instant::now();
    crowds.iter_mut().for_each(|stream| drop(rest(stream)));
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(status(&server.address), 200);
}

/// Who has never sent a request goes before who is idle, and the oldest of them first.
#[test]
fn who_waits_makes_room_in_turn() {
    for limit in ["--max-connections", "--max-connections-per-address"] {
        let server = demo(&[limit, "3", "--client-timeout", "300s"]);
        let mut idle = connect(&server.address);
        assert!(say(&mut idle, GET).starts_with("HTTP/1.1 200 "));
        let (mut first, second) = (connect(&server.address), connect(&server.address));
        let mut newcomer = connect(&server.address);
        assert!(say(&mut newcomer, GET).starts_with("HTTP/1.1 200 "));
        assert_eq!(rest(&mut first), "", "{limit}");
        assert!(is_open(&second) && is_open(&idle), "{limit}");
        // The one that never asked, although it came after the idle one.
        let mut another = connect(&server.address);
        assert!(say(&mut another, GET).starts_with("HTTP/1.1 200 "));
        assert_eq!(rest(&mut { second }), "");
        assert!(say(&mut idle, GET).starts_with("HTTP/1.1 200 "), "{limit}: it has waited, and may go on");
        // Now it is the newcomer that has been idle for longest.
        let mut last = connect(&server.address);
        assert!(say(&mut last, GET).starts_with("HTTP/1.1 200 "));
        assert_eq!(rest(&mut newcomer), "");
        assert!(is_open(&idle) && is_open(&another) && is_open(&last), "{limit}");
    }
}

/// A request whose body comes, an answer that is not taken, an open WebSocket and an event stream are not interrupted.
#[test]
fn who_is_served_makes_no_room() {
    let server = demo(&["--max-connections", "4", "--client-timeout", "300s", "--socket-init-timeout", "300s"]);
    let body = json!({ "query": "{ tenant { code } }" }).to_string();
    let whole = client::bytes("T", &body).replace("connection: close\r\n", "");
    let (half, other_half) = whole.split_at(whole.len() - 10);
    let mut begun = sent(&server.address, half);
    let mut socket = client::socket(&server.address);
    let follow = json!({ "query": "subscription { objectChanged { cursor } }" }).to_string();
    let headers = [("accept", "text/event-stream"), ("authorization", "Bearer T")];
    let stream = client::open(&server.address, "/graphql", &headers, Some(follow.as_bytes())).unwrap();
    assert_eq!(stream.status(), 200);
    let _untaken = sent(&server.address, "GET /playground/index.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(200));
    until(&server.address, 503);
    assert_eq!(status(&server.address), 503, "and it stays so");
    assert!(is_open(socket.get_ref()) && is_open(&begun));
    // The rest of the body comes, and is answered; then the connection is idle, and makes room.
    let said = say(&mut begun, other_half);
    assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("CANISTRACCI"), "{said}");
    until(&server.address, 200);
    assert_eq!(rest(&mut begun), "");
    assert!(is_open(socket.get_ref()));
    // What a socket is told when it goes on shows that it was left alone.
    socket.close(None).unwrap();
    while socket.read().is_ok() {}
}

/// A server that stops does not wait for who says nothing.
#[test]
fn who_waits_does_not_keep_the_server_from_stopping() {
    let mut server = demo(&["--client-timeout", "300s", "--shutdown-grace", "200s"]);
    let (mut idle, silent) = (connect(&server.address), connect(&server.address));
    assert!(say(&mut idle, GET).starts_with("HTTP/1.1 200 "));
    server.signal("-TERM");
    assert!(server.ended().success());
    assert!(!is_open(&idle) && !is_open(&silent));
}

/// A frame of HTTP/2: here SETTINGS, or a request for `/healthz`.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap();
    [&[0, 0, length, kind, flags, 0, 0, 0, stream], payload].concat()
}

#[test]
fn http_2_is_not_spoken() {
    let metrics = free();
    let server = demo(&["--client-timeout", "300s", "--metrics-listen", &metrics]);
    // :method GET, :scheme http, :path /healthz, :authority x; see RFC 7541, appendix A.
    let headers = [&[0x82, 0x86, 0x04, 8][..], b"/healthz", &[0x01, 1], b"x"].concat();
    let request = [PREFACE, &frame(4, 0, 0, &[]), &frame(1, 5, 1, &headers)].concat();
    for address in [&server.address, &metrics] {
        for bytes in [PREFACE, &request, &PREFACE[..18], &PREFACE[..16]] {
            // Closed at once, with the words of HTTP/1 or none.
            let said = exchange(address, bytes);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{said:?}");
        }
    }
    // Nor is a connection turned into one.
    let upgrade = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings, close\r\nupgrade: h2c\r\n\
        http2-settings: AAMAAABkAAQAAP__\r\n\r\n";
    let said = exchange(&server.address, upgrade);
    assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with(r#"{"status":"ok"}"#), "{said}");
    let url = format!("http://{}/healthz", server.address);
    for (version, speaks) in [("--http1.1", true), ("--http2-prior-knowledge", false)] {
        let Ok(curl) = Command::new("curl").args(["--silent", "--max-time", "60", version, &url]).output() else {
            continue;
        };
        let said: Value = serde_json::from_slice(&curl.stdout).unwrap_or_default();
        assert_eq!((curl.status.success(), said["status"] == "ok"), (speaks, speaks), "{version}: {curl:?}");
    }
    assert_eq!(status(&server.address), 200);
}
