//! GraphQL over WebSocket: the subprotocol `graphql-transport-ws` (npm `graphql-ws`, `PROTOCOL.md`).
//!
//! A socket is one task that reads, writes and passes on; each of its operations has a task of its own, which waits
//! while the client does not read ([`RunningOperation`]). So a socket holds one response of each operation at most.

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
use axum::response::Response as Answer;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use self::message::{Close, FromClient, SocketEnd, complete, connection_ack, error, named, next, pong};
use self::pace::Pace;
use super::prepared::{Account, PreparedRequest, prepare};
use super::request::{self, Incoming};
use super::running::{OperationEvent, RunningOperation, next_of};
use super::streams::OpenStream;
use crate::http::door::claim::{self, BearerClaim};
use crate::http::door::fair::Network;
use crate::http::door::identify::{self, Caller};
use crate::http::media::Media;
use crate::http::refusal::Refusal;
use crate::http::shared::{Shared, stopped};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Whether a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Answers a request for a WebSocket.
pub(super) fn open(
    shared: Arc<Shared>,
    headers: Arc<HeaderMap>,
    client: Option<Network>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Answer {
    if !origin::may_open(&headers, &shared.allowed_origins) {
        let sentence = "Pages of this origin may not open a WebSocket here.";
        return Refusal::new(StatusCode::FORBIDDEN, "ORIGIN_REFUSED", sentence).answer(Media::Json);
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => {
            return Refusal::new(rejection.status(), "BAD_REQUEST", rejection.body_text()).answer(Media::Json);
        }
    };
    let longest = shared.limits.max_body;
    let upgrade = upgrade.protocols([SUBPROTOCOL]).max_message_size(longest).max_frame_size(longest);
    let understood = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(move |socket| async move {
        let mut connection = SocketConnection::new(shared, headers, client, socket);
        let end = if understood { connection.serve().await } else { SocketEnd::Close(Close::SUBPROTOCOL) };
        connection.end(end).await;
    })
}

/// What happens on a connection.
enum Event {
    Message(Message),
    Next(String, OperationEvent),
    Tick,
    Stop,
}

struct SocketConnection {
    shared: Arc<Shared>,
    /// Of the request that opened the socket.
    headers: Arc<HeaderMap>,
    client: Option<Network>,
    socket: WebSocket,
    /// Who asks, once `connection_init` was accepted; and its place among the open streams.
    caller: Option<(Caller, OpenStream)>,
    operations: VecDeque<(String, RunningOperation)>,
    /// When the next message may be read.
    pace: Pace,
}

impl SocketConnection {
    fn new(shared: Arc<Shared>, headers: Arc<HeaderMap>, client: Option<Network>, socket: WebSocket) -> Self {
        let pace = Pace::new(shared.streaming.max_socket_messages);
        Self { shared, headers, client, socket, caller: None, operations: VecDeque::new(), pace }
    }

    async fn serve(&mut self) -> SocketEnd {
        match self.converse().await {
            Err(end) => end,
            Ok(never) => match never {},
        }
    }

    async fn end(mut self, end: SocketEnd) {
        self.operations.clear();
        if let SocketEnd::Close(close) = end {
            tracing::debug!(?close, "a socket is closed");
            let patience = self.shared.streaming.stream_patience;
            let farewell = async {
                self.socket.send(Message::Close(Some(close.frame()))).await?;
                // Until the client has answered: a connection that is cut while it sends takes our words with it.
                while let Some(Ok(_)) = self.socket.recv().await {}
                Ok::<_, axum::Error>(())
            };
            let _ = timeout(patience.min(FAREWELL), farewell).await;
        }
    }

    async fn converse(&mut self) -> Result<Infallible, SocketEnd> {
        let (ping, mut stopping) = (self.shared.streaming.stream_ping, self.shared.stopping.clone());
        let begun = Instant::now();
        let init = begun + self.shared.streaming.socket_init_timeout;
        let mut ticks = interval_at(begun + ping, ping);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut heard, mut stops) = (true, false);
        loop {
            if stops && self.operations.is_empty() {
                return Err(Close::GOING_AWAY.into());
            }
            let Self { socket, operations, caller, pace, .. } = self;
            let event = tokio::select! {
                (id, next) = next_of(operations) => Event::Next(id, next),
                message = pace.receive(socket), if !stops => Event::Message(message?),
                () = sleep_until(init), if caller.is_none() => return Err(Close::INIT_TIMEOUT.into()),
                _ = ticks.tick() => Event::Tick,
                () = stopped(&mut stopping), if !stops => Event::Stop,
            };
            match event {
                Event::Next(id, next) => self.pass_on(id, next).await?,
                Event::Message(message) => {
                    heard = true;
                    self.hear(message).await?;
                }
                Event::Tick if !std::mem::take(&mut heard) && !stops => return Err(SocketEnd::Gone),
                Event::Tick => self.send(Message::Ping(Default::default())).await?,
                Event::Stop => {
                    // What has one answer may still give it.
                    stops = true;
                    self.operations.retain(|(_, running)| !running.subscribes);
                }
            }
        }
    }

    async fn hear(&mut self, message: Message) -> Result<(), SocketEnd> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::invalid("Invalid message: it is binary").into()),
            // The close frame is answered as the socket is read on, to its end.
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

    /// Finds out who asks: by the payload, or else by the headers of the request that opened the socket, which browsers
    /// cannot set.
    async fn init(&mut self, payload: Map<String, Value>) -> Result<(), SocketEnd> {
        let claim = match named(&payload, &["authorization"])? {
            Some(authorization) => BearerClaim::of_token(claim::bearer(authorization).ok_or(Close::FORBIDDEN)?),
            None => BearerClaim::of(&self.headers),
        };
        if claim == BearerClaim::None {
            return Err(Close::FORBIDDEN.into());
        }
        let tenant = named(&payload, &["tenant", "x-tenant"])?.filter(|code| !code.is_empty());
        let caller = Caller {
            claim,
            tenant: tenant.map(str::to_owned).or_else(|| claim::selected(&self.headers)),
            client: self.client,
        };
        let app = self.shared.api.app();
        let signed_in = identify::sign_in(app, &self.shared.fair, &caller, &app.request_id()).await;
        let viewer = signed_in.map_err(|refusal| {
            match (refusal.has_status(StatusCode::UNAUTHORIZED), refusal.has_status(StatusCode::TOO_MANY_REQUESTS)) {
                (true, _) => Close::FORBIDDEN,
                (false, true) => Close::too_many(refusal.sentence()),
                (false, false) => Close::TRY_AGAIN,
            }
        })?;
        let open = self.shared.streams.open(&viewer).map_err(|refusal| Close::too_many(refusal.sentence()))?;
        self.caller = Some((caller, open));
        self.send(Message::text(connection_ack())).await
    }

    async fn subscribe(&mut self, id: String, payload: Map<String, Value>) -> Result<(), SocketEnd> {
        let (caller, _) = self.caller.as_ref().ok_or(Close::UNAUTHORIZED)?;
        if self.operations.iter().any(|(own, _)| *own == id) {
            return Err(Close::id_in_use(&id).into());
        }
        let incoming = request::from_parameters(payload).map_err(|refusal| Close::invalid(refusal.sentence()))?;
        match begin(&self.shared, caller, self.operations.len() + 1, incoming) {
            Ok((prepared, account)) => {
                self.operations.push_back((id, RunningOperation::start(prepared, account)));
                Ok(())
            }
            Err(refusal) => self.send(Message::text(error(&id, &refusal.into_errors()))).await,
        }
    }

    /// Passes on what came of an operation.
    async fn pass_on(&mut self, id: String, event: OperationEvent) -> Result<(), SocketEnd> {
        let (text, ends) = match event {
            OperationEvent::Response(response) => match response.failure() {
                Some(errors) => (error(&id, errors), true),
                None => (next(&id, &response), false),
            },
            OperationEvent::Complete => (complete(&id), true),
            // Its task panicked, or the client reads too slowly for all that it asked for.
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

/// Prepares the operation that is the `count`th of its socket.
fn begin(
    shared: &Arc<Shared>,
    caller: &Caller,
    count: usize,
    incoming: Incoming,
) -> Result<(PreparedRequest, Account), Refusal> {
    let most = shared.streaming.max_socket_operations;
    if count > most {
        let sentence = format!("The socket has {count} operations; at most {most} are allowed.");
        let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_SOCKET_OPERATIONS", sentence);
        return Err(refusal.extension("limit", most).extension("actual", count));
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
            account.record.refused(refusal.errors());
            Err(refusal)
        }
    }
}

/// How long the other side gets to answer a close frame.
const FAREWELL: Duration = Duration::from_secs(2);
