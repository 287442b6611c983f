//! The one client of the tests: whole requests over `ureq`, WebSockets over `tungstenite`, and bytes over a plain
//! connection for what neither would send, such as half a request.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};
use ureq::{Agent, Body};

/// Longer than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// An answer that was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A header, empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The beginning of the answer to a request on a connection of its own: to a POST of JSON, when there is a body. `None`
/// when nothing is answered.
pub fn open(address: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Option<Response<Body>> {
    let agent = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    let agent: Agent = agent.timeout_global(Some(LONG)).build().into();
    let mut request = Request::builder().uri(format!("http://{address}{path}")).header("connection", "close");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = match body {
        Some(body) => agent.run(request.method("POST").header("content-type", "application/json").body(body).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    answer.ok()
}

fn whole(answer: Response<Body>) -> Option<Answer> {
    let (head, body) = answer.into_parts();
    let mut text = String::new();
    body.into_reader().read_to_string(&mut text).ok()?;
    Some(Answer { status: head.status.as_u16(), headers: head.headers, body: text })
}

/// The answer to a GET.
pub fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Option<Answer> {
    whole(open(address, path, headers, None)?)
}

/// The answer to a GraphQL request.
pub fn post(address: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Answer> {
    whole(open(address, "/graphql", headers, Some(body))?)
}

/// The answer to a GraphQL request of a token; `None` when it is no JSON either.
pub fn ask(address: &str, token: &str, body: &Value) -> Option<Value> {
    let authorization = format!("Bearer {token}");
    let answer = post(address, &[("authorization", &authorization)], body.to_string().as_bytes())?;
    serde_json::from_str(&answer.body).ok()
}

/// A WebSocket over which nothing was said yet.
pub fn socket(address: &str) -> WebSocket<TcpStream> {
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    tungstenite::client(request, connect(address)).unwrap().0
}

/// A WebSocket over which a token was said.
pub fn socket_of(address: &str, token: &str) -> WebSocket<TcpStream> {
    let mut socket = socket(address);
    let init = json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).unwrap();
    socket
}

/// A plain connection.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// A plain connection over which bytes were sent. A server that has seen enough may have closed it meanwhile.
pub fn sent(address: &str, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes.as_ref());
    stream
}

/// Sends bytes and reads an answer of a few bytes, or at least its beginning.
pub fn say(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) -> String {
    stream.write_all(bytes.as_ref()).unwrap();
    let mut said = vec![0; 4096];
    let read = stream.read(&mut said).unwrap();
    String::from_utf8_lossy(&said[..read]).into_owned()
}

/// What the server says until it closes a plain connection.
pub fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("not closed: {error}"),
        _ => String::from_utf8_lossy(&said).into_owned(),
    }
}

/// What the server says to bytes until it closes the connection.
pub fn exchange(address: &str, bytes: impl AsRef<[u8]>) -> String {
    rest(&mut sent(address, bytes))
}

/// The bytes of a GraphQL request of a token, for those who look at the bytes of the answer, or do not wait for it.
pub fn bytes(token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
