//! GraphQL over HTTP (graphql.github.io/graphql-over-http/draft), and requests that a page of another origin could forge.

use axum::http::Method;
use serde_json::json;

use super::answer::{JSON, RESPONSE};
use super::check::DoorCheck;
use super::client::{LONGEST, TestClient};
use super::verdict::Judged;

const QUERY: &str = "{ __typename }";
/// A document that is wrong, but no more than that.
const WRONG: &str = "{ noSuchField }";
/// Harmless where it is executed.
const MUTATION: &str = "mutation { __typename }";

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "a query in a POST",
        expected: "200, application/graphql-response+json",
        run: |client| client.send(&client.post(QUERY))?.answers()?.media(RESPONSE)?.fine(),
    },
    DoorCheck {
        name: "the same for older clients",
        expected: "200, application/json",
        run: |client| client.send(&client.post(QUERY).with("accept", JSON))?.answers()?.media(JSON)?.fine(),
    },
    DoorCheck {
        name: "a query in a GET",
        expected: "200",
        run: |client| client.send(&client.get(QUERY))?.answers()?.media(RESPONSE)?.fine(),
    },
    DoorCheck {
        name: "a document that is wrong",
        expected: "400, no data",
        run: |client| client.send(&client.post(WRONG))?.status(400)?.media(RESPONSE)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "the same for older clients",
        expected: "200, no data",
        run: |client| {
            client.send(&client.post(WRONG).with("accept", JSON))?.status(200)?.media(JSON)?.refuses()?.fine()
        },
    },
    DoorCheck {
        name: "a GET that could be forged",
        expected: "403 PREFLIGHT_REQUIRED",
        run: |client| {
            let ask = client.get(QUERY).anonymous().without("graphql-require-preflight");
            client.send(&ask)?.status(403)?.refuses_with("PREFLIGHT_REQUIRED")?.fine()
        },
    },
    DoorCheck {
        name: "a form that could be forged: text",
        expected: "415",
        run: |client| forged(client, "text/plain"),
    },
    DoorCheck {
        name: "a form that could be forged: fields",
        expected: "415",
        run: |client| forged(client, "application/x-www-form-urlencoded"),
    },
    DoorCheck {
        name: "a form that could be forged: parts",
        expected: "415",
        run: |client| forged(client, "multipart/form-data; boundary=x"),
    },
    DoorCheck { name: "an unknown content type", expected: "415", run: |client| forged(client, "application/xml") },
    DoorCheck {
        name: "no content type",
        expected: "415",
        run: |client| client.send(&client.post(QUERY).without("content-type"))?.status(415)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "an answer in no type that there is",
        expected: "406",
        run: |client| client.send(&client.post(QUERY).with("accept", "text/html"))?.status(406)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "a mutation in a GET",
        expected: "405, Allow: POST, not executed",
        run: |client| {
            let answer = client.send(&client.get(MUTATION))?;
            answer.status(405)?.refuses()?.says("allow", |methods| methods == "POST")?.fine()
        },
    },
    DoorCheck {
        name: "a method that is not GraphQL's",
        expected: "405, Allow: GET, HEAD, POST",
        run: |client| {
            let answer = client.send(&client.post(QUERY).by(Method::PUT))?;
            answer.status(405)?.refuses()?.says("allow", |methods| methods.contains("POST"))?.fine()
        },
    },
    DoorCheck {
        name: "a body that is no JSON",
        expected: "400, no data",
        run: |client| client.send(&client.post(QUERY).sending("{\"query\":"))?.status(400)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "a list of requests",
        expected: "400, no data",
        run: |client| client.send(&client.post_json(&json!([{ "query": QUERY }])))?.status(400)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "a parameter of a wrong type",
        expected: "400, no data",
        run: |client| client.send(&client.post_json(&json!({ "query": 1 })))?.status(400)?.refuses()?.fine(),
    },
    DoorCheck {
        name: "no query",
        expected: "400, no data",
        run: |client| client.send(&client.post_json(&json!({})))?.status(400)?.refuses()?.fine(),
    },
    DoorCheck { name: "a body that is too long", expected: "413", run: too_long },
    DoorCheck {
        name: "an address where nothing is",
        expected: "404, no data",
        run: |client| client.send(&client.page("/graphql/nothing"))?.status(404)?.refuses()?.fine(),
    },
];

/// A browser sends these types for any page without asking the server first.
fn forged(client: &TestClient, content_type: &str) -> Judged {
    client.send(&client.post(QUERY).with("content-type", content_type))?.status(415)?.refuses()?.fine()
}

/// A body that is sent whole before the answer is read.
fn too_long(client: &TestClient) -> Judged {
    let mut answer = None;
    // An operator may allow bodies longer than 256 KiB. Of one that is too long a server takes in another 1 MiB.
    for mebibytes in 0..4 {
        let padding = "x".repeat(LONGEST * mebibytes + LONGEST / 2);
        let body = json!({ "query": QUERY, "extensions": { "padding": padding } });
        let asked = client.send(&client.post_json(&body))?;
        let refused = asked.status == 413;
        answer = Some(asked);
        if refused {
            break;
        }
    }
    answer.as_ref().map_or_else(|| Ok(String::new()), |answer| answer.status(413)?.must(!answer.is_executed())?.fine())
}
