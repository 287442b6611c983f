//! Limits how fast the messages of a socket are read.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::{Instant, sleep_until};

use super::message::{Close, SocketEnd};

/// A limit of messages per second, with bursts of up to one second's worth of messages.
pub(super) struct Pace {
    /// The time between two messages at this rate.
    gap: Duration,
    /// When the next message is due at this rate. It may be read up to a second earlier.
    due: Instant,
}

impl Pace {
    pub(super) fn new(per_second: u32) -> Self {
        let gap = Duration::from_secs(1) / per_second;
        Self { gap, due: Instant::now() }
    }

    /// Receives the next message, but not before the rate allows it.
    ///
    /// # Errors
    /// The message is too long, or the client is gone.
    pub(super) async fn receive(&mut self, socket: &mut WebSocket) -> Result<Message, SocketEnd> {
        sleep_until(self.due.checked_sub(Duration::from_secs(1)).unwrap_or(self.due)).await;
        let received = socket.recv().await.ok_or(SocketEnd::Gone)?;
        self.due = self.due.max(Instant::now()) + self.gap;
        // axum gives no error code, only a text.
        received.map_err(|error| match error.to_string().contains("too long") {
            true => Close::TOO_BIG.into(),
            false => SocketEnd::Gone,
        })
    }
}
