//! Documents and variables that are too much: they are refused, soon and in few words. They go with the token where there
//! is one: a server in production looks at none without.

use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::answer::ServerAnswer;
use super::attacks::{ATTACKS, Attack};
use super::check::DoorCheck;
use super::client::{LONGEST, NOT_TRUSTED, TestClient, UNAUTHENTICATED};
use super::persisted::hash;
use super::verdict::{Judged, failed, noted, skipped};

/// What should come of an attack.
pub(super) const EXPECTED: &str = "refused for a limit";

/// The codes of refusals for a limit. Which of them is first depends on the options of the server.
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

/// Other codes that are as good: introspection is refused to tokens without the scope, and a server may let in none but
/// documents of its operator's.
const OTHERS: [&str; 2] = ["INTROSPECTION_FORBIDDEN", NOT_TRUSTED];

/// The attack that is tried over every way in.
const EVERYWHERE: &str = "fragments that double";

/// Besides [`ATTACKS`].
pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "an attack in a GET",
        expected: EXPECTED,
        run: |client| each_size(everywhere()?, |text| client.reply(&client.get(text))),
    },
    DoorCheck {
        name: "an attack with its hash",
        expected: EXPECTED,
        run: |client| {
            each_size(everywhere()?, |text| {
                let extensions = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash(text) } });
                client.reply(&client.post_json(&json!({ "query": text, "extensions": extensions })))
            })
        },
    },
    DoorCheck {
        name: "an attack over events",
        expected: EXPECTED,
        run: |client| {
            each_size(everywhere()?, |text| client.reply(&client.post(text).with("accept", "text/event-stream")))
        },
    },
    DoorCheck {
        name: "an attack over WebSocket",
        expected: EXPECTED,
        run: |client| each_size(everywhere()?, |text| over_socket(client, text)),
    },
    DoorCheck {
        name: "variables in each other",
        expected: "refused",
        run: |client| {
            // The second is too deep for a JSON parser, too.
            variables(client, &[format!("{}{}", "[".repeat(100), "]".repeat(100)), "[".repeat(20_000)])
        },
    },
    DoorCheck {
        name: "values in variables",
        expected: EXPECTED,
        run: |client| variables(client, &[format!("[0{}]", ",0".repeat(50_000))]),
    },
    DoorCheck {
        name: "a text in variables",
        expected: EXPECTED,
        run: |client| variables(client, &[format!("\"{}\"", "x".repeat(200_000))]),
    },
];

/// Tries an attack of the table, in a POST.
pub(super) fn attack(client: &TestClient, attack: &Attack) -> Judged {
    each_size(attack, |text| client.reply(&client.post(text)))
}

fn everywhere() -> Judged<&'static Attack> {
    ATTACKS.iter().find(|attack| attack.name == EVERYWHERE).ok_or_else(|| failed("no such attack"))
}

/// A size that the operator's own limits let in is harmless; the largest is too much for any.
fn each_size(attack: &Attack, send: impl Fn(&str) -> Judged<ServerAnswer>) -> Judged {
    let (mut codes, mut most, mut let_in) = (Vec::new(), 0, None);
    for &size in attack.modest {
        let answer = send(&(attack.text)(size))?;
        most = most.max(answer.bytes.len());
        match refusal(&answer, attack.codes)? {
            Some(code) if codes.contains(&code) => let_in = None,
            Some(code) => (let_in, _) = (None, codes.push(code)),
            None => let_in = Some((size, answer.seen())),
        }
    }
    match let_in {
        Some((size, seen)) => Err(failed(format!("{seen} at size {size}"))),
        None => Ok(format!("{}; at most {most} bytes", codes.join(", "))),
    }
}

/// The code of a refusal, or what stands for an error without one; `None` when it is executed.
fn refusal(answer: &ServerAnswer, codes: &[&str]) -> Judged<Option<String>> {
    if answer.bytes.len() > LONGEST {
        return Err(failed(format!("{}, more than {LONGEST} bytes", answer.status)));
    }
    if answer.status >= 500 {
        return Err(failed(answer.seen()));
    }
    if answer.is_executed() {
        return Ok(None);
    }
    let code = answer.code().unwrap_or_default();
    match answer.body["errors"].as_array().is_some_and(|errors| !errors.is_empty()) {
        true if code == UNAUTHENTICATED => Err(skipped("needs --token")),
        true if codes.contains(&code) || LIMITS.contains(&code) || OTHERS.contains(&code) => Ok(Some(code.into())),
        false if (400..500).contains(&answer.status) => {
            Err(noted(format!("{}: by what is in front of the server", answer.seen())))
        }
        _ => Err(failed(answer.seen())),
    }
}

fn over_socket(client: &TestClient, text: &str) -> Judged<ServerAnswer> {
    let body = client.acknowledged()?.ask(text)?;
    let bytes = body.to_string().into_bytes();
    Ok(ServerAnswer { status: 200, headers: HeaderMap::new(), bytes, body })
}

/// Variables that no query needs, as they are written.
fn variables(client: &TestClient, values: &[String]) -> Judged {
    let mut seen = String::new();
    for value in values {
        let query = Value::from("query($x: String) { __typename }");
        let ask = client.post("").sending(format!("{{\"query\":{query},\"variables\":{{\"x\":{value}}}}}"));
        let answer = client.send(&ask)?;
        seen = refusal(&answer, &["BAD_REQUEST"])?.ok_or_else(|| failed(answer.seen()))?;
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
        let judged = |status, body| match refusal(&answer(status, body), &["COST_TOO_HIGH"]) {
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
        let attack = everywhere().unwrap();
        let sizes = |refused: fn(usize) -> bool| {
            each_size(attack, |text| {
                let body = if refused(text.len()) { error("TOO_MANY_FIELDS") } else { json!({ "data": {} }) };
                Ok(answer(200, body))
            })
        };
        assert_eq!(sizes(|bytes| bytes > 1000).unwrap(), "TOO_MANY_FIELDS; at most 0 bytes");
        let other = sizes(|bytes| bytes < 1000).unwrap_err();
        assert_eq!(other.verdict, TestVerdict::Failed);
        assert!(other.seen.contains("at size 200"), "{}", other.seen);
    }
}
