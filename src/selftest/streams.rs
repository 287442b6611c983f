//! WebSockets (npm `graphql-ws`, `PROTOCOL.md`) and server-sent events (npm `graphql-sse`, `PROTOCOL.md`).

use std::time::Duration;

use serde_json::json;

use super::answer::ServerAnswer;
use super::check::ServerCheck;
use super::client::{MADE_UP, NOT_TRUSTED, TestClient};
use super::socket::{SocketEvent, UpgradeOutcome};
use super::verdict::{CheckResult, failed, one_line, skipped};

/// How long a server may wait for `connection_init`; the default of vext is 3 s.
const INIT: Duration = Duration::from_secs(12);

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "WebSocket from the same origin",
        expected: "opens",
        run: |client| match client.request_socket(Some(("origin", &client.target.origin())))? {
            UpgradeOutcome::Open(_) => Ok("open".into()),
            // For example by a proxy that changes the header `Host`.
            UpgradeOutcome::Refused(status) => {
                Err(failed(format!("{status}: does the proxy pass on Host and Upgrade?")))
            }
        },
    },
    ServerCheck {
        name: "WebSocket from another origin",
        expected: "403",
        run: |client| match client.request_socket(Some(("origin", "https://evil.example")))? {
            UpgradeOutcome::Refused(403) => Ok("403".into()),
            UpgradeOutcome::Refused(status) => Err(failed(status.to_string())),
            UpgradeOutcome::Open(_) => Err(failed("open")),
        },
    },
    ServerCheck {
        name: "WebSocket with another subprotocol",
        expected: "closed with 4406",
        run: |client| match client.upgrade(&[], client.timeout)? {
            UpgradeOutcome::Open(mut socket) => socket.expect_close(4406),
            UpgradeOutcome::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
        },
    },
    ServerCheck {
        name: "an operation before connection_init",
        expected: "closed with 4401",
        run: |client| {
            let mut socket = client.open_socket()?;
            socket
                .send_message(&json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } }))?;
            socket.expect_close(4401)
        },
    },
    ServerCheck {
        name: "an unknown message type",
        expected: "closed with 4400",
        run: |client| {
            let mut socket = client.open_socket()?;
            socket.send_message(&json!({ "type": "made_up" }))?;
            socket.expect_close(4400)
        },
    },
    ServerCheck {
        name: "connection_init without a token",
        expected: "closed with 4403",
        run: |client| {
            let mut socket = client.open_socket()?;
            socket.send_message(&json!({ "type": "connection_init" }))?;
            socket.expect_close(4403)
        },
    },
    ServerCheck { name: "no connection_init", expected: "closed with 4408 within 12 s", run: silent },
    ServerCheck { name: "a query over WebSocket", expected: "connection_ack, then its data", run: query },
    ServerCheck {
        name: "a second connection_init",
        expected: "closed with 4429",
        run: |client| {
            let mut socket = client.authenticated_socket()?;
            socket.send_message(&client.connection_init(client.token()?))?;
            socket.expect_close(4429)
        },
    },
    ServerCheck {
        name: "connection_init with a made-up token",
        expected: "closed with 4403",
        run: |client| {
            let mut socket = client.open_socket()?;
            socket.send_message(&client.connection_init(MADE_UP))?;
            match socket.next_event()? {
                SocketEvent::Closed(4403) => Ok("closed with 4403".into()),
                // A server allows each address few wrong tokens.
                SocketEvent::Closed(4429) => Err(skipped("closed with 4429: too many made-up tokens")),
                event => Err(failed(event.summary())),
            }
        },
    },
    ServerCheck {
        name: "events in a POST",
        expected: "text/event-stream: next, complete",
        run: |client| events(&client.send(&client.post("{ __typename }").with("accept", "text/event-stream"))?),
    },
    ServerCheck {
        name: "events in a GET",
        expected: "text/event-stream: next, complete",
        run: |client| events(&client.send(&client.get("{ __typename }").with("accept", "text/event-stream"))?),
    },
    ServerCheck {
        name: "events in a GET that could be forged",
        expected: "403 PREFLIGHT_REQUIRED",
        run: |client| {
            let request = client.get("{ __typename }").anonymous().without("graphql-require-preflight");
            let answer = client.send(&request.with("accept", "text/event-stream"))?;
            answer.expect_status(403)?.expect_code("PREFLIGHT_REQUIRED")?.pass()
        },
    },
];

fn silent(client: &TestClient) -> CheckResult {
    match client.request_socket_within(None, INIT)? {
        UpgradeOutcome::Open(mut socket) => socket.expect_close(4408),
        UpgradeOutcome::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
    }
}

fn query(client: &TestClient) -> CheckResult {
    let mut socket = client.authenticated_socket()?;
    let result = socket.run_query("{ __typename }")?;
    if result["errors"][0]["extensions"]["code"] == NOT_TRUSTED {
        return Err(skipped(NOT_TRUSTED));
    }
    if result["data"]["__typename"] != "Query" {
        return Err(failed(one_line(&result.to_string())));
    }
    match socket.next_event()? {
        SocketEvent::Message(message) if message["type"] == "complete" => Ok("next, complete".into()),
        event => Err(failed(event.summary())),
    }
}

fn events(answer: &ServerAnswer) -> CheckResult {
    answer.expect_status(200)?.expect_media_type("text/event-stream")?;
    let text = String::from_utf8_lossy(&answer.bytes);
    let named: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event:")).map(str::trim).collect();
    match named == ["next", "complete"] && text.contains("\"__typename\":\"Query\"") {
        true => Ok(named.join(", ")),
        false => Err(failed(one_line(&text))),
    }
}
