//! Documents and variables that exceed a limit: they must be refused quickly, with a short answer. They are sent with
//! the token, if there is one, because a server in production refuses any request without one first.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::answer::ServerAnswer;
use super::attacks::{ATTACKS, Attack};
use super::check::ServerCheck;
use super::client::{LONGEST, NOT_TRUSTED, TestClient, UNAUTHENTICATED};
use super::persisted::document_hash;
use super::verdict::{CheckResult, failed, noted, skipped};

/// The expected result of an attack.
pub(super) const EXPECTED: &str = "refused for a limit";

/// The codes of refusals for a limit. Which limit is reached first depends on the options of the server.
const LIMITS: [&str; 19] = [
    "BODY_TOO_LARGE",
    "QUERY_TOO_LARGE",
    "TOO_MANY_TOKENS",
    "NAME_TOO_LONG",
    "NESTED_TOO_DEEP",
    "SELECTION_TOO_DEEP",
    "VALUE_TOO_DEEP",
    "TYPE_TOO_DEEP",
    "TOO_MANY_ALIASES",
    "TOO_MANY_DIRECTIVES",
    "TOO_MANY_OPERATIONS",
    "TOO_MANY_FRAGMENTS",
    "TOO_MANY_FIELDS",
    "TOO_MANY_VALUES",
    "COST_TOO_HIGH",
    "INTROSPECTION_TOO_DEEP",
    "INTROSPECTION_TOO_WIDE",
    "TOO_MANY_ERRORS",
    "TEXT_TOO_LONG",
];

/// Other accepted codes: introspection is refused to tokens without the scope, and a server may accept only the trusted
/// documents of its operator.
const OTHER_CODES: [&str; 2] = ["INTROSPECTION_FORBIDDEN", NOT_TRUSTED];

/// The attack that is tried over every transport.
const SHARED_ATTACK: &str = "fragments that double";

/// The checks besides [`ATTACKS`].
pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "an attack in a GET",
        expected: EXPECTED,
        run: |client| try_sizes(shared_attack()?, |text| client.send_retrying(&client.get(text))),
    },
    ServerCheck {
        name: "an attack with its hash",
        expected: EXPECTED,
        run: |client| {
            try_sizes(shared_attack()?, |text| {
                let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": document_hash(text) } });
                client.send_retrying(&client.post_json(&json!({ "query": text, "extensions": extensions })))
            })
        },
    },
    ServerCheck {
        name: "an attack over events",
        expected: EXPECTED,
        run: |client| {
            try_sizes(shared_attack()?, |text| {
                client.send_retrying(&client.post(text).with("accept", "text/event-stream"))
            })
        },
    },
    ServerCheck {
        name: "an attack over WebSocket",
        expected: EXPECTED,
        run: |client| try_sizes(shared_attack()?, |text| over_socket(client, text)),
    },
    ServerCheck {
        name: "nested variables",
        expected: "refused",
        run: |client| {
            // The second value is also too deep for a JSON parser.
            variables(client, &[format!("{}{}", "[".repeat(100), "]".repeat(100)), "[".repeat(20_000)])
        },
    },
    ServerCheck {
        name: "many values in variables",
        expected: EXPECTED,
        run: |client| variables(client, &[format!("[0{}]", ",0".repeat(50_000))]),
    },
    ServerCheck {
        name: "a long string in variables",
        expected: EXPECTED,
        run: |client| variables(client, &[format!("\"{}\"", "x".repeat(200_000))]),
    },
];

/// Sends an attack of [`ATTACKS`] in a POST.
pub(super) fn attack(client: &TestClient, attack: &Attack) -> CheckResult {
    try_sizes(attack, |text| client.send_retrying(&client.post(text)))
}

fn shared_attack() -> CheckResult<&'static Attack> {
    ATTACKS.iter().find(|attack| attack.name == SHARED_ATTACK).ok_or_else(|| failed("no such attack"))
}

