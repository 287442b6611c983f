//! Connections without a complete request, another protocol, and ambiguous requests.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use super::check::ServerCheck;
use super::client::TestClient;
use super::socket::Stream;
use super::verdict::{CheckResult, failed, noted, one_line, skipped};
use crate::domain::Stopwatch;

/// How long a server may wait for the header of a request; the default of vext is 30 s.
const HEADER_TIMEOUT: Duration = Duration::from_secs(35);
/// The maximum size of an answer here, in bytes.
const LONGEST: u64 = 64 * 1024;
/// The preface of every HTTP/2 connection (RFC 9113, section 3.4), and the first frame: empty SETTINGS.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// What is sent on the connections that then stay idle: incomplete starts of HTTP/1 and HTTP/2, some of them ambiguous.
const PARTIAL_STARTS: [(&str, &[u8]); 4] = [
    ("nothing", b""),
    ("one letter", b"P"),
    ("half of HTTP/2's preface", b"PRI * HTTP/"),
    ("half a header", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-padding: xxxxxxxx\r\n"),
];

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck { name: "idle connections", expected: "closed within 35 s, whatever was sent", run: idle_connections },
    ServerCheck { name: "HTTP/2 with prior knowledge", expected: "closed, or 400", run: prior_knowledge },
    ServerCheck { name: "no Host", expected: "400", run: |client| with_hosts(client, 0) },
    ServerCheck { name: "two Hosts", expected: "400", run: |client| with_hosts(client, 2) },
    ServerCheck {
        name: "two X-Tenant",
        expected: "400, no data",
        run: |client| {
            let request = client.post("{ __typename }").with_duplicate("x-tenant", "A").with_duplicate("x-tenant", "B");
            client.send(&request)?.expect_status(400)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "a path that is not UTF-8",
        expected: "as for any unknown path",
        run: |client| {
            let [odd, other] =
                ["/playground/%ff", "/playground/nothing"].map(|path| client.send(&client.get_path(path)));
            let (odd, other) = (odd?, other?);
            odd.expect_refusal()?.require(odd.status == other.status && odd.bytes == other.bytes)?.pass()
        },
    },
];

/// A server may wait longer than this check does, but it must treat all connections alike.
fn idle_connections(client: &TestClient) -> CheckResult {
    let mut opened = Vec::new();
    for ((label, bytes), more) in PARTIAL_STARTS.into_iter().zip(1..) {
        client.count_request();
        // The timeouts of all connections run from now on, but they are read one after the other.
        let stream = client.connect(HEADER_TIMEOUT + Duration::from_secs(more)).and_then(|mut stream| {
            stream.write_all(bytes)?;
            stream.flush()?;
            Ok(stream)
        });
        opened.push((label, stream.map_err(|error| failed(format!("{label}: no connection: {error}")))?));
    }
    let begun = Stopwatch::start();
    let count = opened.len();
    let open = opened.into_iter().filter_map(|(label, mut stream)| (!is_closed(&mut *stream)).then_some(label));
    let open: Vec<_> = open.collect();
    match open.len() {
        0 => Ok(format!("closed after {} s", begun.elapsed().as_secs())),
        all if all == count => Err(skipped(format!("none closed after {} s", HEADER_TIMEOUT.as_secs()))),
        _ => Err(failed(format!("open after {} s: {}", HEADER_TIMEOUT.as_secs(), open.join(", ")))),
    }
}

/// Whether the server closes a connection in time, with or without an answer.
fn is_closed(stream: &mut dyn Stream) -> bool {
    let read = stream.take(LONGEST).read_to_end(&mut Vec::new());
    !read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock))
}

/// Sends these bytes and returns what the server sends until it closes the connection or the time is over, and whether
/// it closed it.
fn exchange(client: &TestClient, bytes: &[u8]) -> CheckResult<(String, bool)> {
    client.count_request();
    let mut stream = client.connect(client.timeout).map_err(|error| failed(format!("no connection: {error}")))?;
    let mut received = Vec::new();
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    let read = sent.and_then(|()| stream.take(LONGEST).read_to_end(&mut received));
    let closed = !read.is_err_and(|error| matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock));
    Ok((String::from_utf8_lossy(&received).into_owned(), closed))
}

/// The status of an answer in HTTP/1.
fn http1_status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()
}

fn prior_knowledge(client: &TestClient) -> CheckResult {
    let (answer, closed) = exchange(client, PREFACE)?;
    match http1_status(&answer) {
        Some(code @ (400 | 403 | 421 | 426 | 505)) => Ok(code.to_string()),
        Some(code) => Err(failed(code.to_string())),
        None if answer.is_empty() && closed => Ok("closed".into()),
        None if answer.is_empty() => Err(failed("kept open")),
        // The proxy's limits are not those of the server under test.
        None if client.target.secure => Err(noted("accepted by the TLS proxy")),
        None => Err(failed(one_line(&format!("accepted: {answer:?}")))),
    }
}

/// Sends a request with this number of `Host` headers (RFC 9112, section 3.2).
fn with_hosts(client: &TestClient, count: usize) -> CheckResult {
    let host = format!("host: {}\r\n", client.target.host).repeat(count);
    let (answer, _) = exchange(client, format!("GET /healthz HTTP/1.1\r\n{host}connection: close\r\n\r\n").as_bytes())?;
    match http1_status(&answer) {
        Some(400) => Ok("400".into()),
        Some(code) => Err(failed(code.to_string())),
        None => Err(failed(one_line(&format!("no answer: {answer:?}")))),
    }
}
