//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws` (npm `graphql-ws`, `PROTOCOL.md`).
//!
//! One task reads from a socket and writes to it. Each operation has a task of its own, which waits while the client
//! does not read ([`RunningOperation`]). So a socket holds at most one response of each operation in memory.

mod message;
mod origin;
mod pace;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::http::header::UPGRADE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use self::message::{Close, FromClient, SocketEnd, complete, connection_ack, error, next, payload_text, pong};
use self::pace::Pace;
use super::prepared::{Account, PreparedRequest, prepare};
use super::request::{self, IncomingRequest};
use super::running::{OperationEvent, RunningOperation, next_event};
use super::streams::OpenStream;
use crate::http::door::claim::{self, BearerClaim};
use crate::http::door::fair::Network;
use crate::http::door::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::{Shared, stop_requested};

/// How long the client may take to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Whether a request asks for a WebSocket.
pub(super) fn is_requested(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers a request for a WebSocket.
pub(super) fn open(
    shared: Arc<Shared>,
    headers: Arc<HeaderMap>,
    client: Option<Network>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !origin::may_open(&headers, &shared.allowed_origins) {
        let message = "Pages of this origin may not open a WebSocket here.";
        return Refusal::new(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", message).answer(Media::Json);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            return Refusal::new(rejection.status(), "BAD_REQUEST", rejection.body_text()).answer(Media::Json);
        }
    };
    let longest = shared.limits.max_body;
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(longest).max_frame_size(longest);
    let has_subprotocol = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(move |socket| async move {
        let mut connection = SocketConnection::new(shared, headers, client, socket);
        let end = if has_subprotocol { connection.serve().await } else { SocketEnd::Close(Close::SUBPROTOCOL) };
        connection.end(end).await;
    })
}

/// What a socket waits for.
enum Event {
    /// A message from the client.
    Message(Message),
    /// An event of the operation with this id.
    Operation(String, OperationEvent),
    /// It is time for a ping.
    Tick,
    /// The server is stopping.
    Stop,
}

struct SocketConnection {
    shared: Arc<Shared>,
    /// The headers of the request that opened the socket.
    headers: Arc<HeaderMap>,
    client: Option<Network>,
    socket: WebSocket,
    /// The caller, once `connection_init` has been accepted, and the socket's count as an open stream.
    caller: Option<(Caller, OpenStream)>,
    operations: VecDeque<(String, RunningOperation)>,
    pace: Pace,
}

impl SocketConnection {
    fn new(shared: Arc<Shared>, headers: Arc<HeaderMap>, client: Option<Network>, socket: WebSocket) -> Self {
        let pace = Pace::new(shared.streaming.max_socket_messages);
        Self { shared, headers, client, socket, caller: None, operations: VecDeque::new(), pace }
    }

    async fn serve(&mut self) -> SocketEnd {
        match self.run().await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn end(mut self, end: SocketEnd) {
        self.operations.clear();
        if let SocketEnd::Close(close) = end {
            tracing::debug!(?close, "a socket is closed");
            let patience = self.shared.streaming.stream_patience;
            let closing = async {
                self.socket.send(Message::Close(Some(close.frame()))).await?;
                // Wait for the client's answer: if the connection were cut while the client sends, it would not receive
                // the close frame.
                while let Some(Ok(_)) = self.socket.recv().await {}
                Ok::<_, axum::Error>(())
            };
            let _ = timeout(patience.min(CLOSE_TIMEOUT), closing).await;
        }
    }

    /// Handles messages and events until the socket ends.
    async fn run(&mut self) -> Result<Infallible, SocketEnd> {
        let (ping, mut stopping) = (self.shared.streaming.stream_ping, self.shared.stopping.clone());
        let opened = Instant::now();
        let init_deadline = opened + self.shared.streaming.socket_init_timeout;
        let mut ticks = interval_at(opened + ping, ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut has_received, mut stops) = (true, false);
        loop {
            if stops && self.operations.is_empty() {
                return Err(Close::GOING_AWAY.into());
            }
            let Self { socket, operations, caller, pace, .. } = self;
            let event = tokio::select! {
                (id, event) = next_event(operations) => Event::Operation(id, event),
                message = pace.receive(socket), if !stops => Event::Message(message?),
                () = sleep_until(init_deadline), if caller.is_none() => return Err(Close::INIT_TIMEOUT.into()),
                _ = ticks.tick() => Event::Tick,
                () = stop_requested(&mut stopping), if !stops => Event::Stop,
            };
            match event {
                Event::Operation(id, event) => self.send_event(id, event).await?,
                Event::Message(message) => {
                    has_received = true;
                    self.handle(message).await?;
                }
                Event::Tick if !std::mem::take(&mut has_received) && !stops => return Err(SocketEnd::Gone),
                Event::Tick => self.send(Message::Ping(Default::default())).await?,
                Event::Stop => {
                    // Queries and mutations may still finish; subscriptions end.
                    stops = true;
                    self.operations.retain(|(_, running)| !running.subscribes);
                }
            }
        }
    }

    async fn handle(&mut self, message: Message) -> Result<(), SocketEnd> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::invalid("Invalid message: it is binary").into()),
            // axum answers a close frame when the socket is read again.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(()),
        };
        match FromClient::read(&text)? {
            FromClient::ConnectionInit { .. } if self.caller.is_some() => Err(Close::SECOND_INIT.into()),
            FromClient::ConnectionInit { payload } => self.init(payload.unwrap_or_default()).await,
            FromClient::Ping { payload } => self.send(Message::text(pong(payload))).await,
            FromClient::Pong {} => Ok(()),
            FromClient::Subscribe { id, payload } => self.subscribe(id, payload).await,
            FromClient::Complete { id } => {
                self.operations.retain(|(own, _)| *own != id);
                Ok(())
            }
        }
    }

    /// Signs the client in, with the payload or else with the headers of the request that opened the socket. Browsers
    /// need the payload, because their pages cannot set those headers.
    async fn init(&mut self, payload: Map<String, Value>) -> Result<(), SocketEnd> {
        let claim = match payload_text(&payload, &["authorization"])? {
            Some(authorization) => BearerClaim::from_token(claim::bearer_token(authorization).ok_or(Close::FORBIDDEN)?),
            None => BearerClaim::from_headers(&self.headers),
        };
        if claim == BearerClaim::None {
            return Err(Close::FORBIDDEN.into());
        }
        let tenant = payload_text(&payload, &["tenant", "x-tenant"])?.filter(|code| !code.is_empty());
        let caller = Caller {
            claim,
            tenant: tenant.map(str::to_owned).or_else(|| claim::selected_tenant(&self.headers)),
            client: self.client,
        };
        let app = self.shared.api.app();
        let signed_in = identify::sign_in(app, &self.shared.fair, &caller, &app.request_id()).await;
        let viewer = signed_in.map_err(|refusal| {
            match (refusal.has_status(StatusCode::UNAUTHORIZED), refusal.has_status(StatusCode::TOO_MANY_REQUESTS)) {
                (true, _) => Close::FORBIDDEN,
                (false, true) => Close::too_many(refusal.message()),
                (false, false) => Close::TRY_AGAIN,
            }
        })?;
        let open = self.shared.streams.open(&viewer).map_err(|refusal| Close::too_many(refusal.message()))?;
        self.caller = Some((caller, open));
        self.send(Message::text(connection_ack())).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<(), SocketEnd> {
        let (caller, _) = self.caller.as_ref().ok_or(Close::UNAUTHORIZED)?;
        if self.operations.iter().any(|(own, _)| *own == id) {
            return Err(Close::id_in_use(&id).into());
        }
        let incoming = request::from_parameters(payload).map_err(|refusal| Close::invalid(refusal.message()))?;
        match prepare_operation(&self.shared, caller, self.operations.len() + 1, incoming) {
            Ok((prepared, account)) => {
                self.operations.push_back((id, RunningOperation::start(prepared, account)));
                Ok(())
            }
            Err(refusal) => self.send(Message::text(error(&id, &refusal.into_errors()))).await,
        }
    }

    /// Sends an event of an operation to the client.
    async fn send_event(&mut self, id: String, event: OperationEvent) -> Result<(), SocketEnd> {
        let (text, ends) = match event {
            OperationEvent::Response(response) => match response.failure() {
                Some(errors) => (error(&id, errors), true),
                None => (next(&id, &response), false),
            },
            OperationEvent::Complete => (complete(&id), true),
            // Its task panicked, or the client reads too slowly.
            OperationEvent::Lost => return Err(Close::TRY_AGAIN.into()),
        };
        if ends {
            self.operations.retain(|(own, _)| *own != id);
        }
        self.send(Message::text(text)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), SocketEnd> {
        match timeout(self.shared.streaming.stream_patience, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(SocketEnd::Gone),
        }
    }
}

/// Prepares an operation. With it the socket has `count` operations.
///
/// # Errors
/// The socket has too many operations, its address cannot pay, or the request is refused.
fn prepare_operation(
    shared: &Arc<Shared>,
    caller: &Caller,
    count: usize,
    incoming: IncomingRequest,
) -> Result<(PreparedRequest, Account), Refusal> {
    let max = shared.streaming.max_socket_operations;
    if count > max {
        let message = format!("The socket has {count} operations; at most {max} are allowed.");
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SOCKET_OPERATIONS", message);
        return Err(refusal.extension("limit", max).extension("actual", count));
    }
    let request_id = shared.api.app().request_id();
    let mut account = Account::new(shared, caller.client, &request_id, &HeaderMap::new());
    let prepared = account.bill.pay_for_reading().and_then(|()| {
        let caller = (caller.clone(), request_id);
        prepare(shared, caller, incoming, None, &mut account.record)
    });
    match prepared {
        Ok(prepared) => Ok((prepared, account)),
        Err(refusal) => {
            account.record.record_refusal(refusal.errors());
            Err(refusal)
        }
    }
}
