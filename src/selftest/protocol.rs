//! GraphQL over HTTP (graphql.github.io/graphql-over-http/draft), and requests that a page of another origin could
//! forge.

use axum::http::Method;
use serde_json::json;

use super::answer::{JSON, RESPONSE};
use super::check::ServerCheck;
use super::client::{LONGEST, TestClient};
use super::verdict::CheckResult;

const QUERY: &str = "{ __typename }";
/// An invalid document that is otherwise harmless.
const INVALID: &str = "{ noSuchField }";
/// A mutation that is harmless if it is executed.
const MUTATION: &str = "mutation { __typename }";

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "a query in a POST",
        expected: "200, application/graphql-response+json",
        run: |client| client.send(&client.post(QUERY))?.expect_typename()?.expect_media_type(RESPONSE)?.pass(),
    },
    ServerCheck {
        name: "the same for older clients",
        expected: "200, application/json",
        run: |client| {
            client.send(&client.post(QUERY).with("accept", JSON))?.expect_typename()?.expect_media_type(JSON)?.pass()
        },
    },
    ServerCheck {
        name: "a query in a GET",
        expected: "200",
        run: |client| client.send(&client.get(QUERY))?.expect_typename()?.expect_media_type(RESPONSE)?.pass(),
    },
    ServerCheck {
        name: "an invalid document",
        expected: "400, no data",
        run: |client| {
            client
                .send(&client.post(INVALID))?
                .expect_status(400)?
                .expect_media_type(RESPONSE)?
                .expect_refusal()?
                .pass()
        },
    },
    ServerCheck {
        name: "the same for older clients",
        expected: "200, no data",
        run: |client| {
            client
                .send(&client.post(INVALID).with("accept", JSON))?
                .expect_status(200)?
                .expect_media_type(JSON)?
                .expect_refusal()?
                .pass()
        },
    },
    ServerCheck {
        name: "a GET that could be forged",
        expected: "403 PREFLIGHT_REQUIRED",
        run: |client| {
            let request = client.get(QUERY).anonymous().without("graphql-require-preflight");
            client.send(&request)?.expect_status(403)?.expect_code("PREFLIGHT_REQUIRED")?.pass()
        },
    },
    ServerCheck {
        name: "a form that could be forged: text",
        expected: "415",
        run: |client| forged(client, "text/plain"),
    },
    ServerCheck {
        name: "a form that could be forged: fields",
        expected: "415",
        run: |client| forged(client, "application/x-www-form-urlencoded"),
    },
    ServerCheck {
        name: "a form that could be forged: parts",
        expected: "415",
        run: |client| forged(client, "multipart/form-data; boundary=x"),
    },
    ServerCheck { name: "an unknown content type", expected: "415", run: |client| forged(client, "application/xml") },
    ServerCheck {
        name: "no content type",
        expected: "415",
        run: |client| {
            client.send(&client.post(QUERY).without("content-type"))?.expect_status(415)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "an unknown type in Accept",
        expected: "406",
        run: |client| {
            client.send(&client.post(QUERY).with("accept", "text/html"))?.expect_status(406)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "a mutation in a GET",
        expected: "405, Allow: POST, not executed",
        run: |client| {
            let answer = client.send(&client.get(MUTATION))?;
            answer.expect_status(405)?.expect_refusal()?.expect_header("allow", |methods| methods == "POST")?.pass()
        },
    },
    ServerCheck {
        name: "an unsupported method",
        expected: "405, Allow: GET, HEAD, POST",
        run: |client| {
            let answer = client.send(&client.post(QUERY).with_method(Method::PUT))?;
            answer
                .expect_status(405)?
                .expect_refusal()?
                .expect_header("allow", |methods| methods.contains("POST"))?
                .pass()
        },
    },
    ServerCheck {
        name: "a body that is not JSON",
        expected: "400, no data",
        run: |client| {
            client.send(&client.post(QUERY).with_body("{\"query\":"))?.expect_status(400)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "a list of requests",
        expected: "400, no data",
        run: |client| {
            client.send(&client.post_json(&json!([{ "query": QUERY }])))?.expect_status(400)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "a parameter of a wrong type",
        expected: "400, no data",
        run: |client| {
            client.send(&client.post_json(&json!({ "query": 1 })))?.expect_status(400)?.expect_refusal()?.pass()
        },
    },
    ServerCheck {
        name: "no query",
        expected: "400, no data",
        run: |client| client.send(&client.post_json(&json!({})))?.expect_status(400)?.expect_refusal()?.pass(),
    },
    ServerCheck { name: "a body that is too long", expected: "413", run: too_long },
    ServerCheck {
        name: "an unknown path",
        expected: "404, no data",
        run: |client| client.send(&client.get_path("/graphql/nothing"))?.expect_status(404)?.expect_refusal()?.pass(),
    },
];

/// A browser sends these content types for any page without a preflight.
fn forged(client: &TestClient, content_type: &str) -> CheckResult {
    client.send(&client.post(QUERY).with("content-type", content_type))?.expect_status(415)?.expect_refusal()?.pass()
}

/// Sends a body that is too long, completely, before it reads the answer.
fn too_long(client: &TestClient) -> CheckResult {
    let mut answer = None;
    // An operator may allow bodies longer than 256 KiB. A server reads up to 1 MiB more of a body that is too long.
    for mebibytes in 0..4 {
        let padding = "x".repeat(LONGEST * mebibytes + LONGEST / 2);
        let body = json!({ "query": QUERY, "extensions": { "padding": padding } });
        let received = client.send(&client.post_json(&body))?;
        let refused = received.status == 413;
        answer = Some(received);
        if refused {
            break;
        }
    }
    answer
        .as_ref()
        .map_or_else(|| Ok(String::new()), |answer| answer.expect_status(413)?.require(!answer.is_executed())?.pass())
}
