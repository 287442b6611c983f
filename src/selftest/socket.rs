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
use super::verdict::{Judged, failed, shown, skipped};
use crate::domain::Stopwatch;

const SUBPROTOCOL: &str = "graphql-transport-ws";
/// How many messages are read in the hope of the one that is meant; pings come now and then.
const MESSAGES: usize = 20;

pub(super) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A connection on which nothing is waited for beyond a time, all of it together.
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

/// What came of asking for one.
pub(super) enum Opening {
    Open(Socket),
    /// The status of the answer.
    Refused(u16),
}

/// What is heard on one.
#[derive(Debug)]
pub(super) enum SocketEvent {
    Message(Value),
    Closed(u16),
}

impl TestClient {
    /// Asks for a WebSocket with the subprotocol and one more header.
    pub(super) fn open(&self, header: Option<(&'static str, &str)>) -> Judged<Opening> {
        self.open_within(header, self.patience)
    }

    /// The same for a conversation that takes so long.
    pub(super) fn open_within(&self, header: Option<(&'static str, &str)>, time: Duration) -> Judged<Opening> {
        let mut headers = vec![("sec-websocket-protocol", SUBPROTOCOL)];
        headers.extend(header);
        self.upgrade(&headers, time)
    }

    /// A WebSocket that must open.
    pub(super) fn opened(&self) -> Judged<Socket> {
        match self.open(None)? {
            Opening::Open(socket) => Ok(socket),
            Opening::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
        }
    }

    /// A WebSocket on which the token was accepted.
    pub(super) fn acknowledged(&self) -> Judged<Socket> {
        let token = self.token()?;
        let mut socket = self.opened()?;
        socket.say(&self.init(token))?;
        match socket.hear()? {
            SocketEvent::Message(message) if message["type"] == "connection_ack" => Ok(socket),
            heard => Err(failed(heard.seen())),
        }
    }

    pub(super) fn init(&self, token: &str) -> Value {
        let payload = json!({ "authorization": format!("Bearer {token}"), "tenant": self.tenant() });
        json!({ "type": "connection_init", "payload": payload })
    }

    pub(super) fn upgrade(&self, headers: &[(&'static str, &str)], time: Duration) -> Judged<Opening> {
        self.count();
        let url = self.target.api().replacen("http", "ws", 1);
        let mut request = url.into_client_request().map_err(|error| failed(format!("no request: {error}")))?;
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).map_err(|error| failed(format!("{name}: {error}")))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let stream = self.connect(time).map_err(|error| failed(format!("no connection: {error}")))?;
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        match client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Ok(Opening::Open(Socket(Box::new(socket)))),
            Err(HandshakeError::Failure(Error::Http(answer))) => Ok(Opening::Refused(answer.status().as_u16())),
            Err(error) => Err(failed(format!("no WebSocket: {error}"))),
        }
    }

    /// A connection on which all together may take so long.
    pub(super) fn connect(&self, time: Duration) -> io::Result<Box<dyn Stream>> {
        let host = self.target.host.trim_matches(['[', ']']);
        let mut last = io::Error::other("the name has no address");
        for address in (host, self.target.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.patience) {
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
    pub(super) fn say(&mut self, message: &Value) -> Judged<()> {
        self.0.send(Message::text(message.to_string())).map_err(|error| failed(format!("not sent: {error}")))
    }

    /// The next message of the protocol, or the end.
    pub(super) fn hear(&mut self) -> Judged<SocketEvent> {
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
        Err(failed("nothing but pings"))
    }

    /// Ends as it should: with a code.
    pub(super) fn closes(&mut self, code: u16) -> Judged {
        match self.hear()? {
            SocketEvent::Closed(seen) if seen == code => Ok(format!("closed with {seen}")),
            heard => Err(failed(heard.seen())),
        }
    }

    /// The result of a query: what `next` or `error` says.
    pub(super) fn ask(&mut self, query: &str) -> Judged<Value> {
        self.say(&json!({ "type": "subscribe", "id": "1", "payload": { "query": query } }))?;
        match self.hear()? {
            SocketEvent::Message(message) if message["type"] == "next" => Ok(message["payload"].clone()),
            SocketEvent::Message(message) if message["type"] == "error" => {
                match message["payload"][0]["extensions"]["code"].as_str() {
                    Some(code @ ("RATE_LIMITED" | "OVERLOADED")) => Err(skipped(code)),
                    _ => Ok(json!({ "errors": message["payload"] })),
                }
            }
            heard => Err(failed(heard.seen())),
        }
    }
}

impl SocketEvent {
    pub(super) fn seen(&self) -> String {
        match self {
            SocketEvent::Message(message) => shown(&format!("message {}", message["type"])),
            SocketEvent::Closed(code) => format!("closed with {code}"),
        }
    }
}
