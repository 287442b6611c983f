//! Documents and variables that servers often handle differently from the specification (September 2025, sections 2, 5
//! and 6.1.2).

use serde_json::{Value, json};

use super::answer::ServerAnswer;
use super::check::ServerCheck;
use super::client::{NOT_TRUSTED, TestClient};
use super::verdict::{CheckResult, failed, skipped};

const SYNTAX: &str = "GRAPHQL_PARSE_FAILED";
const VALIDATION: &str = "GRAPHQL_VALIDATION_FAILED";
const INPUT: &str = "BAD_USER_INPUT";

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "the default of a variable in @include",
        expected: "applies",
        run: |client| {
            let text = "query($yes: Boolean = true, $no: Boolean = false) {
                a: __typename @include(if: $yes) b: __typename @skip(if: $yes)
                ... @include(if: $yes) { c: __typename } ... @include(if: $no) { d: __typename }
                ...F @skip(if: $no) } fragment F on Query { e: __typename }";
            let answer = client.send(&client.post(text))?;
            let data = json!({ "a": "Query", "c": "Query", "e": "Query" });
            answer.require(answer.body["data"] == data && answer.body.get("errors").is_none())?.pass()
        },
    },
    ServerCheck {
        name: "an integer of more than 32 bits",
        expected: "refused before anything is executed",
        run: |client| {
            let literal = "{ tenant { virtualExtensions(first: 99999999999) { totalCount } } }";
            check_code(client, &json!({ "query": literal }), VALIDATION)?;
            let text = "query($n: Int) { tenant { virtualExtensions(first: $n) { totalCount } } }";
            check_code(client, &json!({ "query": text, "variables": { "n": 99_999_999_999_u64 } }), INPUT)
        },
    },
    ServerCheck {
        name: "fields that conflict below the top",
        expected: VALIDATION,
        run: |client| {
            let text = "{ tenant { x: code } tenant { x: name } }";
            check_code(client, &json!({ "query": text }), VALIDATION)
        },
    },
    ServerCheck {
        name: "invalid uses of __typename",
        expected: VALIDATION,
        run: |client| {
            let mut seen = Ok(String::new());
            for text in [
                "{ __typename @noSuchDirective }",
                "{ __typename @skip }",
                "{ __typename @skip(if: false) @skip(if: false) }",
                "{ __typename @skip(if: $undefined) }",
                "{ __typename(a: 1) }",
                "{ __typename { a } }",
            ] {
                seen = check_code(client, &json!({ "query": text }), VALIDATION);
                if seen.is_err() {
                    break;
                }
            }
            seen
        },
    },
    ServerCheck {
        name: "escapes and descriptions",
        expected: "accepted",
        run: |client| {
            let text = r#""What it asks." query("An id." $id: ID = "\uD83D\uDE00\u{1F600}") {
                __typename nodes(ids: [$id]) { id } }"#;
            let answer = client.send(&client.post(text))?;
            let fits = answer.body["data"] == json!({ "__typename": "Query", "nodes": [null] });
            answer.require(fits || answer.code() == Some("UNAUTHENTICATED"))?.pass()
        },
    },
    ServerCheck { name: "codes of errors", expected: "on every transport", run: codes },
];

/// Expects a refusal with a code.
fn check_code(client: &TestClient, body: &Value, code: &str) -> CheckResult {
    client.send(&client.post_json(body))?.expect_code(code)?.pass()
}

/// Invalid documents, with the code of their error: a syntax error, an unknown field, and a variable of the wrong type.
const INVALID: [(&str, &str); 3] =
    [("{", SYNTAX), ("{ noSuchField }", VALIDATION), ("query($n: Int!) { nodes(ids: [$n]) { id } }", VALIDATION)];

fn codes(client: &TestClient) -> CheckResult {
    for (text, code) in INVALID {
        let expect_only_code = |answer: ServerAnswer| {
            let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
            let fits = !errors.is_empty() && errors.iter().all(|error| error["extensions"]["code"] == code);
            answer.require(fits).map(drop)
        };
        expect_only_code(client.send(&client.post(text))?)?;
        expect_only_code(client.send(&client.get(text))?)?;
        expect_only_code(client.send(&client.post(text).with("accept", "text/event-stream"))?)?;
    }
    let missing = json!({ "query": "query($yes: Boolean!) { __typename @include(if: $yes) }" });
    check_code(client, &missing, INPUT)?;
    if client.token().is_err() {
        return Err(skipped("needs --token for WebSocket"));
    }
    for (text, code) in INVALID {
        let body = client.authenticated_socket()?.run_query(text)?;
        match body["errors"][0]["extensions"]["code"].as_str() {
            Some(NOT_TRUSTED) => return Err(skipped(NOT_TRUSTED)),
            Some(seen) if seen == code => {}
            seen => return Err(failed(format!("{} over WebSocket", seen.unwrap_or("no code")))),
        }
    }
    Ok("on POST, GET, events and WebSocket".into())
}
