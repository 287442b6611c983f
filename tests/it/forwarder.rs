//! A reverse proxy that passes on what it gets, but for one thing.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A message of HTTP: its head with the empty line behind it, and its body.
#[derive(Clone)]
pub struct Message {
    pub head: String,
    pub body: Vec<u8>,
}

impl Message {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn without(&mut self, name: &str) {
        let kept = self
            .head
            .split_inclusive("\r\n")
            .filter(|line| !line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name)));
        self.head = kept.collect();
    }

    pub fn with(&mut self, name: &str, value: &str) {
        self.without(name);
        self.head.truncate(self.head.len() - 2);
        self.head += &format!("{name}: {value}\r\n\r\n");
    }

    /// Replaces text in a body that is sent as it is.
    pub fn replace(&mut self, from: &str, to: &str) {
        if self.header("content-length").is_some()
            && let Ok(text) = std::str::from_utf8(&self.body)
        {
            self.body = text.replace(from, to).into_bytes();
            self.with("content-length", &self.body.len().to_string());
        }
    }
}

/// What the proxy does to a request, and to the answer to one.
#[derive(Clone, Copy)]
pub struct Change {
    /// Returns false to drop the connection.
    pub request: fn(&mut Message) -> bool,
    pub answer: fn(&Message, &mut Message),
    /// Whether it waits for the rest of a head that has begun so, without end.
    pub waits: fn(&[u8]) -> bool,
}

/// How long the proxy waits for a head.
const PATIENCE: Duration = Duration::from_secs(5);

/// Passes everything on.
pub const NOTHING: Change = Change { request: |_| true, answer: |_, _| {}, waits: |_| false };

fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// Forwards to a server until the process ends; returns its own address.
pub fn forward(server: &str, change: Change) -> String {
    let ((listener, address), server) = (listener(), server.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = server.clone();
            std::thread::spawn(move || pass(&stream, |time| stream.set_read_timeout(time).unwrap(), &server, change));
        }
    });
    address
}

/// The same behind TLS.
pub fn forward_tls(server: &str, config: Arc<ServerConfig>) -> String {
    let ((listener, address), server) = (listener(), server.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (server, config) = (server.clone(), Arc::clone(&config));
            std::thread::spawn(move || {
                let timing = stream.try_clone().unwrap();
                let mut stream = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                pass(&mut stream, |time| timing.set_read_timeout(time).unwrap(), &server, NOTHING);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    address
}

/// Answers every request with a page until the process ends.
pub fn web_server() -> String {
    let (listener, address) = listener();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                if let Some(head) = head(&mut stream, |_| false) {
                    let message = Message { head, body: Vec::new() };
                    let _ = body(&mut stream, &message);
                    let page = "<!DOCTYPE html><title>Welcome</title>";
                    let _ = write!(
                        stream,
                        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                        page.len()
                    );
                }
            });
        }
    });
    address
}

/// The bytes up to an empty line; none when it waits in vain and has no reason to go on.
fn head(stream: &mut impl Read, waits: fn(&[u8]) -> bool) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(0) => return None,
            Ok(_) => head.push(byte[0]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) && waits(&head) => {}
            Err(_) => return None,
        }
    }
    String::from_utf8(head).ok()
}

fn body(stream: &mut impl Read, message: &Message) -> Option<Vec<u8>> {
    let length = message.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

/// One request and its answer, or all that is said over a WebSocket.
fn pass(mut client: impl Read + Write, wait: impl Fn(Option<Duration>), server: &str, change: Change) -> Option<()> {
    wait(Some(PATIENCE));
    let mut request = Message { head: head(&mut client, change.waits)?, body: Vec::new() };
    wait(None);
    let upgrades = request.header("upgrade").is_some();
    request.body = body(&mut client, &request)?;
    if !(change.request)(&mut request) {
        return None;
    }
    let mut upstream = TcpStream::connect(server).ok()?;
    if upgrades {
        upstream.write_all(request.head.as_bytes()).ok()?;
        wait(Some(Duration::from_millis(5)));
        return tunnel(client, upstream);
    }
    request.with("connection", "close");
    upstream.write_all(request.head.as_bytes()).ok()?;
    // A server that has heard enough closes; what it has said is still read.
    let _ = upstream.write_all(&request.body);
    let mut answer = Message { head: head(&mut upstream, |_| false)?, body: Vec::new() };
    let _ = upstream.read_to_end(&mut answer.body);
    (change.answer)(&request, &mut answer);
    client.write_all(answer.head.as_bytes()).ok()?;
    client.write_all(&answer.body).ok()?;
    client.flush().ok()
}

/// Passes bytes on in both directions until one side ends.
fn tunnel(mut client: impl Read + Write, mut upstream: TcpStream) -> Option<()> {
    upstream.set_read_timeout(Some(Duration::from_millis(5))).ok()?;
    let mut buffer = [0; 16 * 1024];
    loop {
        if let Some(count) = some(client.read(&mut buffer))? {
            upstream.write_all(&buffer[..count]).ok()?;
        }
        if let Some(count) = some(upstream.read(&mut buffer))? {
            client.write_all(&buffer[..count]).ok()?;
            client.flush().ok()?;
        }
    }
}

/// What was read, or that there is nothing yet; `None` at the end.
fn some(read: std::io::Result<usize>) -> Option<Option<usize>> {
    match read {
        Ok(0) => None,
        Ok(count) => Some(Some(count)),
        Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => Some(None),
        Err(_) => None,
    }
}
