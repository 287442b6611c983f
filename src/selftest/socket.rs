//! WebSockets of the client, plain and over TLS.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use tungstenite::client::{IntoClientRequest as _, client_with_config};
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, WebSocket};

use super::client::{LONGEST, TestClient};
use super::verdict::{CheckResult, failed, one_line, skipped};
use crate::domain::Stopwatch;

const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How many messages are read while waiting for one of the protocol; the others are pings.
const MESSAGES: usize = 20;

pub(super) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A connection with a time limit for all reads and writes together.
struct DeadlineStream {
    stream: TcpStream,
    begun: Stopwatch,
    limit: Duration,
}

impl DeadlineStream {
    fn left(&self) -> io::Result<Duration> {
        let left = self.limit.saturating_sub(self.begun.elapsed());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
    }
}

impl Read for DeadlineStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for DeadlineStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// An open WebSocket.
pub(super) struct Socket(Box<WebSocket<Box<dyn Stream>>>);

/// The result of a request for a WebSocket.
pub(super) enum UpgradeOutcome {
    Open(Socket),
    /// The status of the answer.
    Refused(u16),
}

/// An event on a WebSocket.
#[derive(Debug)]
pub(super) enum SocketEvent {
    Message(Value),
    Closed(u16),
}

impl TestClient {
    /// Requests a WebSocket with the subprotocol and, if given, one more header.
    pub(super) fn request_socket(&self, header: Option<(&'static str, &str)>) -> CheckResult<UpgradeOutcome> {
        self.request_socket_within(header, self.timeout)
    }

    /// As [`TestClient::request_socket`], with a limit on the time of the whole conversation.
    pub(super) fn request_socket_within(
        &self,
        header: Option<(&'static str, &str)>,
        time: Duration,
    ) -> CheckResult<UpgradeOutcome> {
        let mut headers = vec![("sec-websocket-protocol", SUBPROTOCOL)];
        headers.extend(header);
        self.upgrade(&headers, time)
    }

    /// Opens a WebSocket.
    ///
    /// # Errors
    /// The check fails if it does not open.
    pub(super) fn open_socket(&self) -> CheckResult<Socket> {
        match self.request_socket(None)? {
            UpgradeOutcome::Open(socket) => Ok(socket),
            UpgradeOutcome::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
        }
    }

    /// Opens a WebSocket and sends the token.
    ///
    /// # Errors
    /// The check fails if the token is not accepted, and is skipped without a token.
    pub(super) fn authenticated_socket(&self) -> CheckResult<Socket> {
        let token = self.token()?;
        let mut socket = self.open_socket()?;
        socket.send_message(&self.connection_init(token))?;
        match socket.next_event()? {
            SocketEvent::Message(message) if message["type"] == "connection_ack" => Ok(socket),
            event => Err(failed(event.summary())),
        }
    }

    pub(super) fn connection_init(&self, token: &str) -> Value {
        let payload = json!({ "authorization": format!("Bearer {token}"), "tenant": self.tenant() });
        json!({ "type": "connection_init", "payload": payload })
    }

    pub(super) fn upgrade(&self, headers: &[(&'static str, &str)], time: Duration) -> CheckResult<UpgradeOutcome> {
        self.count_request();
        let url = self.target.api().replacen("http", "ws", 1);
        let mut request = url.into_client_request().map_err(|error| failed(format!("no request: {error}")))?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|error| failed(format!("{name}: {error}")))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let stream = self.connect(time).map_err(|error| failed(format!("no connection: {error}")))?;
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        match client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(UpgradeOutcome::Open(Socket(Box::new(socket)))),
            Err(HandshakeError::Failure(Error::Http(answer))) => Ok(UpgradeOutcome::Refused(answer.status().as_u16())),
            Err(error) => Err(failed(format!("no WebSocket: {error}"))),
        }
    }

    /// Opens a connection with a limit on the time of the whole conversation.
    pub(super) fn connect(&self, time: Duration) -> io::Result<Box<dyn Stream>> {
        let host = self.target.host.trim_matches(['[', ']']);
        let mut last = io::Error::other("the name has no address");
        for address in (host, self.target.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => {
                    let stream = DeadlineStream { stream, begun: Stopwatch::start(), limit: time };
                    if !self.target.secure {
                        return Ok(Box::new(stream));
                    }
                    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
                    let connection = ClientConnection::new(self.tls(), name).map_err(io::Error::other)?;
                    return Ok(Box::new(StreamOwned::new(connection, stream)));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl Socket {
    pub(super) fn send_message(&mut self, message: &Value) -> CheckResult<()> {
        self.0.send(Message::text(message.to_string())).map_err(|error| failed(format!("not sent: {error}")))
    }

    /// The next message of the protocol, or the close.
    pub(super) fn next_event(&mut self) -> CheckResult<SocketEvent> {
        for _ in 0..MESSAGES {
            match self.0.read() {
                Ok(Message::Text(text)) => {
                    return Ok(SocketEvent::Message(serde_json::from_str(&text).unwrap_or_default()));
                }
                Ok(Message::Close(frame)) => {
                    return Ok(SocketEvent::Closed(frame.map_or(1005, |frame| frame.code.into())));
                }
                Ok(_) => {}
                Err(error) => return Err(failed(format!("cut: {error}"))),
            }
        }
        Err(failed("only pings"))
    }

    /// Expects a close with this code.
    pub(super) fn expect_close(&mut self, code: u16) -> CheckResult {
        match self.next_event()? {
            SocketEvent::Closed(seen) if seen == code => Ok(format!("closed with {seen}")),
            event => Err(failed(event.summary())),
        }
    }

    /// Runs a query and returns the payload of `next`, or the errors of `error`.
    pub(super) fn run_query(&mut self, query: &str) -> CheckResult<Value> {
        self.send_message(&json!({ "type": "subscribe", "id": "1", "payload": { "query": query } }))?;
        match self.next_event()? {
            SocketEvent::Message(message) if message["type"] == "next" => Ok(message["payload"].clone()),
            SocketEvent::Message(message) if message["type"] == "error" => {
                match message["payload"][0]["extensions"]["code"].as_str() {
                    Some(code @ ("RATE_LIMITED" | "OVERLOADED")) => Err(skipped(code)),
                    _ => Ok(json!({ "errors": message["payload"] })),
                }
            }
            event => Err(failed(event.summary())),
        }
    }
}

impl SocketEvent {
    pub(super) fn summary(&self) -> String {
        match self {
            SocketEvent::Message(message) => one_line(&format!("message {}", message["type"])),
            SocketEvent::Closed(code) => format!("closed with {code}"),
        }
    }
}
