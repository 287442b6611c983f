//! Long-lived streams, that is WebSockets and event streams: their options, and the limit on how many may be open.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use clap::Args;

use crate::domain::{TenantId, duration_at_least};
use crate::graphql::defaults;
use crate::http::refusal::Refusal;
use crate::service::{Selected, Viewer};

/// The least value of these timeouts, so that clients with slow connections are not cut off.
const A_SECOND: Duration = Duration::from_secs(1);

/// Limits and timeouts of WebSockets and event streams. Each field is an option of the commands that serve.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Subscriptions")]
pub struct StreamSettings {
    /// How long a new WebSocket may take to send its connection_init.
    #[arg(long, env = "VEXT_SOCKET_INIT_TIMEOUT", value_name = "DURATION", default_value = "3s",
        value_parser = duration_at_least(A_SECOND))]
    pub socket_init_timeout: Duration,

    /// Interval between pings on a WebSocket, and between comments on an event stream; a WebSocket that answers none is
    /// closed.
    #[arg(long, env = "VEXT_STREAM_PING", value_name = "DURATION", default_value = "15s",
        value_parser = duration_at_least(A_SECOND))]
    pub stream_ping: Duration,

    /// How long a client may take to read what was sent before it is disconnected.
    #[arg(long, env = "VEXT_STREAM_PATIENCE", value_name = "DURATION", default_value = "30s",
        value_parser = duration_at_least(A_SECOND))]
    pub stream_patience: Duration,

    /// Maximum number of WebSockets and event streams open at the same time, per token and per tenant.
    #[arg(long, env = "VEXT_MAX_STREAMS", value_name = "COUNT", default_value_t = 200)]
    pub max_streams: usize,

    /// Maximum number of operations running at the same time on one WebSocket.
    #[arg(long, env = "VEXT_MAX_SOCKET_OPERATIONS", value_name = "COUNT", default_value_t = 100)]
    pub max_socket_operations: usize,

    /// Maximum number of messages read per second from one WebSocket, after an initial burst of the same number;
    /// further messages wait.
    #[arg(long, env = "VEXT_MAX_SOCKET_MESSAGES", value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_socket_messages: u32,

    /// Interval between checks for commits by other processes, while there are subscribers.
    #[arg(long, env = "VEXT_FEED_POLL", value_name = "DURATION", default_value = "1s",
        value_parser = duration_at_least(Duration::from_millis(10)))]
    pub feed_poll: Duration,
}

impl Default for StreamSettings {
    /// The default of every option.
    fn default() -> Self {
        defaults()
    }
}

/// What open streams are counted for.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum StreamHolder {
    /// A token, by its name.
    Token(String),
    Tenant(TenantId),
}

/// Counts the WebSockets and event streams that are open.
#[derive(Debug)]
pub(in crate::http) struct Streams {
    max_per_holder: usize,
    open: Mutex<HashMap<StreamHolder, usize>>,
}

/// An open stream. It counts until this value is dropped.
#[derive(Debug)]
pub(super) struct OpenStream {
    streams: Arc<Streams>,
    holders: Vec<StreamHolder>,
}

impl Streams {
    pub(in crate::http) fn new(max_per_holder: usize) -> Arc<Self> {
        Arc::new(Self { max_per_holder, open: Mutex::default() })
    }

    /// A poisoned lock only means that another thread panicked; at worst a count is off.
    fn lock(&self) -> MutexGuard<'_, HashMap<StreamHolder, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more stream, for its token and for the tenant that it has selected.
    ///
    /// # Errors
    /// The token or the tenant has too many streams open.
    pub(super) fn open(self: &Arc<Self>, viewer: &Viewer) -> Result<OpenStream, Refusal> {
        let tenant = match &viewer.selected {
            Selected::Tenant(row) => Some(StreamHolder::Tenant(row.id)),
            Selected::None | Selected::Unknown(_) => None,
        };
        let holders: Vec<_> = [StreamHolder::Token(viewer.name.clone())].into_iter().chain(tenant).collect();
        let mut open = self.lock();
        for holder in &holders {
            let count = open.get(holder).copied().unwrap_or_default();
            if count >= self.max_per_holder {
                let whose = if matches!(holder, StreamHolder::Token(_)) { "token" } else { "tenant" };
                let message =
                    format!("The {whose} has {count} streams open; at most {} are allowed.", self.max_per_holder);
                let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "TOO_MANY_STREAMS", message);
                return Err(refusal.extension("limit", self.max_per_holder).extension("actual", count + 1));
            }
        }
        for holder in &holders {
            *open.entry(holder.clone()).or_default() += 1;
        }
        drop(open);
        Ok(OpenStream { streams: Arc::clone(self), holders })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        for holder in &self.holders {
            if let Some(count) = open.get_mut(holder) {
                *count -= 1;
                if *count == 0 {
                    open.remove(holder);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_counts_until_it_is_dropped() {
        let (streams, viewer) = (Streams::new(2), Viewer::system("panel"));
        let first = streams.open(&viewer).unwrap();
        let _second = streams.open(&viewer).unwrap();
        assert!(streams.open(&viewer).is_err());
        assert!(streams.open(&Viewer::system("another")).is_ok());
        drop(first);
        assert!(streams.open(&viewer).is_ok());
        assert_eq!(streams.lock().len(), 1);
    }
}
