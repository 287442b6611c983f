//! What production keeps back. A server that shows everything to everybody, as the demo does, does so on purpose; its
//! operator is told.

use super::answer::ServerAnswer;
use super::check::DoorCheck;
use super::client::TestClient;
use super::verdict::{Judged, failed, noted};

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "the schema without a token",
        expected: "refused",
        run: |client| {
            let answer = schema(client)?;
            match answer.is_executed() {
                true => Err(noted("explorable: everybody sees the schema")),
                false => answer.refuses()?.fine(),
            }
        },
    },
    DoorCheck { name: "a wrong name without a token", expected: "the same as a right one", run: names },
    DoorCheck { name: "suggestions in errors", expected: "none", run: suggestions },
    DoorCheck {
        name: "the playground without a token",
        expected: "401, WWW-Authenticate: Basic",
        run: |client| {
            let answer = client.reply(&client.page("/playground/"))?;
            match answer.status {
                200 if schema(client)?.is_executed() => Err(noted("explorable: everybody sees the playground")),
                _ => answer.status(401)?.says("www-authenticate", |value| value.starts_with("Basic"))?.fine(),
            }
        },
    },
    DoorCheck {
        name: "the inside in errors",
        expected: "nothing",
        run: |client| match client.heard_internal() {
            Some(word) => Err(failed(word)),
            None => Ok(format!("nothing in {} answers", client.requests())),
        },
    },
];

fn schema(client: &TestClient) -> Judged<ServerAnswer> {
    client.reply(&client.post("{ __schema { queryType { name } } }").anonymous())
}

/// Who has no token cannot find out which names the schema has.
fn names(client: &TestClient) -> Judged {
    let of = |text| client.reply(&client.post(text).anonymous());
    let (right, wrong) = (of("{ tenants { code } }")?, of("{ noSuchField { code } }")?);
    match (right.code(), wrong.code()) {
        (Some(right), Some(wrong)) if right == wrong => Ok(format!("{wrong} for both")),
        _ if schema(client)?.is_executed() => Err(noted("explorable: everybody sees the names")),
        _ => Err(failed(format!("{} and {}", right.seen(), wrong.seen()))),
    }
}

/// For a name that is one letter beside one that exists.
fn suggestions(client: &TestClient) -> Judged {
    let answer = client.send(&client.post("{ tenan { code } }"))?;
    answer.refuses()?;
    match answer.body.to_string().contains("Did you mean") {
        true if schema(client)?.is_executed() => Err(noted("explorable: errors suggest names")),
        true => Err(failed("errors suggest names")),
        false => Ok("none".into()),
    }
}
