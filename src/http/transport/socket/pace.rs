//! How fast the messages of a socket are read.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::{Instant, sleep_until};

use super::message::{Close, SocketEnd};

/// How fast messages are read: a rate, and bursts of as many as it allows in a second.
pub(super) struct Pace {
    gap: Duration,
    /// When the message that was read last would have been due.
    due: Instant,
}

impl Pace {
    pub(super) fn new(per_second: u32) -> Self {
        let gap = Duration::from_secs(1) / per_second;
        Self { gap, due: Instant::now() }
    }

    pub(super) async fn receive(&mut self, socket: &mut WebSocket) -> Result<Message, SocketEnd> {
        sleep_until(self.due.checked_sub(Duration::from_secs(1)).unwrap_or(self.due)).await;
        let received = socket.recv().await.ok_or(SocketEnd::Gone)?;
        self.due = self.due.max(Instant::now()) + self.gap;
        // axum tells in words only what went wrong.
        received.map_err(|error| match error.to_string().contains("too long") {
            true => Close::TOO_BIG.into(),
            false => SocketEnd::Gone,
        })
    }
}
