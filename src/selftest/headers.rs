//! The headers that protect browsers, and headers that must be absent. A proxy that sets its own headers may remove
//! these.

use axum::http::Method;

use super::answer::ServerAnswer;
use super::check::ServerCheck;
use super::client::TestClient;
use super::verdict::{CheckResult, failed, noted, one_line};

/// An origin that no server allows.
const EVIL: &str = "https://evil.example";

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck {
        name: "x-content-type-options",
        expected: "nosniff",
        run: |client| header(client, "x-content-type-options", |value| value == "nosniff"),
    },
    ServerCheck {
        name: "content-security-policy",
        expected: "default-src and frame-ancestors 'none'",
        run: |client| header(client, "content-security-policy", |value| is_closed(value) && !is_framed(value)),
    },
    ServerCheck {
        name: "x-frame-options",
        expected: "DENY",
        run: |client| header(client, "x-frame-options", |value| value == "DENY"),
    },
    ServerCheck {
        name: "referrer-policy",
        expected: "no-referrer",
        run: |client| header(client, "referrer-policy", |value| value == "no-referrer"),
    },
    ServerCheck {
        name: "cross-origin-opener-policy",
        expected: "same-origin",
        run: |client| header(client, "cross-origin-opener-policy", |value| value == "same-origin"),
    },
    ServerCheck {
        name: "cross-origin-resource-policy",
        expected: "same-origin",
        run: |client| header(client, "cross-origin-resource-policy", |value| value == "same-origin"),
    },
    ServerCheck {
        name: "permissions-policy",
        expected: "no camera, no microphone",
        run: |client| {
            header(client, "permissions-policy", |value| value.contains("camera=()") && value.contains("microphone=()"))
        },
    },
    ServerCheck {
        name: "cache-control",
        expected: "no-store",
        run: |client| header(client, "cache-control", |value| value.contains("no-store")),
    },
    ServerCheck { name: "the playground's policy", expected: "its own files, in no frame", run: playground },
    ServerCheck {
        name: "a page of another origin",
        expected: "may not read answers",
        run: |client| cross_origin(client, Method::POST),
    },
    ServerCheck {
        name: "a preflight from another origin",
        expected: "may not send requests",
        run: |client| cross_origin(client, Method::OPTIONS),
    },
    ServerCheck { name: "x-request-id", expected: "different in each answer", run: request_ids },
    ServerCheck { name: "strict-transport-security", expected: "from the proxy, over TLS", run: transport_security },
    ServerCheck { name: "server, x-powered-by", expected: "no software is named", run: names },
];

fn answer(client: &TestClient) -> CheckResult<ServerAnswer> {
    client.send_retrying(&client.post("{ __typename }"))
}

fn header(client: &TestClient, name: &str, fits: fn(&str) -> bool) -> CheckResult {
    let answer = answer(client)?;
    // If a header appears twice, browsers differ in which one they use.
    if answer.headers.get_all(name).iter().count() > 1 {
        return Err(failed(format!("{name} appears twice")));
    }
    answer.expect_header(name, fits)?;
    Ok(one_line(answer.header(name).unwrap_or_default()))
}

/// The words of a directive of a content security policy.
fn directive<'a>(policy: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let directives = policy.split(';').map(|directive| directive.split_ascii_whitespace().collect::<Vec<_>>());
    let mut named = directives.filter(|words| words.first().is_some_and(|word| word.eq_ignore_ascii_case(name)));
    named.next().map(|words| words[1..].to_vec())
}

fn is_closed(policy: &str) -> bool {
    directive(policy, "default-src").is_some_and(|sources| sources == ["'none'"])
}

fn is_framed(policy: &str) -> bool {
    directive(policy, "frame-ancestors").is_none_or(|sources| sources != ["'none'"])
}

/// The page itself, or the request to sign in.
fn playground(client: &TestClient) -> CheckResult {
    let answer = client.send_retrying(&client.get_path("/playground/"))?;
    answer.require([200, 401].contains(&answer.status))?;
    answer.expect_header("content-security-policy", |policy| {
        let scripts = directive(policy, "script-src").unwrap_or_default();
        is_closed(policy) && !is_framed(policy) && scripts.iter().all(|source| *source == "'self'")
    })?;
    answer.expect_header("x-content-type-options", |value| value == "nosniff")?;
    Ok(format!("{} with its policy", answer.status))
}

fn cross_origin(client: &TestClient, method: Method) -> CheckResult {
    let mut request = client.post("{ __typename }").with("origin", EVIL).with_method(method.clone());
    if method == Method::OPTIONS {
        request = request.with_body("").with("access-control-request-method", "POST");
        request = request.without("content-type").with("access-control-request-headers", "authorization,content-type");
    }
    let answer = client.send_retrying(&request)?;
    match answer.header("access-control-allow-origin") {
        None => Ok(format!("{} without access-control-allow-origin", answer.status)),
        Some(origin) if origin == "*" || origin == EVIL => {
            Err(failed(one_line(&format!("access-control-allow-origin: {origin}"))))
        }
        Some(_) => Ok(format!("{} only for another origin", answer.status)),
    }
}

fn request_ids(client: &TestClient) -> CheckResult {
    let (one, other) = (client.send_retrying(&client.post("{ noSuchField }"))?, answer(client)?);
    match (one.header("x-request-id"), other.header("x-request-id")) {
        (Some(one), Some(other)) if one != other && !one.is_empty() => Ok(one_line(one)),
        (Some(_), Some(_)) => Err(failed("the same id twice")),
        _ => Err(failed("no x-request-id")),
    }
}

fn transport_security(client: &TestClient) -> CheckResult {
    match (client.target.secure, answer(client)?.header("strict-transport-security")) {
        (true, Some(value)) => Ok(one_line(value)),
        (true, None) => Err(noted("not set; the proxy should set it")),
        (false, _) => Ok("no TLS: it would have no effect".into()),
    }
}

fn names(client: &TestClient) -> CheckResult {
    let answer = answer(client)?;
    match ["server", "x-powered-by", "via"].iter().find_map(|name| Some((name, answer.header(name)?))) {
        Some((name, value)) => Err(noted(one_line(&format!("{name}: {value}")))),
        None => Ok("neither".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_by_its_directives() {
        for (policy, closed, framed) in [
            ("default-src 'none'; frame-ancestors 'none'", true, false),
            ("DEFAULT-SRC 'none';frame-ancestors  'none' ;", true, false),
            ("default-src 'none'", true, true),
            ("default-src 'self'; frame-ancestors 'none'", false, false),
            ("default-src 'none' https:; frame-ancestors 'none' *", false, true),
            ("script-src 'self'", false, true),
        ] {
            assert_eq!((is_closed(policy), is_framed(policy)), (closed, framed), "{policy}");
        }
    }
}
