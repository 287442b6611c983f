//! WebSockets (npm `graphql-ws`, `PROTOCOL.md`) and server-sent events (npm `graphql-sse`, `PROTOCOL.md`).

use std::time::Duration;

use serde_json::json;

use super::answer::ServerAnswer;
use super::check::DoorCheck;
use super::client::{MADE_UP, NOT_TRUSTED, TestClient};
use super::socket::{Opening, SocketEvent};
use super::verdict::{Judged, failed, shown, skipped};

/// How long a server may wait for `connection_init`; vext gives 3 s unless told otherwise.
const INIT: Duration = Duration::from_secs(12);

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "WebSocket from this very host",
        expected: "opens",
        run: |client| match client.open(Some(("origin", &client.target.origin())))? {
            Opening::Open(_) => Ok("open".into()),
            // Such as by a proxy that passes on another host than it was asked for.
            Opening::Refused(status) => Err(failed(format!("{status}: does the proxy pass on Host and Upgrade?"))),
        },
    },
    DoorCheck {
        name: "WebSocket from another origin",
        expected: "403",
        run: |client| match client.open(Some(("origin", "https://evil.example")))? {
            Opening::Refused(403) => Ok("403".into()),
            Opening::Refused(status) => Err(failed(status.to_string())),
            Opening::Open(_) => Err(failed("open")),
        },
    },
    DoorCheck {
        name: "WebSocket of another subprotocol",
        expected: "closed with 4406",
        run: |client| match client.upgrade(&[], client.patience)? {
            Opening::Open(mut socket) => socket.closes(4406),
            Opening::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
        },
    },
    DoorCheck {
        name: "an operation before connection_init",
        expected: "closed with 4401",
        run: |client| {
            let mut socket = client.opened()?;
            socket.say(&json!({ "type": "subscribe", "id": "1", "payload": { "query": "{ __typename }" } }))?;
            socket.closes(4401)
        },
    },
    DoorCheck {
        name: "a message of no protocol",
        expected: "closed with 4400",
        run: |client| {
            let mut socket = client.opened()?;
            socket.say(&json!({ "type": "made_up" }))?;
            socket.closes(4400)
        },
    },
    DoorCheck {
        name: "connection_init without a token",
        expected: "closed with 4403",
        run: |client| {
            let mut socket = client.opened()?;
            socket.say(&json!({ "type": "connection_init" }))?;
            socket.closes(4403)
        },
    },
    DoorCheck { name: "no connection_init", expected: "closed with 4408 within 12 s", run: silent },
    DoorCheck { name: "a query over WebSocket", expected: "connection_ack, then its data", run: query },
    DoorCheck {
        name: "a second connection_init",
        expected: "closed with 4429",
        run: |client| {
            let mut socket = client.acknowledged()?;
            socket.say(&client.init(client.token()?))?;
            socket.closes(4429)
        },
    },
    DoorCheck {
        name: "connection_init with a made-up token",
        expected: "closed with 4403",
        run: |client| {
            let mut socket = client.opened()?;
            socket.say(&client.init(MADE_UP))?;
            match socket.hear()? {
                SocketEvent::Closed(4403) => Ok("closed with 4403".into()),
                // As with every made-up token, a server allows an address few of them.
                SocketEvent::Closed(4429) => Err(skipped("closed with 4429: too many made-up tokens")),
                heard => Err(failed(heard.seen())),
            }
        },
    },
    DoorCheck {
        name: "events in a POST",
        expected: "text/event-stream: next, complete",
        run: |client| events(&client.send(&client.post("{ __typename }").with("accept", "text/event-stream"))?),
    },
    DoorCheck {
        name: "events in a GET",
        expected: "text/event-stream: next, complete",
        run: |client| events(&client.send(&client.get("{ __typename }").with("accept", "text/event-stream"))?),
    },
    DoorCheck {
        name: "events in a GET that could be forged",
        expected: "403 PREFLIGHT_REQUIRED",
        run: |client| {
            let ask = client.get("{ __typename }").anonymous().without("graphql-require-preflight");
            let answer = client.send(&ask.with("accept", "text/event-stream"))?;
            answer.status(403)?.refuses_with("PREFLIGHT_REQUIRED")?.fine()
        },
    },
];

fn silent(client: &TestClient) -> Judged {
    match client.open_within(None, INIT)? {
        Opening::Open(mut socket) => socket.closes(4408),
        Opening::Refused(status) => Err(failed(format!("{status}, no WebSocket"))),
    }
}

fn query(client: &TestClient) -> Judged {
    let mut socket = client.acknowledged()?;
    let result = socket.ask("{ __typename }")?;
    if result["errors"][0]["extensions"]["code"] == NOT_TRUSTED {
        return Err(skipped(NOT_TRUSTED));
    }
    if result["data"]["__typename"] != "Query" {
        return Err(failed(shown(&result.to_string())));
    }
    match socket.hear()? {
        SocketEvent::Message(message) if message["type"] == "complete" => Ok("next, complete".into()),
        heard => Err(failed(heard.seen())),
    }
}

fn events(answer: &ServerAnswer) -> Judged {
    answer.status(200)?.media("text/event-stream")?;
    let text = String::from_utf8_lossy(&answer.bytes);
    let named: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event:")).map(str::trim).collect();
    match named == ["next", "complete"] && text.contains("\"__typename\":\"Query\"") {
        true => Ok(named.join(", ")),
        false => Err(failed(shown(&text))),
    }
}
