//! What answers tell browsers, and what they do not tell at all. A proxy that sets headers of its own may lose these.

use axum::http::Method;

use super::answer::ServerAnswer;
use super::check::DoorCheck;
use super::client::TestClient;
use super::verdict::{Judged, failed, noted, shown};

/// An origin that nobody allows.
const EVIL: &str = "https://evil.example";

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck {
        name: "x-content-type-options",
        expected: "nosniff",
        run: |client| header(client, "x-content-type-options", |value| value == "nosniff"),
    },
    DoorCheck {
        name: "content-security-policy",
        expected: "default-src and frame-ancestors 'none'",
        run: |client| header(client, "content-security-policy", |value| is_closed(value) && !is_framed(value)),
    },
    DoorCheck {
        name: "x-frame-options",
        expected: "DENY",
        run: |client| header(client, "x-frame-options", |value| value == "DENY"),
    },
    DoorCheck {
        name: "referrer-policy",
        expected: "no-referrer",
        run: |client| header(client, "referrer-policy", |value| value == "no-referrer"),
    },
    DoorCheck {
        name: "cross-origin-opener-policy",
        expected: "same-origin",
        run: |client| header(client, "cross-origin-opener-policy", |value| value == "same-origin"),
    },
    DoorCheck {
        name: "cross-origin-resource-policy",
        expected: "same-origin",
        run: |client| header(client, "cross-origin-resource-policy", |value| value == "same-origin"),
    },
    DoorCheck {
        name: "permissions-policy",
        expected: "no camera, no microphone",
        run: |client| {
            header(client, "permissions-policy", |value| value.contains("camera=()") && value.contains("microphone=()"))
        },
    },
    DoorCheck {
        name: "cache-control",
        expected: "no-store",
        run: |client| header(client, "cache-control", |value| value.contains("no-store")),
    },
    DoorCheck { name: "the playground's policy", expected: "its own files, in no frame", run: playground },
    DoorCheck {
        name: "a page of another origin",
        expected: "may not read answers",
        run: |client| foreign(client, Method::POST),
    },
    DoorCheck {
        name: "a page of another origin asks first",
        expected: "may not send requests",
        run: |client| foreign(client, Method::OPTIONS),
    },
    DoorCheck { name: "x-request-id", expected: "another one in each answer", run: request_ids },
    DoorCheck { name: "strict-transport-security", expected: "from the proxy, over TLS", run: transport_security },
    DoorCheck { name: "server, x-powered-by", expected: "nothing of what answers", run: names },
];

fn answer(client: &TestClient) -> Judged<ServerAnswer> {
    client.reply(&client.post("{ __typename }"))
}

fn header(client: &TestClient, name: &str, fits: fn(&str) -> bool) -> Judged {
    let answer = answer(client)?;
    // A header that stands twice is one that browsers may read either way.
    if answer.headers.get_all(name).iter().count() > 1 {
        return Err(failed(format!("{name} stands twice")));
    }
    answer.says(name, fits)?;
    Ok(shown(answer.header(name).unwrap_or_default()))
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

/// The page itself, or the demand to sign in before it.
fn playground(client: &TestClient) -> Judged {
    let answer = client.reply(&client.page("/playground/"))?;
    answer.must([200, 401].contains(&answer.status))?;
    answer.says("content-security-policy", |policy| {
        let scripts = directive(policy, "script-src").unwrap_or_default();
        is_closed(policy) && !is_framed(policy) && scripts.iter().all(|source| *source == "'self'")
    })?;
    answer.says("x-content-type-options", |value| value == "nosniff")?;
    Ok(format!("{} with its policy", answer.status))
}

fn foreign(client: &TestClient, method: Method) -> Judged {
    let mut ask = client.post("{ __typename }").with("origin", EVIL).by(method.clone());
    if method == Method::OPTIONS {
        ask = ask.sending("").with("access-control-request-method", "POST");
        ask = ask.without("content-type").with("access-control-request-headers", "authorization,content-type");
    }
    let answer = client.reply(&ask)?;
    match answer.header("access-control-allow-origin") {
        None => Ok(format!("{} without access-control-allow-origin", answer.status)),
        Some(origin) if origin == "*" || origin == EVIL => {
            Err(failed(shown(&format!("access-control-allow-origin: {origin}"))))
        }
        Some(_) => Ok(format!("{} for another origin alone", answer.status)),
    }
}

fn request_ids(client: &TestClient) -> Judged {
    let (one, other) = (client.reply(&client.post("{ noSuchField }"))?, answer(client)?);
    match (one.header("x-request-id"), other.header("x-request-id")) {
        (Some(one), Some(other)) if one != other && !one.is_empty() => Ok(shown(one)),
        (Some(_), Some(_)) => Err(failed("the same twice")),
        _ => Err(failed("no x-request-id")),
    }
}

fn transport_security(client: &TestClient) -> Judged {
    match (client.target.secure, answer(client)?.header("strict-transport-security")) {
        (true, Some(value)) => Ok(shown(value)),
        (true, None) => Err(noted("not set; it is the proxy's to set")),
        (false, _) => Ok("no TLS: it would not count".into()),
    }
}

fn names(client: &TestClient) -> Judged {
    let answer = answer(client)?;
    match ["server", "x-powered-by", "via"].iter().find_map(|name| Some((name, answer.header(name)?))) {
        Some((name, value)) => Err(noted(shown(&format!("{name}: {value}")))),
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
