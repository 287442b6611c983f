//! The addresses for supervisors and load balancers, and those that must not be public.

use super::check::ServerCheck;
use super::client::TestClient;
use super::verdict::{CheckResult, failed, noted, one_line};

pub(super) const CHECKS: &[ServerCheck] = &[
    ServerCheck { name: "encryption", expected: "TLS, except on this machine", run: encryption },
    ServerCheck { name: "/healthz", expected: "200 {\"status\": \"ok\"}", run: |client| health(client, "/healthz") },
    ServerCheck { name: "/readyz", expected: "200 {\"status\": \"ok\"}", run: |client| health(client, "/readyz") },
    ServerCheck { name: "/metrics", expected: "not at this address", run: metrics },
];

/// Earlier requests succeeded, so if the URL has TLS, the certificate is verified.
fn encryption(client: &TestClient) -> CheckResult {
    match (client.target.secure, client.target.is_loopback()) {
        (true, _) => Ok("TLS, certificate verified".into()),
        (false, true) => Ok("plain HTTP on this machine".into()),
        (false, false) => Err(noted("plain HTTP: anybody on the network path can read the token")),
    }
}

fn health(client: &TestClient, path: &str) -> CheckResult {
    let answer = client.send_once(&client.get_path(path)).map_err(|error| failed(format!("no answer: {error}")))?;
    let status = one_line(answer.body["status"].as_str().unwrap_or("no status"));
    match (answer.status, status.as_str()) {
        (200, "ok") => Ok("200 ok".into()),
        // A proxy may block this on purpose.
        (401 | 403 | 404, _) => Err(noted(format!("{}: blocked by a proxy", answer.status))),
        (code, _) => Err(failed(format!("{code} {status}"))),
    }
}

fn metrics(client: &TestClient) -> CheckResult {
    let answer = client.send(&client.get_path("/metrics"))?;
    answer.require([401, 403, 404].contains(&answer.status))?;
    Ok(answer.status.to_string())
}
