//! The messages of the subprotocol `graphql-transport-ws`, and why a socket is closed (npm `graphql-ws`, `PROTOCOL.md`).

use std::borrow::Cow;

use async_graphql::ServerError;
use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::http::transport::response::WrittenResponse;

/// What a client says.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum FromClient {
    /// Who it is.
    ConnectionInit {
        payload: Option<Map<String, Value>>,
    },
    Ping {
        payload: Option<Map<String, Value>>,
    },
    Pong {},
    /// An operation under an id of the client's own.
    Subscribe {
        id: String,
        payload: Map<String, Value>,
    },
    /// The client has heard enough of an operation.
    Complete {
        id: String,
    },
}

/// The longest id of an operation; clients send counters or UUIDs.
const LONGEST_ID: usize = 128;

impl FromClient {
    /// Reads a message.
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

/// The text of a payload that has one of these names, in capitals or not. Two of them might be read in two ways.
pub(super) fn named<'a>(payload: &'a Map<String, Value>, names: &[&str]) -> Result<Option<&'a str>, Close> {
    let mut fields = payload.iter().filter(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
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

/// The answer to a ping, with its payload.
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

/// The end of an operation that failed, or was not executed.
pub(super) fn error(id: &str, errors: &[ServerError]) -> String {
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

/// The end of an operation.
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
    /// The server stops.
    pub(super) const GOING_AWAY: Self = Self::new(1001, "Going away");
    /// A message is longer than a request's body may be.
    pub(super) const TOO_BIG: Self = Self::new(1009, "Message too big");
    /// Something is wrong in the server; the client may try again.
    pub(super) const TRY_AGAIN: Self = Self::new(1013, "Try again later");
    /// An operation before `connection_ack`.
    pub(super) const UNAUTHORIZED: Self = Self::new(4401, "Unauthorized");
    /// The token is not valid.
    pub(super) const FORBIDDEN: Self = Self::new(4403, "Forbidden");
    pub(super) const SUBPROTOCOL: Self = Self::new(4406, "Subprotocol not acceptable");
    pub(super) const INIT_TIMEOUT: Self = Self::new(4408, "Connection initialisation timeout");
    pub(super) const SECOND_INIT: Self = Self::new(4429, "Too many initialisation requests");

    const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason: Cow::Borrowed(reason) }
    }

    /// A message that the protocol does not know.
    pub(super) fn invalid(reason: impl Into<String>) -> Self {
        Self { code: 4400, reason: Cow::Owned(reason.into()) }
    }

    /// An id that is in use.
    pub(super) fn id_in_use(id: &str) -> Self {
        Self { code: 4409, reason: Cow::Owned(format!("Subscriber for {id} already exists")) }
    }

    /// Too many sockets of one token or tenant.
    pub(super) fn too_many(reason: String) -> Self {
        Self { code: 4429, reason: Cow::Owned(reason) }
    }

    /// The close frame, with as much of the reason as it can hold.
    pub(super) fn frame(&self) -> CloseFrame {
        let end = self.reason.floor_char_boundary(LONGEST_REASON);
        CloseFrame { code: self.code, reason: Utf8Bytes::from(&self.reason[..end]) }
    }
}

/// How a connection ends.
pub(super) enum SocketEnd {
    /// With a close frame.
    Close(Close),
    /// The client is gone, or does not read.
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
    fn a_long_reason_is_cut_between_letters() {
        let frame = Close::invalid("é".repeat(100)).frame();
        assert_eq!((frame.code, frame.reason.len()), (4400, 122));
    }

    #[test]
    fn a_payload_names_a_thing_once() {
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
            let named = named(payload.as_object().unwrap(), &["tenant", "x-tenant"]);
            assert_eq!(named.map_err(drop), found, "{payload}");
        }
    }

    #[test]
    fn what_the_protocol_does_not_know_is_invalid() {
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
