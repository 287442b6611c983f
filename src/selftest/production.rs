//! Information that a server in production must not reveal. A server that shows its schema to everybody, as the demo
//! does, may do so on purpose, so this is only noted.

use super::answer::ServerAnswer;
use super::check::ServerCheck;
use super::client::TestClient;
use super::verdict::{CheckResult, failed, noted};

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "the schema without a token",
        expected: "refused",
        run: |client| {
            let answer = schema(client)?;
            match answer.is_executed() {
                true => Err(noted("explorable: everybody sees the schema")),
                false => answer.expect_refusal()?.pass(),
            }
        },
    },
    ServerCheck { name: "a wrong name without a token", expected: "the same as a right one", run: names },
    ServerCheck { name: "suggestions in errors", expected: "none", run: suggestions },
    ServerCheck {
        name: "the playground without a token",
        expected: "401, WWW-Authenticate: Basic",
        run: |client| {
            let answer = client.send_retrying(&client.get_path("/playground/"))?;
            match answer.status {
                200 if schema(client)?.is_executed() => Err(noted("explorable: everybody sees the playground")),
                _ => answer
                    .expect_status(401)?
                    .expect_header("www-authenticate", |value| value.starts_with("Basic"))?
                    .pass(),
            }
        },
    },
    ServerCheck {
        name: "internals in errors",
        expected: "nothing",
        run: |client| match client.leaked_internals() {
            Some(word) => Err(failed(word)),
            None => Ok(format!("nothing in {} answers", client.requests())),
        },
    },
];

fn schema(client: &TestClient) -> CheckResult<ServerAnswer> {
    client.send_retrying(&client.post("{ __schema { queryType { name } } }").anonymous())
}

/// A client without a token cannot find out which names the schema has.
fn names(client: &TestClient) -> CheckResult {
    let send = |text| client.send_retrying(&client.post(text).anonymous());
    let (right, wrong) = (send("{ tenants { code } }")?, send("{ noSuchField { code } }")?);
    match (right.code(), wrong.code()) {
        (Some(right), Some(wrong)) if right == wrong => Ok(format!("{wrong} for both")),
        _ if schema(client)?.is_executed() => Err(noted("explorable: everybody sees the names")),
        _ => Err(failed(format!("{} and {}", right.summary(), wrong.summary()))),
    }
}

/// Sends a field name that is one letter short of one that exists.
fn suggestions(client: &TestClient) -> CheckResult {
    let answer = client.send(&client.post("{ tenan { code } }"))?;
    answer.expect_refusal()?;
    match answer.body.to_string().contains("Did you mean") {
        true if schema(client)?.is_executed() => Err(noted("explorable: errors suggest names")),
        true => Err(failed("errors suggest names")),
        false => Ok("none".into()),
    }
}
