//! What comes before a request is one: connections on which nothing comes, another protocol, and requests that may be
//! read in two ways.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use super::check::DoorCheck;
use super::client::TestClient;
use super::socket::Stream;
use super::verdict::{Judged, failed, noted, shown, skipped};
use crate::domain::Stopwatch;

/// How long a server may wait for the header of a request; vext gives 30 s unless told otherwise.
const HEADER: Duration = Duration::from_secs(35);
/// The longest answer that is read here.
const LONGEST: u64 = 64 * 1024;
/// With what every connection of HTTP/2 begins (RFC 9113, section 3.4), and the first frame: SETTINGS, without any.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// What is sent on connections that then say no more: of each protocol so little that it may be the other, and more.
const SILENT: [(&str, &[u8]); 4] = [
    ("nothing", b""),
    ("one letter", b"P"),
    ("half of HTTP/2's preface", b"PRI * HTTP/"),
    ("half a header", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-padding: xxxxxxxx\r\n"),
];

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck { name: "connections that say nothing", expected: "closed within 35 s, whatever was begun", run: silent },
    DoorCheck { name: "HTTP/2 without asking", expected: "closed, or 400", run: prior_knowledge },
    DoorCheck { name: "no Host", expected: "400", run: |client| hosts(client, 0) },
    DoorCheck { name: "two Hosts", expected: "400", run: |client| hosts(client, 2) },
    DoorCheck {
        name: "two X-Tenant",
        expected: "400, no data",
        run: |client| {
            let ask = client.post("{ __typename }").and("x-tenant", "A").and("x-tenant", "B");
            client.send(&ask)?.status(400)?.refuses()?.fine()
        },
    },
    DoorCheck {
        name: "an address that is no text",
        expected: "as any where nothing is",
        run: |client| {
            let [odd, other] = ["/playground/%ff", "/playground/nothing"].map(|path| client.send(&client.page(path)));
            let (odd, other) = (odd?, other?);
            odd.refuses()?.must(odd.status == other.status && odd.bytes == other.bytes)?.fine()
        },
    },
];

/// A server may have more patience than there is here; but it has the same with all of them.
fn silent(client: &TestClient) -> Judged {
    let mut opened = Vec::new();
    for ((said, bytes), more) in SILENT.into_iter().zip(1..) {
        client.count();
        // All run from now on; each may be looked at after the ones before it.
        let stream = client.connect(HEADER + Duration::from_secs(more)).and_then(|mut stream| {
            stream.write_all(bytes)?;
            stream.flush()?;
            Ok(stream)
        });
        opened.push((said, stream.map_err(|error| failed(format!("{said}: no connection: {error}")))?));
    }
    let begun = Stopwatch::start();
    let count = opened.len();
    let open = opened.into_iter().filter_map(|(said, mut stream)| (!is_closed(&mut *stream)).then_some(said));
    let open: Vec<_> = open.collect();
    match open.len() {
        0 => Ok(format!("closed after {} s", begun.elapsed().as_secs())),
        all if all == count => Err(skipped(format!("none is closed after {} s", HEADER.as_secs()))),
        _ => Err(failed(format!("open after {} s: {}", HEADER.as_secs(), open.join(", ")))),
    }
}

/// Whether the other side closes a connection in time, with whatever words.
fn is_closed(stream: &mut dyn Stream) -> bool {
    let read = stream.take(LONGEST).read_to_end(&mut Vec::new());
    !read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
}

/// What the server says to these bytes until it closes the connection, or for as long as there is patience.
fn said(client: &TestClient, bytes: &[u8]) -> Judged<(String, bool)> {
    client.count();
    let mut stream = client.connect(client.patience).map_err(|error| failed(format!("no connection: {error}")))?;
    let mut heard = Vec::new();
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    let read = sent.and_then(|()| stream.take(LONGEST).read_to_end(&mut heard));
    let closed = !read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock));
    Ok((String::from_utf8_lossy(&heard).into_owned(), closed))
}

/// The status of an answer in HTTP/1.
fn status(said: &str) -> Option<u16> {
    said.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

fn prior_knowledge(client: &TestClient) -> Judged {
    let (said, closed) = said(client, PREFACE)?;
    match status(&said) {
        Some(code @ (400 | 403 | 421 | 426 | 505)) => Ok(code.to_string()),
        Some(code) => Err(failed(code.to_string())),
        None if said.is_empty() && closed => Ok("closed".into()),
        None if said.is_empty() => Err(failed("kept open")),
        // Its bounds are not those that are tried here.
        None if client.target.secure => Err(noted("spoken, by what ends TLS")),
        None => Err(failed(shown(&format!("spoken: {said:?}")))),
    }
}

/// A request that names so many hosts (RFC 9112, section 3.2).
fn hosts(client: &TestClient, count: usize) -> Judged {
    let host = format!("host: {}\r\n", client.target.host).repeat(count);
    let (said, _) = said(client, format!("GET /healthz HTTP/1.1\r\n{host}connection: close\r\n\r\n").as_bytes())?;
    match status(&said) {
        Some(400) => Ok("400".into()),
        Some(code) => Err(failed(code.to_string())),
        None => Err(failed(shown(&format!("no answer: {said:?}")))),
    }
}
