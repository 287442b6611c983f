//! The messages and the close codes of the subprotocol `graphql-transport-ws` (npm `graphql-ws`, `PROTOCOL.md`).

use std::borrow::Cow;

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::transport::response::WrittenResponse;

/// A message from a client.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    /// Signs the client in.
    ConnectionInit {
        payload: Option<Map<String, Value>>,
    },
    Ping {
        payload: Option<Map<String, Value>>,
    },
    Pong {},
    /// Starts an operation under an id that the client chooses.
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    /// Ends an operation: the client wants no more responses.
    Complete {
        id: String,
    },
}

/// The longest id of an operation; clients send counters or UUIDs.
const LONGEST_ID: usize = 128;

impl FromClient {
    /// Parses a message.
    ///
    /// # Errors
    /// The protocol does not know the message, or an id is empty or too long.
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let message =
            serde_json::from_str(text).map_err(|error| Close::invalid(format!("Invalid message: {error}")))?;
        if let Self::Subscribe { id, .. } | Self::Complete { id } = &message
            && (id.is_empty() || id.len() > LONGEST_ID)
        {
            return Err(Close::invalid(format!("Invalid message: an id has 1 to {LONGEST_ID} bytes")));
        }
        Ok(message)
    }
}

/// The text in a payload under one of these names, in upper or lower case; `None` if it is missing or null.
///
/// # Errors
/// The value is not a text, or the payload has two of the names, which is ambiguous.
pub(super) fn payload_text<'a>(payload: &'a Map<String, Value>, names: &[&str]) -> Result<Option<&'a str>, Close> {
    let mut fields = payload.iter().filter(|(name, _)| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)));
    match (fields.next(), fields.next()) {
        (None, _) | (Some((_, Value::Null)), None) => Ok(None),
        (Some((_, Value::String(text))), None) => Ok(Some(text)),
        (Some((name, _)), None) => Err(Close::invalid(format!("Invalid message: payload.{name} must be a text"))),
        (Some((one, _)), Some((other, _))) => {
            Err(Close::invalid(format!("Invalid message: payload.{one} and payload.{other} mean the same")))
        }
    }
}

pub(super) fn connection_ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

/// The answer to a ping, with the payload of the ping.
pub(super) fn pong(payload: Option<Map<String, Value>>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

/// A response to an operation.
pub(super) fn next(id: &str, response: &WrittenResponse) -> String {
    format!(r#"{{"id":{},"type":"next","payload":{}}}"#, Value::from(id), response.json())
}

/// Ends an operation that failed or was not executed.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

/// Ends an operation.
pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

/// Why a socket is closed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Close {
    code: u16,
    reason: Cow<'static, str>,
}

/// The longest reason that a close frame can hold, in bytes (RFC 6455, section 5.5).
const LONGEST_REASON: usize = 123;

impl Close {
    /// The server is stopping.
    pub(super) const GOING_AWAY: Self = Self::new(1001, "Going away");
    /// A message is longer than a request's body may be.
    pub(super) const TOO_BIG: Self = Self::new(1009, "Message too big");
    /// The server has a problem; the client may try again later.
    pub(super) const TRY_AGAIN: Self = Self::new(1013, "Try again later");
    /// The client sent an operation before `connection_ack`.
    pub(super) const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    /// The token is not valid.
    pub(super) const FORBIDDEN: Self = Self::new(4403, "Forbidden");
    pub(super) const SUBPROTOCOL: Self = Self::new(4406, "Subprotocol not acceptable");
    pub(super) const INIT_TIMEOUT: Self = Self::new(4408, "Connection initialisation timeout");
    pub(super) const SECOND_INIT: Self = Self::new(4429, "Too many initialisation requests");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// The client sent a message that the protocol does not allow.
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self { code: 4400, reason: Cow::Owned(reason.into()) }
    }

    /// The client started an operation under an id that is in use.
    pub(super) fn id_in_use(id: &str) -> Self {
        Self { code: 4409, reason: Cow::Owned(format!("Subscriber for {id} already exists")) }
    }

    /// There are too many sockets of one token or tenant, or too many invalid tokens.
    pub(super) fn too_many(reason: String) -> Self {
        Self { code: 4429, reason: Cow::Owned(reason) }
    }

    /// The close frame, with as much of the reason as fits.
    pub(super) fn frame(&self) -> CloseFrame {
        let end = self.reason.floor_char_boundary(LONGEST_REASON);
        CloseFrame { code: self.code, reason: Utf8Bytes::from(&self.reason[..end]) }
    }
}

/// How a socket ends.
pub(super) enum SocketEnd {
    /// The server sends a close frame.
    Close(Close),
    /// Without a close frame: the client is gone, or does not read.
    Gone,
}

impl From<Close> for SocketEnd {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let frame = Close::invalid("é".repeat(100)).frame();
        assert_eq!((frame.code, frame.reason.len()), (4400, 122));
    }

    #[test]
    fn a_payload_must_not_have_two_names_for_one_value() {
        for (payload, found) in [
            (json!({}), Ok(None)),
            (json!({ "tenant": null }), Ok(None)),
            (json!({ "tenant": "A", "other": "B" }), Ok(Some("A"))),
            (json!({ "X-Tenant": "A" }), Ok(Some("A"))),
            (json!({ "tenant": "A", "x-tenant": "B" }), Err(())),
            (json!({ "x-tenant": "A", "X-Tenant": "A" }), Err(())),
            (json!({ "tenant": null, "x-tenant": "A" }), Err(())),
            (json!({ "tenant": 7 }), Err(())),
        ] {
            let text = payload_text(payload.as_object().unwrap(), &["tenant", "x-tenant"]);
            assert_eq!(text.map_err(drop), found, "{payload}");
        }
    }

    #[test]
    fn messages_that_the_protocol_does_not_know_are_invalid() {
        for text in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"type":"connection_ack"}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{}}"#,
            r#"{"type":"complete","id":""}"#,
            r#"{"type":"ping","payload":1}"#,
        ] {
            assert!(FromClient::read(text).is_err(), "{text}");
        }
        let long = format!(r#"{{"type":"complete","id":"{}"}}"#, "x".repeat(129));
        assert!(FromClient::read(&long).is_err());
        assert!(FromClient::read(r#"{"type":"pong","payload":{"at":1},"more":2}"#).is_ok());
    }
}