/// Sends an attack in each size. A smaller size may be accepted, because the operator may set higher limits; the
/// largest must be refused.
fn try_sizes(attack: &Attack, send: impl Fn(&str) -> CheckResult<ServerAnswer>) -> CheckResult {
    let (mut codes, mut most, mut accepted) = (Vec::new(), 0, None);
    for &size in attack.selftest_sizes {
        let answer = send(&(attack.text)(size))?;
        most = most.max(answer.bytes.len());
        match refusal_code(&answer, attack.codes)? {
            Some(code) if codes.contains(&code) => accepted = None,
            Some(code) => (accepted, _) = (None, codes.push(code)),
            None => accepted = Some((size, answer.summary())),
        }
    }
    match accepted {
        Some((size, seen)) => Err(failed(format!("{seen} at size {size}"))),
        None => Ok(format!("{}; at most {most} bytes", codes.join(", "))),
    }
}

/// The code of a refusal for a limit; `None` if the request was executed.
fn refusal_code(answer: &ServerAnswer, codes: &[&str]) -> CheckResult<Option<String>> {
    if answer.bytes.len() > LONGEST {
        return Err(failed(format!("{}, more than {LONGEST} bytes", answer.status)));
    }
    if answer.status >= 500 {
        return Err(failed(answer.summary()));
    }
    if answer.is_executed() {
        return Ok(None);
    }
    let code = answer.code().unwrap_or_default();
    match answer.body["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
        true if code == UNAUTHENTICATED => Err(skipped("needs --token")),
        true if codes.contains(&code) || LIMITS.contains(&code) || OTHER_CODES.contains(&code) => Ok(Some(code.into())),
        false if (400..500).contains(&answer.status) => {
            Err(noted(format!("{}: by a proxy in front of the server", answer.summary())))
        }
        _ => Err(failed(answer.summary())),
    }
}

fn over_socket(client: &TestClient, text: &str) -> CheckResult<ServerAnswer> {
    let body = client.authenticated_socket()?.run_query(text)?;
    let bytes = body.to_string().into_bytes();
    Ok(ServerAnswer { status: 200, headers: HeaderMap::new(), bytes, body })
}

/// Sends a query with each of these values, as JSON text, for a variable that it does not use.
fn variables(client: &TestClient, values: &[String]) -> CheckResult {
    let mut seen = String::new();
    for value in values {
        let query = Value::from("query($x: String) { __typename }");
        let request = client.post("").with_body(format!("{{\"query\":{query},\"variables\":{{\"x\":{value}}}}}"));
        let answer = client.send(&request)?;
        seen = refusal_code(&answer, &["BAD_REQUEST"])?.ok_or_else(|| failed(answer.summary()))?;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selftest::TestVerdict;

    fn answer(status: u16, body: Value) -> ServerAnswer {
        ServerAnswer { status, headers: HeaderMap::new(), bytes: Vec::new(), body }
    }

    fn error(code: &str) -> Value {
        json!({ "errors": [{ "message": "no", "extensions": { "code": code } }] })
    }

    #[test]
    fn a_refusal_for_any_limit_is_a_refusal() {
        let judged = |status, body| match refusal_code(&answer(status, body), &["COST_TOO_HIGH"]) {
            Ok(Some(code)) => code,
            Ok(None) => "executed".into(),
            Err(other) => other.verdict.word().into(),
        };
        for (status, body, said) in [
            (400, error("COST_TOO_HIGH"), "COST_TOO_HIGH"),
            (200, error("TOO_MANY_FIELDS"), "TOO_MANY_FIELDS"),
            (400, error("SOMETHING"), "FAIL"),
            (400, json!({ "errors": [{ "message": "no" }] }), "FAIL"),
            (500, error("INTERNAL"), "FAIL"),
            (503, error("COST_TOO_HIGH"), "FAIL"),
            (200, json!({ "data": { "a": 1 } }), "executed"),
            (200, Value::Null, "FAIL"),
            (403, Value::Null, "note"),
        ] {
            assert_eq!(judged(status, body.clone()), said, "{status} {body}");
        }
    }

    #[test]
    fn the_largest_size_must_be_refused() {
        let attack = shared_attack().unwrap();
        let sizes = |refused: fn(usize) -> bool| {
            try_sizes(attack, |text| {
                let body = if refused(text.len()) { error("TOO_MANY_FIELDS") } else { json!({ "data": {} }) };
                Ok(answer(200, body))
            })
        };
        assert_eq!(sizes(|bytes| bytes > 1000).unwrap(), "TOO_MANY_FIELDS; at most 0 bytes");
        let other = sizes(|bytes| bytes < 1000).unwrap_err();
        assert_eq!(other.verdict, TestVerdict::Failed);
        assert!(other.found.contains("at size 200"), "{}", other.found);
    }
}
