//! What supervisors and load balancers ask, and what only they may.

use super::check::DoorCheck;
use super::client::TestClient;
use super::verdict::{Judged, failed, noted, shown};

pub(super) const CHECKS: &[DoorCheck] = &[
    DoorCheck { name: "encryption", expected: "TLS, except on this machine", run: encryption },
    DoorCheck { name: "/healthz", expected: "200 {\"status\": \"ok\"}", run: |client| health(client, "/healthz") },
    DoorCheck { name: "/readyz", expected: "200 {\"status\": \"ok\"}", run: |client| health(client, "/readyz") },
    DoorCheck { name: "/metrics", expected: "not at this address", run: metrics },
];

/// The requests before this one have gone over TLS, if it is asked for: it is verified.
fn encryption(client: &TestClient) -> Judged {
    match (client.target.secure, client.target.is_here()) {
        (true, _) => Ok("TLS, certificate verified".into()),
        (false, true) => Ok("plain HTTP on this machine".into()),
        (false, false) => Err(noted("plain HTTP: whoever is on the way reads the token")),
    }
}

fn health(client: &TestClient, path: &str) -> Judged {
    let answer = client.try_send(&client.page(path)).map_err(|error| failed(format!("no answer: {error}")))?;
    let status = shown(answer.body["status"].as_str().unwrap_or("no status"));
    match (answer.status, status.as_str()) {
        (200, "ok") => Ok("200 ok".into()),
        // A proxy may well keep it to itself.
        (401 | 403 | 404, _) => Err(noted(format!("{}: not passed on", answer.status))),
        (code, _) => Err(failed(format!("{code} {status}"))),
    }
}

fn metrics(client: &TestClient) -> Judged {
    let answer = client.send(&client.page("/metrics"))?;
    answer.must([401, 403, 404].contains(&answer.status))?;
    Ok(answer.status.to_string())
}
